"""Files: that they are there, whose they are, who may look into them, and room on their disk."""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tocsin.agent.config import AgentConfig
from tocsin.coordinator.backup.handover import check_not_handed_over
from tocsin.errors import ConfigError
from tocsin.keys import read_keypair
from tocsin.units import format_size

from .finding import Finding, Findings, fault, fine, warning
from .here import CREDSTORE, Side

OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH
OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
LOW_BYTES: Final = 512 << 20
FULL_BYTES: Final = 64 << 20
LOW_FILES: Final = 1000
_AGAIN: Final = "run it with sudo to have this looked at"


def check_settings(side: Side) -> Findings:
    """They can be read, and make sense."""
    name = f"{side.title} settings"
    if side.trouble is not None:
        yield fault(
            name, side.trouble.message, side.trouble.hint or f"correct {side.settings_file}"
        )
        return
    if isinstance(side.config, AgentConfig):
        try:
            side.config.check()
        except ConfigError as error:
            yield fault(name, error.message, error.hint)
            return
    if side.settings_file.exists():
        yield from check_path(name, side.settings_file, _owners(side), OTHERS_WRITE)
        yield from _check_readable(name, side)


def check_key(side: Side) -> Findings:
    """The key is there, is one, is its user's, and nobody else's."""
    assert side.config is not None
    path, name = side.config.key_file, f"{side.title} key"
    if path.parent == CREDSTORE:
        yield from check_path(name, path, (0,), OTHERS)
        return
    try:
        read_keypair(path)
    except ConfigError as error:
        if not path.exists() and side.what == "agent":
            yield fault(name, f"{path} is missing", "restore it from a backup, or let this host in "
                        f"anew: mv {side.settings_file} /tmp, then {side.join}")  # fmt: skip
        else:
            yield fault(name, error.message, error.hint)
        return
    yield from check_path(name, path, (side.uid,), OTHERS)


def check_data(side: Side) -> Findings:
    """Its data are its user's, and their disk has room."""
    assert side.config is not None
    folder = side.config.data_dir
    name = f"{side.title} data"
    found = list(check_path(name, folder, (side.uid,), OTHERS_WRITE))
    if not any(it.mend for it in found):
        found = list(_check_inside(name, folder, side.uid)) or found
    yield from found
    if side.what == "coordinator":
        yield from check_handover(name, folder)
    if folder.exists():
        room = os.statvfs(folder)
        yield judge_room(
            f"{side.title} disk", str(folder), room.f_bavail * room.f_frsize,
            room.f_favail if room.f_files else None,
        )  # fmt: skip


def check_handover(name: str, folder: Path) -> Findings:
    """The directory was not handed over to another host: a coordinator may start there."""
    try:
        check_not_handed_over(folder)
    except ConfigError as error:
        yield fault(name, error.message, error.hint)


def _check_inside(name: str, folder: Path, uid: int) -> Findings:
    """What is in a folder belongs to whom the folder does: somebody may have run it as another."""
    strange = [path for path in sorted(folder.iterdir()) if path.lstat().st_uid != uid]
    if strange:
        owner, wanted = _name_of(strange[0].lstat().st_uid), _name_of(uid)
        said = f"{strange[0]} belongs to {owner}, and {wanted} has to use it"
        yield fault(name, said, f"chown -R {wanted} {folder}")


def check_secrets(side: Side) -> Findings:
    """Values of secrets are for nobody else to read."""
    if not isinstance(side.config, AgentConfig):
        return
    folder, name = side.config.secrets_dir, f"{side.title} secrets"
    if not folder.exists():
        return
    bad: list[Finding] = []
    try:
        for path in sorted(folder.iterdir()):
            found = check_path(name, path, (side.uid, 0), OTHERS)
            bad += [one for one in found if one.mend]
    except OSError as error:
        bad = [warning(name, f"{folder}: {error.strerror}", _AGAIN)]
    yield from bad or [fine(name, f"{folder}: nobody else can read them")]


def check_path(check: str, path: Path, owners: tuple[int, ...], refused: int) -> Findings:
    """A path is there, belongs to one of these users, and lets others do nothing it must not.

    Args:
        check: its name.
        path: of a file or folder.
        owners: user ids; the first is whom it should belong to.
        refused: mode bits that it must not have.
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        yield fault(check, f"{path} is missing", "restore it from a backup")
        return
    except OSError as error:
        yield warning(check, f"{path}: {error.strerror}", _AGAIN)
        return
    mode, is_right = stat.S_IMODE(found.st_mode), True
    if found.st_uid not in owners:
        is_right = False
        wanted = _name_of(owners[0])
        said = f"{path} belongs to {_name_of(found.st_uid)}, and {wanted} has to use it"
        yield fault(check, said, f"chown -R {wanted} {path}")
    if mode & refused:
        is_right = False
        can = "change" if refused == OTHERS_WRITE else "read"
        said = f"{path} has mode {mode:04o}: others than its owner can {can} it"
        yield fault(check, said, f"chmod {mode & ~refused:04o} {path}")
    if is_right:
        yield fine(check, f"{path} is {_name_of(found.st_uid)}'s")


def judge_room(check: str, where: str, free_bytes: int, free_files: int | None) -> Finding:
    """Whether a disk has room; `free_files` is None where files need no room of their own."""
    mend = "free some space, or move the data: what is not delivered is kept here"
    said = f"{where}: {format_size(free_bytes)} free"
    if free_files is not None and free_files < LOW_FILES:
        return fault(check, f"{where}: room for {free_files} more files", mend)
    if free_bytes < FULL_BYTES:
        return fault(check, said, mend)
    return warning(check, said, mend) if free_bytes < LOW_BYTES else fine(check, said)


def _owners(side: Side) -> tuple[int, ...]:
    return (0, side.uid) if side.unit is not None else (side.uid,)


def _check_readable(name: str, side: Side) -> Findings:
    """The service may run as somebody who is not root."""
    if side.unit is None or side.uid <= 0:
        return
    path = side.settings_file
    for each, bit, mode in ((path.parent, stat.S_IXOTH, "755"), (path, stat.S_IROTH, "644")):
        found = each.stat()
        lent = found.st_gid == _gid_of(side.uid) and found.st_mode & (bit << 3)
        if found.st_uid != side.uid and not lent and not found.st_mode & bit:
            said = f"{each} is out of reach of {side.unit.user}, who runs {side.unit.name}"
            yield fault(name, said, f"chmod {mode} {each}")


def _gid_of(uid: int) -> int:
    try:
        return pwd.getpwuid(uid).pw_gid
    except KeyError:
        return -1


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OverflowError):
        return str(uid)


CHECKS: Final[tuple[Callable[[Side], Findings], ...]] = (check_key, check_data, check_secrets)
"""For a side whose settings could be read."""
