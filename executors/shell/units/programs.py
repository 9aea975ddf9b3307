"""What a unit executes, and with which variables.

Nothing of a job stands in the unit itself but what means the same however often systemd writes and
reads it: when it reloads its units between the making of one and its start, it starts what it has
read back, and quotes, semicolons and dollars come back as something else (seen with 252). All else
goes by way of variables, and these by way of a file that only systemd reads, and once. So a secret
is not to be seen in a unit either.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from tocsin.execution import Order
from tocsin.executors.refusal import CannotStart
from tocsin.executors.shell.command_line import shell_words
from tocsin.executors.shell.config import ShellConfig
from tocsin.executors.shell.exit_status import NOT_EXECUTABLE
from tocsin.executors.shell.identity import SH
from tocsin.executors.shell.program import can_run, known_program, plain_program, too_long
from tocsin.executors.shell.surroundings import Surroundings
from tocsin.executors.shell.wrapping import as_user, tool

from .failures import check_image, is_binary

LAUNCHER: Final = "/run/tocsin-launch.sh"
"""A script that everybody may read, made by the host: it puts the words of a program together."""
LAUNCHER_TEXT: Final = 'eval "$TOCSIN_LAUNCH"\n'
WORD_BYTES_MAX: Final = (128 << 10) - 64
"""Of one word or variable, see MAX_ARG_STRLEN in execve(2); with room for a variable's name."""
WORDS_BYTES_MAX: Final = 2 << 20
"""Of all of them, with the usual stack."""
_PLAIN: Final = re.compile(r"[A-Za-z0-9_./:,+@=-]+", re.ASCII)
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


class Program(NamedTuple):
    """A program, its words, the variables it finds, and where."""

    path: str
    argv: list[str]
    env: dict[str, str]
    cwd: str
    in_front: list[str]
    """Words of programs that stand in front of the run's own."""


def program_of(order: Order, config: ShellConfig, around: Surroundings) -> Program:
    """What is executed for an order; to be called in its working directory.

    Raises:
        CannotStart: its program cannot be run.
    """
    cwd = os.getcwd()  # noqa: PTH109 - text
    path, argv = _words(config, around)
    path = os.path.join(cwd, path)  # noqa: PTH118 - text
    _check(path, argv, config, around.env)
    env = {name: value for name, value in around.env.items() if _VARIABLE.fullmatch(name)}
    odd = [f"{name}={value}" for name, value in around.env.items() if name not in env]
    moves = [] if is_plain(cwd) else [f"--chdir={cwd}"]
    in_front = [tool("env", "env"), *moves, "--", *odd] if odd or moves else []
    if config.groups is not None:
        in_front += as_user(around.who)
    if in_front:
        path, argv = in_front[0], [*in_front, path, *argv[1:]]
    secrets = [around.env[name] for name in order.secrets if around.env[name]]
    if any(not is_plain(word) or any(it in word for it in secrets) for word in (path, *argv)):
        words = {f"TOCSIN_WORD_{n}": word for n, word in enumerate([path, *argv[1:]])}
        env.update(words, TOCSIN_LAUNCH=_launch(list(words)))
        in_front = [LAUNCHER, *in_front]
        path, argv = SH, ["sh", LAUNCHER]
    return Program(path, argv, env, "/" if moves else cwd, in_front)


def is_plain(text: str) -> bool:
    """Whether a text means the same to systemd however often it is written and read."""
    return _PLAIN.fullmatch(text) is not None


def install_launcher() -> None:
    """Make the script that puts words together, if it is not there, for everybody to read."""
    path = Path(LAUNCHER)
    with contextlib.suppress(OSError):
        if path.read_text(encoding="ascii") == LAUNCHER_TEXT:
            return
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_text(LAUNCHER_TEXT, encoding="ascii")
    fresh.chmod(0o644)
    fresh.rename(path)


def _launch(names: list[str]) -> str:
    values = " ".join(f'"${name}"' for name in names)
    return f'set -- {values}; unset {" ".join(names)} TOCSIN_LAUNCH; exec "$@"'


def _words(config: ShellConfig, around: Surroundings) -> tuple[str, list[str]]:
    if config.argv is not None and not config.login:
        path = known_program(config.argv[0], around)
        check_image(path)
        return path, config.argv
    plain = plain_program(config, around)
    if plain is not None and is_binary(plain[0]) and can_run(plain[0], around):
        return plain[0], list(plain[1])
    return SH, shell_words(config.command, config.argv, login=config.login)


def _check(path: str, argv: list[str], config: ShellConfig, env: Mapping[str, str]) -> None:
    for name, value in env.items():
        if not name or "=" in name or "\0" in name or "\0" in value:
            raise CannotStart(f"cannot start a process: the variable {name!r} cannot be set")
    variables = (f"{name}={value}" for name, value in env.items())
    sizes = [len(word.encode()) + 1 for word in (*argv, *variables)]
    if max(sizes) > WORD_BYTES_MAX or sum(sizes) > WORDS_BYTES_MAX:
        if config.argv is None:
            raise too_long(argv)
        raise CannotStart(f"{path}: {os.strerror(errno.E2BIG)}", NOT_EXECUTABLE)
