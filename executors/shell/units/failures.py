"""Why a unit's program was never executed, as far as systemd's exit codes can tell.

Systemd says with codes from 200 on what it could not do before the program (systemd.exec(5),
"Process Exit Codes"), but a program may end with any of them itself, and where it ends at once
nothing else tells the two apart. What systemd could fail at was looked at before, so a code counts
as its own only where the cause is seen, or was asked for.
"""

from __future__ import annotations

import errno
import os
from typing import Final

from tocsin.executors.refusal import CannotStart
from tocsin.executors.shell.config import ShellConfig
from tocsin.executors.shell.exit_status import NOT_EXECUTABLE, NOT_FOUND

_LIMITS: Final = 205
_EXEC: Final = 203
_HEAD_BYTES: Final = 256


def not_executed(
    path: str, config: ShellConfig, code: int | None, result: str
) -> CannotStart | None:
    """The refusal of a run whose unit failed at its start; None when its program did it itself."""
    if code is None:
        return CannotStart(f"cannot start a process: systemd says {result}")
    if code == _EXEC:
        return _not_executable(path)
    if code == _LIMITS and config.ulimits.pairs():
        return CannotStart("cannot start a process: its ulimits cannot be set")
    return None


def is_image(path: str) -> bool:
    """Whether a file is a program that needs no interpreter."""
    return _head(path).startswith(b"\x7fELF")


def _not_executable(path: str) -> CannotStart | None:
    if not os.path.exists(path.encode()):  # noqa: PTH110 - bytes
        return CannotStart(f"command not found: {path}", NOT_FOUND)
    head = _head(path)
    if head.startswith(b"#!"):
        words = head.partition(b"\n")[0][2:].split()
        if words and not os.path.exists(words[0]):  # noqa: PTH110
            return CannotStart(f"{path}: its interpreter is missing", NOT_FOUND)
    elif head and not head.startswith(b"\x7fELF"):
        return CannotStart(f"{path}: {os.strerror(errno.ENOEXEC)}", NOT_EXECUTABLE)
    return None


def _head(path: str) -> bytes:
    try:
        with open(path.encode(), "rb") as file:  # noqa: PTH123
            return file.read(_HEAD_BYTES)
    except OSError:
        return b""
