"""Restores a backup into a coordinator's directory, such that a crash at any moment is no harm.

::

    staged ──► checked ──► told of the restore ──► named `restoring` ──► put into place
    in a folder beside what is there                 from here on it goes forward

Until the staged folder has its name, what was there is untouched. After that the rest is only
renames, which whoever comes next repeats or goes on with: another restore, or the coordinator's
start. What was there goes into a folder of its own.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

import msgspec
from msgspec.structs import replace

from tocsin import clock
from tocsin.coordinator.config import CoordinatorConfig
from tocsin.coordinator.store.rows import to_json
from tocsin.coordinator.store.sqlite.copying import SCHEMAS, put_settings, schema_of
from tocsin.coordinator.store.sqlite.inspecting import faults_of
from tocsin.coordinator.store.staging import RESTORE
from tocsin.coordinator.timekeeping import SEEN
from tocsin.errors import ConfigError, StoreError
from tocsin.instants import SECOND_US, to_datetime
from tocsin.keys import read_keypair
from tocsin.model import Restore

from . import STAGED, archive
from .durable import Owner, give, make_folder, move, owner_of, put_text, sync
from .handover import MARK, read_handover
from .manifest import COORDINATOR_KEY, Manifest
from .taking import locked
from .workshop import workshop

_RESULT: Final = "restore.json"
"""In the staged folder: what the restore comes to."""
_BESIDE: Final = ("", "-wal", "-shm", "-journal")
"""What belongs to a file, by the ends of their names; SQLite makes the others."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """How a backup is to be restored."""

    by: str
    file: str
    """What the backup is called."""
    replace: bool = False
    run_missed: bool = False
    epoch: int | None = None
    """None: one that is later than any that the coordinator of the backup can have reached."""


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What a restore did."""

    manifest: Manifest
    restore: Restore
    epoch: int
    data_dir: Path
    aside: Path | None
    """Where what was there is now; None when nothing was."""
    key_missing: bool


def restore(
    config: CoordinatorConfig, source: BinaryIO, wish: Wish, owner: Owner | None = None
) -> Done:
    """Put a backup where a coordinator starts from it.

    Args:
        config: of the coordinator.
        source: the backup.
        wish: how.
        owner: whose its directory is to be, where it is made here.

    Raises:
        ConfigError: a coordinator is at work there or has been, or the backup is wrong.
        StoreError: a database of the backup is damaged, or newer than this program.
    """
    folder = config.data_dir
    with _said(folder):
        if not folder.exists():
            make_folder(folder, owner)
        with locked(folder) as inside:
            before = _finish(folder)
            with workshop(folder, STAGED, is_alone=True) as staged:
                manifest = archive.unpack(source, wish.file, staged)
                if before is not None and before.manifest.id == manifest.id:
                    return before  # it was cut short, and is complete now
                done = _stage(config, manifest, wish, staged, inside)
                put_text(staged / _RESULT, msgspec.json.encode(done, enc_hook=str).decode(), None)
                for path in (*staged.iterdir(), staged):
                    give(path, inside)
                move(staged, folder / STAGED)
            return _finish(folder) or done


def complete(folder: Path) -> None:
    """Complete a restore that was cut short, if there is one.

    Raises:
        ConfigError: somebody is at work in the directory, or a file cannot be moved.
    """
    with _said(folder), locked(folder):
        _finish(folder)


def _finish(folder: Path) -> Done | None:
    """Put into place what is staged, and what was there aside; None: nothing is staged."""
    staged = folder / STAGED
    result = staged / _RESULT
    if not result.exists():
        if staged.exists():
            staged.rmdir()
        return None
    done = msgspec.json.decode(result.read_bytes(), type=Done, dec_hook=_to_path)
    assert done.aside is not None
    fresh = [path for path in staged.iterdir() if path != result]
    old = [folder / f"{path.name}{end}" for path in fresh for end in _BESIDE] + [folder / MARK]
    for path in old:
        if path.exists():
            _put_aside(path, done.aside)
    for path in fresh:
        move(path, folder / path.name)
    result.unlink()
    staged.rmdir()
    sync(folder)
    return done if done.aside.exists() else replace(done, aside=None)


def _to_path(_kind: type, value: object) -> Path:
    return Path(str(value))


