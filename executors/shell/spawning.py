"""Starts processes, by posix_spawn alone.

Every other way that Python offers forks, which costs several times as much and grows with the
host. What posix_spawn cannot set, the host, which has a single thread, sets for itself for the
moment of the spawn (working directory, umask), or a program in front of the job's does.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
from collections.abc import Iterator, Sequence
from typing import Any, Final

from tocsin.execution import Order, Sink
from tocsin.executors.output_files import APPEND, FILE_MODE, OutputFiles
from tocsin.executors.refusal import CannotStart

from .command_line import plain_words, shell_words
from .config import ShellConfig
from .exit_status import NOT_EXECUTABLE
from .exit_watch import ExitWatch
from .identity import SH, runner_of
from .process import ShellProcess, Terms
from .process_tree import ProcessScans
from .program import find_program, known_program, not_found, refused
from .surroundings import Surroundings, enter, open_input, surroundings
from .wrapping import FAILURES, own_words, wrapping

NOT_ENFORCED: Final = {"limits": "not enforced: the run is no systemd unit"}
_NO_FACTS: Final[dict[str, Any]] = {}

_Actions = list[tuple[int, int, str, int, int] | tuple[int, int, int]]


class Spawner:
    """Starts the shell executor's processes. Make it in the host's directory, and in its loop."""

    def __init__(self) -> None:
        self._host_dir = os.open(".", os.O_PATH | os.O_DIRECTORY)
        # What is ignored stays ignored across an exec; handlers do not.
        self._ignored = [n for n in signal.valid_signals() if signal.getsignal(n) is signal.SIG_IGN]
        self._plain_sh = os.path.basename(os.path.realpath(SH)) in {"dash", "bash"}  # noqa: PTH119
        self._exits = ExitWatch()
        self._scans = ProcessScans()

    def spawn(self, order: Order, config: ShellConfig, sink: Sink) -> ShellProcess:
        """Start the process of one attempt.

        Raises:
            CannotStart: and says why in one line.
        """
        who = runner_of(order, config)
        wrapped = wrapping(config, who)
        around = surroundings(who, order, config)
        out, err = sink.lend() if isinstance(sink, OutputFiles) else _names(sink)
        said_bytes = _made_ready(out, err) if wrapped or config.umask is not None else 0
        enter(around)
        try:
            with open_input(config, who) as stdin, _umask(config.umask):
                pid = self._start(config, around, wrapped, _streams(stdin, out, err))
        except OSError as error:
            _made_ready(out, err)
            raise CannotStart(f"cannot start a process: {error.strerror}") from error
        finally:
            os.fchdir(self._host_dir)

        def complaint(code: int) -> str:
            return own_words(wrapped, err, said_bytes) if code in FAILURES else ""

        facts = _NO_FACTS if order.limits is None else NOT_ENFORCED
        terms = Terms(order.key, config.success_codes, facts, complaint if wrapped else None)
        return ShellProcess(pid, terms, self._exits, self._scans)

    def _start(
        self,
        config: ShellConfig,
        around: Surroundings,
        wrapped: list[str],
        actions: _Actions,
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
                count = sum(map(len, words))
                text = f"the command and its environment are too long ({count} characters)"
                raise CannotStart(text, NOT_EXECUTABLE) from error
            raise

    def _start_plainly(
        self, config: ShellConfig, around: Surroundings, actions: _Actions
    ) -> int | None:
        """Start a command line that needs no shell without one; None when it needs one."""
        if not self._plain_sh or config.login or config.command is None:
            return None
        words = plain_words(config.command)
        if words is None or any(name.startswith("BASH_FUNC_") for name in around.env):
            return None
        path = find_program(words[0], around)
        if path is None:
            return None
        try:
            return self._posix_spawn(path, words, around, actions)
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
        self, path: str, argv: Sequence[str], around: Surroundings, actions: _Actions
    ) -> int:
        # As UTF-8 whatever the host's locale: that is what the job file was written in.
        return os.posix_spawn(
            path.encode(),
            [word.encode() for word in argv],
            {name.encode(): value.encode() for name, value in around.env.items()},
            file_actions=actions,
            setsid=True,
            setsigmask=(),
            setsigdef=self._ignored,
        )


def _names(sink: Sink) -> tuple[str, str]:
    return os.fspath(sink.stdout), os.fspath(sink.stderr)


def _streams(stdin: int | None, out: str, err: str) -> _Actions:
    return [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
        if stdin is None
        else (os.POSIX_SPAWN_DUP2, stdin, 0),
        (os.POSIX_SPAWN_OPEN, 1, out, APPEND, FILE_MODE),
        (os.POSIX_SPAWN_OPEN, 2, err, APPEND, FILE_MODE),
    ]


def _made_ready(out: str, err: str) -> int:
    """Make both output files, whatever umask follows; the size of the second.

    It is also how to find out what was wrong with them: posix_spawn says only that something was.
    """
    size = 0
    for path in (out, err):
        try:
            fd = os.open(path, APPEND | os.O_CLOEXEC, FILE_MODE)
        except OSError as error:
            name = os.path.basename(path)  # noqa: PTH119
            raise CannotStart(f"the output file {name}: {error.strerror}") from error
        size = os.fstat(fd).st_size
        os.close(fd)
    return size


@contextlib.contextmanager
def _umask(octal: str | None) -> Iterator[None]:
    if octal is None:
        yield
        return
    before = os.umask(int(octal, 8))
    try:
        yield
    finally:
        os.umask(before)
