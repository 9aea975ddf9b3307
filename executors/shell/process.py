"""One process of the shell executor, from its spawn to its outcome."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
from collections.abc import Collection
from typing import Final

from tocsin.errors import ExecutorError
from tocsin.execution import AttemptKey, Outcome, Status

from .exit_watch import ExitWatch
from .peak_memory import PeakMemory
from .process_tree import ProcessScans, RunMark, end_tree, read_process

SIGNAL_BASE: Final = 128
"""A shell's exit code for a death by signal n is this plus n."""
_MEANINGS: Final = {126: "not executable", 127: "command not found"}
_peaks: Final = PeakMemory()
"""One for the process: all attempts have the same parent."""


class ShellProcess:
    """A process under way; its end is seen through a pidfd in the loop."""

    __slots__ = (
        "_cancelled", "_end", "_exits", "_key", "_pid", "_pidfd", "_scans", "_success",
    )  # fmt: skip

    def __init__(
        self,
        pid: int,
        key: AttemptKey,
        success_codes: Collection[int],
        exits: ExitWatch,
        scans: ProcessScans,
    ) -> None:
        self._pid = pid
        self._key = key
        self._success = success_codes
        self._exits = exits
        self._scans = scans
        self._cancelled = False
        self._end: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        try:
            self._pidfd = os.pidfd_open(pid)
        except OSError as error:  # no descriptor is left to see its end by
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise ExecutorError(f"cannot watch a process: {error.strerror}") from error
        exits.add(self._pidfd, self._on_exit)

    async def wait(self) -> Outcome:
        """Wait for the process's own end; what it left in the background goes on."""
        return await self._end

    async def cancel(self, grace_s: float) -> None:
        """End the whole tree: SIGTERM, and SIGKILL for what is left of it after the grace."""
        if self._cancelled or self._end.done() or self._has_ended():
            return  # it was faster, and its own end is what happened
        self._cancelled = True
        survivors = await end_tree(self._pid, RunMark.of(self._key), self._scans, grace_s)
        if survivors and not self._end.done():
            text = f"SIGKILL does not end process {', '.join(map(str, survivors))}"
            self._end.set_result(Outcome(Status.CANCELLED, message=text))
        if self._has_ended():
            self._reap()

    def handle(self) -> bytes | None:
        """The process's id and start time, which together name it until the next boot."""
        process = read_process(self._pid)
        return None if process is None else f"{self._pid} {process.started_ticks}".encode()

    def _has_ended(self) -> bool:
        how = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PIDFD, self._pidfd, how) is not None

    def _on_exit(self) -> None:
        if self._cancelled and not self._end.done():
            self._exits.remove(self._pidfd)  # reaped when its tree is gone, see process_tree
        else:
            self._reap()

    def _reap(self) -> None:
        self._exits.closing(self._pidfd)
        _, status, usage = os.wait4(self._pid, 0)
        os.close(self._pidfd)
        if not self._end.done():
            self._end.set_result(self._outcome(status, usage))

    def _outcome(self, wait_status: int, usage: resource.struct_rusage) -> Outcome:
        code = os.waitstatus_to_exitcode(wait_status)
        message = ""
        if code < 0:
            message = f"killed by {_signal_name(-code)}"
            code = SIGNAL_BASE - code
        if self._cancelled:
            status = Status.CANCELLED
        elif code in self._success:
            status, message = Status.SUCCEEDED, ""
        else:
            status = Status.FAILED
            if not message:
                meaning = _MEANINGS.get(code)
                message = f"exit code {code} ({meaning})" if meaning else f"exit code {code}"
        cpu_us = round((usage.ru_utime + usage.ru_stime) * 1e6)
        return Outcome(status, code, message, {}, _peaks.of_child(usage.ru_maxrss), cpu_us)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal has no name
        return f"signal {number}"
