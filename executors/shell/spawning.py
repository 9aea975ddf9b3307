"""Starts processes, by posix_spawn alone.

Every other way that Python offers forks, which costs several times as much and grows with the
host. The working directory is the one thing posix_spawn cannot set: the host, which has a single
thread, steps into it for the moment of the spawn.
"""

from __future__ import annotations

import errno
import os
import pwd
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tocsin.execution import Order, Sink

from .command_line import plain_words
from .exit_watch import ExitWatch
from ..output_files import APPEND, FILE_MODE, OutputFiles
from .process_tree import ProcessScans
from ..refusal import CannotStart
from .config import ShellConfig
from .process import ShellProcess

SH: Final = "/bin/sh"
DEFAULT_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
NOT_FOUND: Final = 127
NOT_EXECUTABLE: Final = 126

_Actions = list[tuple[int, int, str, int, int] | tuple[int, int, int]]


class Spawner:
    """Starts the shell executor's processes. Make it in the host's directory, and in its loop."""

    def __init__(self) -> None:
        self._host_dir = os.open(".", os.O_PATH | os.O_DIRECTORY)
        self._env = clean_environment()
        self._home = self._env["HOME"] if os.path.isdir(self._env["HOME"]) else "/"  # noqa: PTH112
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
        cwd = self._directory(config.cwd)
        env = {**self._env, "PWD": cwd, **order.env}
        text_fd = None if config.stdin is None else _readable(config.stdin)
        try:
            actions = _streams(text_fd, sink)
            try:
                os.chdir(cwd.encode())
            except OSError as error:
                raise CannotStart(f"cwd {cwd!r}: {error.strerror}") from error
            try:
                pid = self._start(config, env, actions)
            except OSError as error:
                _check_outputs(sink)
                raise CannotStart(f"cannot start a process: {error.strerror}") from error
            finally:
                os.fchdir(self._host_dir)
        finally:
            if text_fd is not None:
                os.close(text_fd)
        return ShellProcess(pid, order.key, config.success_codes, self._exits, self._scans)

    def _start(self, config: ShellConfig, env: Mapping[str, str], actions: _Actions) -> int:
        if config.argv is not None:
            return self._start_program(config.argv, env, actions)
        command = config.command or ""
        words = plain_words(command) if self._plain_sh else None
        if words is not None and not any(name.startswith("BASH_FUNC_") for name in env):
            path = _find(words[0], env["PATH"])
            if path is not None:
                try:
                    return self._posix_spawn(path, words, env, actions)
                except OSError:
                    pass  # the shell has its own words, and its own cures, for each cause
        dashes = ("--",) if command[:1] in {"-", "+"} else ()
        try:
            return self._posix_spawn(SH, ("sh", "-c", *dashes, command), env, actions)
        except OSError as error:
            if error.errno == errno.E2BIG:
                text = f"the command and its environment are too long ({len(command)} characters)"
                raise CannotStart(text, NOT_EXECUTABLE) from error
            raise

    def _start_program(self, argv: Sequence[str], env: Mapping[str, str], actions: _Actions) -> int:
        program = argv[0]
        path = _find(program, env["PATH"])
        if path is None:
            raise CannotStart(f"command not found: {program}", NOT_FOUND)
        try:
            return self._posix_spawn(path, argv, env, actions)
        except FileNotFoundError as error:
            if os.path.exists(path.encode()):  # noqa: PTH110 - bytes
                raise CannotStart(f"{path}: its interpreter is missing", NOT_FOUND) from error
            raise CannotStart(f"command not found: {program}", NOT_FOUND) from error
        except OSError as error:
            if error.errno in {errno.EACCES, errno.ENOEXEC, errno.E2BIG, errno.ENOTDIR}:
                raise CannotStart(f"{path}: {error.strerror}", NOT_EXECUTABLE) from error
            raise

    def _posix_spawn(
        self, path: str, argv: Sequence[str], env: Mapping[str, str], actions: _Actions
    ) -> int:
        # As UTF-8 whatever the host's locale: that is what the job file was written in.
        return os.posix_spawn(
            path.encode(),
            [word.encode() for word in argv],
            {name.encode(): value.encode() for name, value in env.items()},
            file_actions=actions,
            setsid=True,
            setsigmask=(),
            setsigdef=self._ignored,
        )

    def _directory(self, cwd: str | None) -> str:
        if cwd is None or cwd == "~":
            return self._home
        return os.path.join(self._home, cwd.removeprefix("~/"))  # noqa: PTH118 - keeps `..`


def clean_environment() -> dict[str, str]:
    """What a job finds in its environment unless it is told otherwise: as little as under cron."""
    try:
        user = pwd.getpwuid(os.getuid())
        name, home = user.pw_name, user.pw_dir
    except KeyError:  # a uid without a name, as in containers
        name, home = str(os.getuid()), "/"
    return {
        "PATH": DEFAULT_PATH,
        "HOME": home,
        "USER": name,
        "LOGNAME": name,
        "SHELL": SH,
        "LANG": os.environ.get("LANG", "C.UTF-8"),
    }


def _streams(text_fd: int | None, sink: Sink) -> _Actions:
    # Paths cost more than all else that is Python here.
    out, err = sink.lend() if isinstance(sink, OutputFiles) else (sink.stdout, sink.stderr)
    return [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
        if text_fd is None
        else (os.POSIX_SPAWN_DUP2, text_fd, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.fspath(out), APPEND, FILE_MODE),
        (os.POSIX_SPAWN_OPEN, 2, os.fspath(err), APPEND, FILE_MODE),
    ]


def _readable(text: str) -> int:
    """A file without a name that holds `text`: a pipe would block beyond 64 KiB."""
    fd = os.memfd_create("stdin")
    try:
        left = memoryview(text.encode())
        while left:
            left = left[os.write(fd, left) :]
        os.lseek(fd, 0, os.SEEK_SET)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _find(program: str, search: str) -> str | None:
    """The path that exec would take for `program`, looked up from the current directory."""
    if "/" in program:
        return program
    for folder in search.split(":"):
        path = f"{folder or '.'}/{program}"
        if os.access(path.encode(), os.X_OK) and not os.path.isdir(path.encode()):  # noqa: PTH112
            return path
    return None


def _check_outputs(sink: Sink) -> None:
    # posix_spawn says that something failed in the child, but not what.
    for path in (sink.stdout, sink.stderr):
        try:
            os.close(os.open(path, APPEND | os.O_CLOEXEC, FILE_MODE))
        except OSError as error:
            raise CannotStart(f"the output file {Path(path).name}: {error.strerror}") from error
