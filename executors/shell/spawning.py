"""Starts processes, by posix_spawn alone.

Every other way that Python offers forks, which costs several times as much and grows with the
host. What posix_spawn cannot set, the host, which has a single thread, sets for itself for the
moment of the spawn (working directory, umask, limit of descriptors), or a program in front of the
job's does.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from tocsin.execution import Order, Sink
from tocsin.executors.output_files import APPEND, FILE_MODE
from tocsin.executors.process_tree import ProcessScans
from tocsin.executors.refusal import CannotStart

from .command_line import shell_words
from .config import ShellConfig
from .descriptors import DescriptorLimit
from .exit_watch import ExitWatch
from .identity import SH, runner_of
from .outputs import made_ready, names_of
from .process import ShellProcess, Terms
from .program import find_program, known_program, not_found, plain_program, refused, too_long
from .surroundings import Surroundings, enter, open_input, surroundings
from .wrapping import FAILURES, own_words, wrapping

NOT_ENFORCED: Final = {"limits": "not enforced: the run is no systemd unit"}
_SPEAKS_UTF8: Final = sys.getfilesystemencoding() == "utf-8"
_NO_FACTS: Final[dict[str, Any]] = {}

_Actions = list[tuple[int, int, str, int, int] | tuple[int, int, int]]


class Spawner:
    """Starts the shell executor's processes. Make it in the host's directory, and in its loop."""

    def __init__(self, exits: ExitWatch, scans: ProcessScans) -> None:
        self._exits = exits
        self._scans = scans
        self._descriptors = DescriptorLimit()
        self._host_dir = os.open(".", os.O_PATH | os.O_DIRECTORY)
        # What is ignored stays ignored across an exec; handlers do not.
        self._ignored = [n for n in signal.valid_signals() if signal.getsignal(n) is signal.SIG_IGN]

    def spawn(self, order: Order, config: ShellConfig, sink: Sink) -> ShellProcess:
        """Start the process of one attempt.

        Raises:
            CannotStart: and says why in one line.
        """
        who = runner_of(order, config)
        wrapped = wrapping(config, who)
        around = surroundings(who, order, config)
        out, err = names_of(sink)
        said_bytes = made_ready(out, err) if wrapped or config.umask is not None else 0
        enter(around)
        stdin = None
        try:
            stdin = open_input(config, who)
            actions = _streams(stdin, out, err)
            if config.umask is None:
                pid = self._start(config, around, wrapped, actions)
            else:
                with _umask(config.umask):
                    pid = self._start(config, around, wrapped, actions)
        except ValueError as error:  # a name or a value that no variable can have
            raise CannotStart(f"cannot start a process: {error}") from error
        except OSError as error:
            made_ready(out, err)  # posix_spawn says that something failed in the child, not what
            raise CannotStart(f"cannot start a process: {error.strerror}") from error
        finally:
            os.fchdir(self._host_dir)
            if stdin is not None:
                os.close(stdin)

        def complaint(code: int) -> str:
            return own_words(wrapped, err, said_bytes) if code in FAILURES else ""

        facts = _NO_FACTS if order.limits is None else NOT_ENFORCED
        terms = Terms(order.key, config.success_codes, facts, complaint if wrapped else None)
        return ShellProcess(pid, terms, self._exits, self._scans)

    def _start(
        self, config: ShellConfig, around: Surroundings, wrapped: list[str], actions: _Actions
    ) -> int:
        if config.argv is not None and not config.login:
            return self._start_program(config.argv, around, wrapped, actions)
        pid = None if wrapped else self._start_plainly(config, around, actions)
        if pid is not None:
            return pid
        words = shell_words(config.command, config.argv, login=config.login)
        if wrapped:
            words = [*wrapped, SH, *words[1:]]
        try:
            return self._posix_spawn(wrapped[0] if wrapped else SH, words, around, actions)
        except OSError as error:
            if error.errno == errno.E2BIG:
                raise too_long(words) from error
            raise

    def _start_plainly(
        self, config: ShellConfig, around: Surroundings, actions: _Actions
    ) -> int | None:
        program = plain_program(config, around)
        if program is None:
            return None
        try:
            return self._posix_spawn(*program, around, actions)
        except OSError:
            return None  # the shell has its own words, and its own cures, for each cause

    def _start_program(
        self, argv: list[str], around: Surroundings, wrapped: list[str], actions: _Actions
    ) -> int:
        if wrapped:
            known_program(argv[0], around)
            return self._posix_spawn(wrapped[0], [*wrapped, *argv], around, actions)
        path = find_program(argv[0], around)
        if path is None:
            raise not_found(argv[0])
        try:
            return self._posix_spawn(path, argv, around, actions)
        except OSError as error:
            raise refused(argv[0], path, error) from error

    def _posix_spawn(
        self, path: str, argv: list[str] | tuple[str, ...], around: Surroundings, actions: _Actions
    ) -> int:
        env: Mapping[Any, Any] = around.env
        if not _SPEAKS_UTF8:
            path, argv, env = _encoded(path, argv, around.env)
        self._descriptors.lower()
        try:
            return os.posix_spawn(
                path,
                argv,
                env,
                file_actions=actions,
                setsid=True,
                setsigmask=(),
                setsigdef=self._ignored,
            )
        finally:
            self._descriptors.raise_own()


def _encoded(path: str, argv: Sequence[str], env: Mapping[str, str]) -> tuple[Any, Any, Any]:
    """As UTF-8, whatever the host's locale: that is what the job file was written in."""
    variables = {name.encode(): value.encode() for name, value in env.items()}
    return path.encode(), [word.encode() for word in argv], variables


def _streams(stdin: int | None, out: str, err: str) -> _Actions:
    return [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
        if stdin is None
        else (os.POSIX_SPAWN_DUP2, stdin, 0),
        (os.POSIX_SPAWN_OPEN, 1, out, APPEND, FILE_MODE),
        (os.POSIX_SPAWN_OPEN, 2, err, APPEND, FILE_MODE),
    ]


@contextlib.contextmanager
def _umask(octal: str) -> Iterator[None]:
    before = os.umask(int(octal, 8))
    try:
        yield
    finally:
        os.umask(before)
