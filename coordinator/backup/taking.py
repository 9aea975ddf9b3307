"""Takes a backup of a coordinator's directory, whether or not a coordinator works there.

The main database is looked at before the output: an end is recorded after all of its output is
(`SqliteStore.commit`), so a copy of the output that is no older than that of the main database has
whatever the latter refers to. What it has beyond that belongs to runs whose agents will be asked
to go on behind it, or to runs that the copy of the main database does not know.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from tocsin import __version__, clock
from tocsin.coordinator.config import CoordinatorConfig
from tocsin.coordinator.store.sqlite.copying import SCHEMAS, Snapshot, holding, schema_of
from tocsin.coordinator.store.sqlite.inspecting import faults_of
from tocsin.errors import ConfigError, StoreError
from tocsin.lock import DirectoryLock

from . import archive
from .durable import Owner, give, owner_of, sync
from .handover import MARK, Handover, forget_handover, note_handover, read_handover
from .manifest import ADMIN_KEY, COORDINATOR_KEY, MEMBERS, Manifest
from .workshop import workshop

LOCK: Final = "coordinator.lock"


def take(config: CoordinatorConfig, file: Path) -> Manifest:
    """Put a backup into a file, mode 0600, in place of what was there; whole or not at all.

    Raises:
        ConfigError: there is no coordinator, or the file cannot be made.
        StoreError: a database cannot be read, or is damaged.
    """
    _check_there(config)
    return _take(config, file, clock.new_ulid(), handed_over=False)


def stream(config: CoordinatorConfig, out: BinaryIO) -> Manifest:
    """Write a backup to a pipe.

    Raises:
        ConfigError: there is no coordinator.
        StoreError: as `take`.
        OSError: it cannot be written.
    """
    _check_there(config)
    with tempfile.TemporaryDirectory(prefix="tocsin-backup-") as folder:
        manifest = _copied(config, Path(folder), clock.new_ulid(), handed_over=False)
        archive.write(out, manifest, Path(folder))
        out.flush()
    return manifest


def hand_over(config: CoordinatorConfig, file: Path) -> Manifest:
    """Put a backup into a file, and let no coordinator start here any more.

    The directory is marked first: whenever there is such a backup, nothing starts here.

    Raises:
        ConfigError: as `take`, or a coordinator is at work here.
        StoreError: as `take`.
    """
    _check_there(config)
    folder, file = config.data_dir, file.absolute()
    with locked(folder) as owner:
        before = read_handover(folder)
        handover = Handover(id=clock.new_ulid(), at_us=clock.now_us(), file=str(file))
        with _marking(folder):
            note_handover(folder, handover, owner)
        try:
            manifest = _take(config, file, handover.id, handed_over=True)
        except (ConfigError, StoreError):
            with _marking(folder):
                if before is None:
                    forget_handover(folder)
                else:
                    note_handover(folder, before, owner)
            raise
        with _marking(folder):
            done = Handover(id=handover.id, at_us=handover.at_us, file=str(file), complete=True)
            note_handover(folder, done, owner)
    return manifest


@contextmanager
def locked(folder: Path) -> Iterator[Owner | None]:
    """Hold a coordinator's directory, as a coordinator does; to whom new files there are to be.

    Raises:
        ConfigError: a coordinator is at work there.
    """
    owner = owner_of(folder) if os.geteuid() == 0 else None
    try:
        lock = DirectoryLock(folder / LOCK, "a coordinator")
    except OSError as error:
        raise ConfigError(f"{folder}: cannot lock it: {error.strerror}") from error
    try:
        give(folder / LOCK, owner)
        yield owner
    finally:
        lock.release()


@contextmanager
def _marking(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigError(f"{folder / MARK}: cannot write it: {error.strerror}") from error


def _check_there(config: CoordinatorConfig) -> None:
    for name in SCHEMAS:
        path = config.data_dir / name
        try:
            path.stat()
        except OSError as error:
            raise ConfigError(
                f"{path}: there is no coordinator's database: {error.strerror}",
                "run it on the coordinator's host, as its user or as root; "
                "--data says where the databases are",
            ) from error


def _take(config: CoordinatorConfig, file: Path, backup_id: str, *, handed_over: bool) -> Manifest:
    if file.exists() and not file.is_file():
        raise ConfigError(f"{file} is there, and no file", "name a file; - is standard output")
    try:
        with workshop(file.absolute().parent, file.name) as folder:
            manifest = _copied(config, folder, backup_id, handed_over=handed_over)
            draft = folder / "archive"
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:  # noqa: PTH123 - a descriptor
                archive.write(out, manifest, folder)
                out.flush()
                os.fsync(out.fileno())
            _into_place(draft, file)
    except OSError as error:
        raise ConfigError(
            f"{file}: cannot write it: {error.strerror}",
            "it needs room for the backup and for a copy of the databases; nothing is left of it",
        ) from error
    return manifest


def _into_place(draft: Path, file: Path) -> None:
    """Give a backup its name. When it fails there is none: nobody would know of it."""
    draft.replace(file)
    try:
        sync(file.absolute().parent)
    except OSError:
        file.unlink(missing_ok=True)
        raise


def _copied(
    config: CoordinatorConfig, folder: Path, backup_id: str, *, handed_over: bool
) -> Manifest:
    """Put all that a backup holds into a folder."""
    with contextlib.ExitStack() as open_ones:
        made_us = clock.now_us()
        snapshots = [
            (open_ones.enter_context(closing(Snapshot(config.data_dir / name))), name)
            for name in SCHEMAS  # the main database first, see above
        ]
        for snapshot, name in snapshots:
            snapshot.copy_to(folder / name)
    for name in SCHEMAS:
        if faults := faults_of(folder / name):
            raise StoreError(
                f"{config.data_dir / name} is damaged: {'; '.join(faults)}",
                "keep the backups that you have; see: tocsin doctor",
            )
    for key, path in ((COORDINATOR_KEY, config.key_file), (ADMIN_KEY, config.data_dir / ADMIN_KEY)):
        if path.exists():
            shutil.copyfile(path, folder / key)
    return Manifest(
        id=backup_id,
        made_us=made_us,
        host=socket.gethostname(),
        tocsin=__version__,
        schemas={name: schema_of(folder / name) for name in SCHEMAS},
        handed_over=handed_over,
        holds=holding(folder / "tocsin.db"),
        members=[archive.described(folder / it) for it in MEMBERS if (folder / it).exists()],
    )
