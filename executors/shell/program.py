"""Finds the program of a run as its user would, and says why one cannot be run."""

from __future__ import annotations

import errno
import functools
import os
from collections.abc import Sequence
from typing import Final

from tocsin.executors.refusal import CannotStart

from .command_line import plain_words
from .config import ShellConfig
from .exit_status import NOT_EXECUTABLE, NOT_FOUND
from .identity import SH, acting_as
from .surroundings import Surroundings

_ITS_OWN: Final = frozenset({errno.EACCES, errno.ENOEXEC, errno.E2BIG, errno.ENOTDIR, errno.ELOOP})
"""Errors that are the program's, not the system's."""


def find_program(name: str, around: Surroundings) -> str | None:
    """The path that exec would take for a program, looked up from the current directory."""
    if "/" in name:
        return name
    with acting_as(around.who):
        for folder in around.env["PATH"].split(":"):
            path = f"{folder or '.'}/{name}"
            if _may_run(path):
                return path
    return None


def known_program(name: str, around: Surroundings) -> str:
    """The path of a program that can be run, as far as can be seen before.

    Raises:
        CannotStart: it cannot.
    """
    path = find_program(name, around)
    if path is None:
        raise not_found(name)
    if not can_run(path, around):
        raise refused(name, path, _why_not_run(path, around))
    return path


def can_run(path: str, around: Surroundings) -> bool:
    """Whether a path is a file that its user may execute."""
    with acting_as(around.who):
        return os.path.isfile(path.encode()) and _may_run(path)  # noqa: PTH113 - bytes


def plain_program(config: ShellConfig, around: Surroundings) -> tuple[str, tuple[str, ...]] | None:
    """The path and the words of a command line that needs no shell; None when it needs one."""
    if config.login or config.command is None or not _sh_is_known():
        return None
    words = plain_words(config.command)
    if words is None or "BASH_FUNC_" in " ".join(around.env):
        return None
    path = find_program(words[0], around)
    return None if path is None else (path, words)


def _why_not_run(path: str, around: Surroundings) -> OSError:
    try:
        with acting_as(around.who):
            os.stat(path.encode())  # noqa: PTH116 - bytes
    except OSError as error:
        return error
    return PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def not_found(name: str) -> CannotStart:
    """The refusal of a program that is not there."""
    return CannotStart(f"command not found: {name}", NOT_FOUND)


def too_long(words: Sequence[str]) -> CannotStart:
    """The refusal of a command line that, with its environment, no process can be given."""
    count = max(map(len, words))
    text = f"the command and its environment are too long ({count} characters)"
    return CannotStart(text, NOT_EXECUTABLE)


def refused(name: str, path: str, error: OSError) -> OSError | CannotStart:
    """The refusal of a program that exec did not take; the error itself if it is another's."""
    if error.errno == errno.ENOENT:
        if os.path.exists(path.encode()):  # noqa: PTH110 - bytes
            return CannotStart(f"{path}: its interpreter is missing", NOT_FOUND)
        return not_found(name)
    if error.errno in _ITS_OWN:
        return CannotStart(f"{path}: {error.strerror}", NOT_EXECUTABLE)
    return error


@functools.cache
def _sh_is_known() -> bool:
    return os.path.basename(os.path.realpath(SH)) in {"dash", "bash"}  # noqa: PTH119


def _may_run(path: str) -> bool:
    name = path.encode()
    return os.access(name, os.X_OK, effective_ids=True) and not os.path.isdir(name)  # noqa: PTH112