def _put_aside(path: Path, aside: Path) -> None:
    if not aside.exists():
        aside.mkdir(mode=0o700)
        give(aside, owner_of(path.parent) if os.geteuid() == 0 else None)
    target, number = aside / path.name, 1
    while target.exists():
        target, number = aside / f"{path.name}.{number}", number + 1
    move(path, target)


def _stage(
    config: CoordinatorConfig, manifest: Manifest, wish: Wish, staged: Path, owner: Owner | None
) -> Done:
    """Make what is in a folder what is to be in place; nothing else is changed."""
    folder = config.data_dir
    _check_free(folder, manifest, wish)
    check(staged, wish.file, thorough=False)
    epoch = _epoch(manifest, wish)
    key_missing = not _stage_key(config, staged, owner)
    at_us = clock.now_us()
    restore = Restore(
        backup_us=manifest.made_us,
        restored_us=at_us,
        by=wish.by,
        file=wish.file,
        handed_over=manifest.handed_over,
        run_missed=wish.run_missed,
    )
    # A start begins the next epoch.
    settings: dict[str, str | int] = {"epoch": epoch - 1, RESTORE: to_json(restore)}
    if not manifest.handed_over:
        settings[SEEN] = at_us  # until now it may have been somewhere else
    put_settings(staged / "tocsin.db", settings)
    sync(staged / "tocsin.db")
    return Done(
        manifest=manifest,
        restore=restore,
        epoch=epoch,
        data_dir=folder,
        aside=folder / f"replaced-{to_datetime(at_us):%Y%m%dT%H%M%S%fZ}",
        key_missing=key_missing,
    )


def _check_free(folder: Path, manifest: Manifest, wish: Wish) -> None:
    handover = read_handover(folder)
    is_taken_back = handover is not None and handover.id == manifest.id
    if _is_used(folder) and not wish.replace and not is_taken_back:
        raise ConfigError(
            f"{folder} holds a coordinator's database already",
            "--replace puts what is there aside; it is kept",
        )


def _is_used(folder: Path) -> bool:
    return any((folder / name).exists() for name in SCHEMAS)


def check(folder: Path, name: str, *, thorough: bool) -> None:
    """See that the databases of a backup, unpacked into a folder, can be used.

    Raises:
        StoreError: one is damaged, or newer than this program.
    """
    for each in SCHEMAS:
        if faults := faults_of(folder / each, thorough=thorough):
            raise StoreError(
                f"{name}: {each} in it is damaged: {'; '.join(faults)}", "take another backup"
            )
        schema_of(folder / each)


def _epoch(manifest: Manifest, wish: Wish) -> int:
    """The epoch of the first coordinator from here on.

    An epoch is one start of a coordinator, and no coordinator starts once a second for years. So
    the seconds since 1970 are later than any that it reached after the backup, and later restores
    of the same backup have later ones.
    """
    least = manifest.holds.epoch + 1
    if wish.epoch is None:
        return max(least, clock.now_us() // SECOND_US)
    if wish.epoch < least:
        raise ConfigError(f"epoch {wish.epoch} is over", f"the backup asks for {least} at least")
    return wish.epoch


def _stage_key(config: CoordinatorConfig, staged: Path, owner: Owner | None) -> bool:
    """Let the coordinator's key be where its settings say; False when there is none.

    Raises:
        ConfigError: another one is there.
    """
    given, path = staged / COORDINATOR_KEY, config.key_file
    if not given.exists():
        return path.exists()
    pair = read_keypair(given)
    if path.parent == config.data_dir:
        given.rename(staged / path.name)
        return True
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.draft")
        shutil.copy(given, draft)
        give(draft, owner)
        sync(draft)
        move(draft, path)
    elif read_keypair(path) != pair:
        raise ConfigError(
            f"{path} is the key of another coordinator than the backup is of",
            "move it away first: the agents know the one of the backup",
        )
    given.unlink()
    return True


@contextmanager
def _said(folder: Path) -> Iterator[None]:
    try:
        yield
    except StoreError:
        raise
    except OSError as error:
        raise ConfigError(
            f"{folder}: {error.strerror}", "nothing is lost: run it again when that is mended"
        ) from error
