"""One program under way: given its request, heard line by line, judged at its end."""

from __future__ import annotations

import array
import asyncio
import fcntl
import os
import termios
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from tocsin.errors import ExecutorError
from tocsin.execution import Order, Outcome, Sink
from tocsin.executors.process_tree import ProcessScans
from tocsin.executors.shell.config import ShellConfig
from tocsin.executors.shell.exit_watch import ExitWatch
from tocsin.executors.shell.process import ShellProcess
from tocsin.executors.shell.spawning import Spawner

from .account import Account
from .config import ExecConfig
from .lines import LineSplitter, read_line
from .request import request_text

READ_BYTES_MAX: Final = 64 << 10


def spawner() -> Spawner:
    """What starts the programs of one host."""
    return Spawner(ExitWatch(), ProcessScans())


class Program:
    """A program as the shell executor runs one, but for its streams. Make it inside the loop.

    Raises:
        ExecutorError: from the constructor; it cannot be started, and nothing is left behind.
    """

    def __init__(self, spawner: Spawner, order: Order, config: ExecConfig, sink: Sink) -> None:
        self._sink = sink
        self._account = Account()
        self._splitter = LineSplitter()
        self._intakes: list[_Intake] = []
        try:
            out = self._pipe(self._hear)
            # Only what passes through here is masked; else the program has the file itself.
            err = self._pipe(self._hear_error) if order.secrets else sink.stderr
            shell_config = ShellConfig(
                argv=[config.program, *config.args],
                cwd=config.cwd,
                stdin=request_text(order, config.config),
            )
            self._process: ShellProcess = spawner.spawn(order, shell_config, _Streams(out, err))
        except BaseException:
            self._close()
            raise
        for intake in self._intakes:
            intake.begin()

    def _pipe(self, heard: Callable[[bytes], None]) -> Path:
        try:
            intake = _Intake(heard)
        except OSError as error:
            raise ExecutorError(f"cannot make a pipe: {error.strerror}") from error
        self._intakes.append(intake)
        return intake.path

    async def wait(self) -> Outcome:
        """Wait for the program's own end; what it left in the background cannot print any more."""
        try:
            end = await self._process.wait()
            for intake in self._intakes:
                intake.read_rest()
            self._take(self._splitter.rest())
        finally:
            self._close()
        return self._account.settle(end)

    async def cancel(self, grace_s: float) -> None:
        """End the whole tree: SIGTERM, and SIGKILL for what is left of it after the grace."""
        await self._process.cancel(grace_s)

    def handle(self) -> bytes | None:
        """Its pipes end with the host."""
        return None

    def _close(self) -> None:
        for intake in self._intakes:
            intake.close()

    # What it writes.

    def _hear(self, data: bytes) -> None:
        self._take(self._splitter.feed(data))

    def _hear_error(self, data: bytes) -> None:
        self._write(data, stderr=True)

    def _take(self, pieces: Iterator[tuple[bytes, bool]]) -> None:
        for piece, may_speak in pieces:
            if not may_speak or not self._understand(piece):
                self._write(piece)

    def _understand(self, piece: bytes) -> bool:
        """Do what a line says; False where it says nothing, and is output."""
        try:
            line = read_line(piece)
        except ValueError as error:
            self._account.hear_wrong(str(error))
            return False
        if line is None:
            self._account.invalid_lines += 1
            return False
        if data := line.data():
            self._write(data, stderr=line.stream == "stderr")
        self._account.hear(line)
        return True

    def _write(self, data: bytes, *, stderr: bool = False) -> None:
        try:
            self._sink.write(data, stderr=stderr)
        except OSError as error:  # it is heard on, so that it does not block
            self._account.lost = self._account.lost or error.strerror or str(error)


class _Streams:
    """What the program gets in place of the sink's files; it writes to nothing itself."""

    def __init__(self, stdout: Path, stderr: Path) -> None:
        self.stdout = stdout
        self.stderr = stderr

    def write(self, data: bytes, *, stderr: bool = False) -> None:
        raise NotImplementedError


class _Intake:
    """The reading end of a pipe, read by the loop as fast as what is read can be dealt with."""

    def __init__(self, heard: Callable[[bytes], None]) -> None:
        self._heard = heard
        self._loop = asyncio.get_running_loop()
        self._fd, self._write_end = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    @property
    def path(self) -> Path:
        """Opens the writing end, in the process that is being spawned."""
        return Path(f"/proc/self/fd/{self._write_end}")

    def begin(self) -> None:
        """Hear what comes; the process has its end of the pipe."""
        self._drop_write_end()
        self._loop.add_reader(self._fd, self._read)

    def _read(self) -> None:
        try:
            data = os.read(self._fd, READ_BYTES_MAX)
        except BlockingIOError:
            return
        if data:
            self._heard(data)
        else:
            self.close()

    def read_rest(self) -> None:
        """Hear what is in the pipe now. A process in the background could fill it for ever."""
        if self._fd < 0:
            return
        size = array.array("i", [0])
        fcntl.ioctl(self._fd, termios.FIONREAD, size)
        left = size[0]
        while left > 0 and (data := os.read(self._fd, min(left, READ_BYTES_MAX))):
            left -= len(data)
            self._heard(data)

    def close(self) -> None:
        """Hear no more."""
        self._drop_write_end()
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1

    def _drop_write_end(self) -> None:
        if self._write_end >= 0:
            os.close(self._write_end)
            self._write_end = -1
