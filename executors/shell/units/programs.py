"""What a unit executes, and with which variables, so that nobody reads a secret off it."""

from __future__ import annotations

import errno
import os
import shlex
from typing import Final, NamedTuple

from tocsin.execution import Order
from tocsin.executors.refusal import CannotStart
from tocsin.executors.shell.command_line import shell_words
from tocsin.executors.shell.config import ShellConfig
from tocsin.executors.shell.exit_status import NOT_EXECUTABLE
from tocsin.executors.shell.identity import SH
from tocsin.executors.shell.program import known_program, plain_program, too_long
from tocsin.executors.shell.surroundings import Surroundings
from tocsin.executors.shell.wrapping import as_user, tool

from .failures import is_image
from .properties import Program, Variables, divided, secret_values

WORD_BYTES_MAX: Final = (128 << 10) - 1
"""Of one argument or variable, see MAX_ARG_STRLEN in execve(2)."""
WORDS_BYTES_MAX: Final = 2 << 20
"""Of all of them, with the usual stack."""
_VEIL: Final = "TOCSIN_ARGV"
_UNVEIL: Final = f'eval "unset {_VEIL}; exec ${_VEIL}"'


class Words(NamedTuple):
    """A program, and the variables that it finds."""

    program: Program
    variables: Variables
    wrapped: list[str]
    """The words of it that are programs in front of the run's own."""


def words_of(order: Order, config: ShellConfig, around: Surroundings) -> Words:
    """What is executed for an order; to be called in its working directory.

    Raises:
        CannotStart: its program cannot be run.
    """
    path, argv = _program(config, around)
    path = os.path.join(os.getcwd(), path)  # noqa: PTH109, PTH118 - text
    for name, value in around.env.items():
        if not name or "=" in name or "\0" in name or "\0" in value:
            raise CannotStart(f"cannot start a process: the variable {name!r} cannot be set")
    variables = divided(around.env, order.secrets)
    wrapped: list[str] = []
    if variables.odd:
        wrapped += [tool("env", "env"), *(f"{name}={it}" for name, it in variables.odd.items())]
    if config.groups is not None:
        wrapped += as_user(around.who)
    if _is_too_much([*wrapped, *argv], around):
        if config.argv is not None:
            raise CannotStart(f"{path}: {os.strerror(errno.E2BIG)}", NOT_EXECUTABLE)
        raise too_long(argv)
    if wrapped:
        path, argv = wrapped[0], [*wrapped, path, *argv[1:]]
    secrets = secret_values(around.env, order.secrets)
    if any(secret in word for secret in secrets for word in argv):
        variables.hidden[_VEIL] = shlex.join([path, *argv[1:]])
        path, argv = SH, ["sh", "-c", _UNVEIL]
    return Words(Program(path, argv), variables, wrapped)


def _program(config: ShellConfig, around: Surroundings) -> tuple[str, list[str]]:
    if config.argv is not None and not config.login:
        return known_program(config.argv[0], around), config.argv
    plain = plain_program(config, around)
    if plain is not None and is_image(plain[0]) and os.access(plain[0].encode(), os.X_OK):
        return plain[0], list(plain[1])
    return SH, shell_words(config.command, config.argv, login=config.login)


def _is_too_much(argv: list[str], around: Surroundings) -> bool:
    variables = (f"{name}={value}" for name, value in around.env.items())
    sizes = [len(word.encode()) + 1 for word in (*argv, *variables)]
    return max(sizes) > WORD_BYTES_MAX or sum(sizes) > WORDS_BYTES_MAX
