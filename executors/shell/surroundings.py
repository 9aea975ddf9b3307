"""What a process finds: its working directory, its environment, and its program in it."""

from __future__ import annotations

import functools
import os
import stat
from typing import Final, NamedTuple

from tocsin.execution import Order
from tocsin.executors.refusal import CannotStart

from .config import ShellConfig
from .identity import SH, Identity, acting_as, own_identity

DEFAULT_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_MARKS: Final = ("TOCSIN_RUN_ID", "TOCSIN_ATTEMPT")
"""By these the processes of a run are known: no job may change them."""


class Surroundings(NamedTuple):
    """What is settled before a process starts."""

    who: Identity
    cwd: str
    env: dict[str, str]


def surroundings(who: Identity, order: Order, config: ShellConfig) -> Surroundings:
    """As little as under cron, and what the job says on top."""
    cwd = _directory(who, config.cwd)
    env = {**_usual(who, login=config.login), "PWD": cwd, **order.env}
    if config.env:
        env.update(config.env)
        env.update((mark, order.env[mark]) for mark in _MARKS if mark in order.env)
    return Surroundings(who, cwd, env)


@functools.lru_cache(maxsize=64)
def _usual(who: Identity, *, login: bool) -> dict[str, str]:
    own_shell = login or who.uid != own_identity().uid
    return {
        "PATH": DEFAULT_PATH,
        "HOME": who.home,
        "USER": who.name,
        "LOGNAME": who.name,
        "SHELL": who.shell if own_shell else SH,
        "LANG": os.environ.get("LANG", "C.UTF-8"),
    }


def _directory(who: Identity, cwd: str | None) -> str:
    if cwd is not None and cwd.startswith("/"):
        return cwd
    home = who.home if os.path.isdir(who.home) else "/"  # noqa: PTH112
    if cwd is None or cwd == "~":
        return home
    return os.path.join(home, cwd.removeprefix("~/"))  # noqa: PTH118 - keeps `..`


def enter(around: Surroundings) -> None:
    """Step into the working directory, as far as its user may.

    Raises:
        CannotStart: it cannot be entered.
    """
    try:
        if around.who is own_identity():
            os.chdir(around.cwd.encode())
        else:
            with acting_as(around.who):
                os.chdir(around.cwd.encode())
    except OSError as error:
        raise CannotStart(f"cwd {around.cwd!r}: {error.strerror}") from error


def open_input(config: ShellConfig, who: Identity) -> int | None:
    """A file for a process to read, opened as its user may, from the current directory.

    Raises:
        CannotStart: it is not there, not theirs to read, or might block.
    """
    if config.stdin is not None:
        return nameless_file(config.stdin)
    return None if config.stdin_file is None else _file_input(config.stdin_file, who)


def _file_input(path: str, who: Identity) -> int:
    try:
        with acting_as(who):
            fd = os.open(path.encode(), os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise CannotStart(f"stdin_file {path!r}: {error.strerror}") from error
    mode = os.fstat(fd).st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISCHR(mode)):
        os.close(fd)
        raise CannotStart(f"stdin_file {path!r} is neither a file nor a device")
    os.set_blocking(fd, True)
    return fd


def nameless_file(text: str) -> int:
    """A file in memory that holds `text`: a pipe would block beyond 64 KiB."""
    fd = os.memfd_create("tocsin")
    try:
        left = memoryview(text.encode())
        while left:
            left = left[os.write(fd, left) :]
        os.lseek(fd, 0, os.SEEK_SET)
    except BaseException:
        os.close(fd)
        raise
    return fd
