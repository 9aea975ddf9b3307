"""Why a unit's program cannot be executed, or was not.

Systemd says with exit codes from 200 on what it could not do before the program (systemd.exec(5),
"Process Exit Codes"), but a program may end with any of them itself, and where it ends at once
nothing else tells the two apart. So what can be looked at is looked at before, and a code counts as
systemd's own only where its cause was asked for.
"""

from __future__ import annotations

import errno
import os
from typing import Final

from tocsin.executors.refusal import CannotStart
from tocsin.executors.shell.config import ShellConfig
from tocsin.executors.shell.exit_status import NOT_EXECUTABLE, NOT_FOUND

_LIMITS: Final = 205
_HEAD_BYTES: Final = 256
_OTHER_FORMATS: Final = "/proc/sys/fs/binfmt_misc"


def check_image(path: str) -> None:
    """Look at the beginning of a file that is to be executed.

    Raises:
        CannotStart: no kernel would.
    """
    head = _head(path)
    if head.startswith(b"#!"):
        words = head.partition(b"\n")[0][2:].split()
        if words and not os.path.exists(words[0]):  # noqa: PTH110
            raise CannotStart(f"{path}: its interpreter is missing", NOT_FOUND)
    elif not head.startswith(b"\x7fELF") and not _knows_other_formats():
        raise CannotStart(f"{path}: {os.strerror(errno.ENOEXEC)}", NOT_EXECUTABLE)


def is_binary(path: str) -> bool:
    """Whether a file is a program that needs no interpreter, as far as it can be read."""
    return _head(path).startswith(b"\x7fELF")


def not_executed(config: ShellConfig, code: int | None, result: str) -> CannotStart | None:
    """The refusal of a run whose unit failed at its start; None when its program did it itself."""
    if code is None:
        return CannotStart(f"cannot start a process: systemd says {result}")
    if code == _LIMITS and config.ulimits.pairs():
        return CannotStart("cannot start a process: its ulimits cannot be set")
    return None


def _knows_other_formats() -> bool:
    try:
        return bool({*os.listdir(_OTHER_FORMATS)} - {"register", "status"})  # noqa: PTH208
    except OSError:
        return False


def _head(path: str) -> bytes:
    try:
        with open(path.encode(), "rb") as file:  # noqa: PTH123
            return file.read(_HEAD_BYTES)
    except OSError:  # it can be executed, be it that it cannot be read
        return b"\x7fELF"
