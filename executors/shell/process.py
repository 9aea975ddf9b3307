"""One process of the shell executor, from its spawn to its outcome."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
from collections.abc import Callable, Collection
from typing import Any, Final, NamedTuple

from tocsin.errors import ExecutorError
from tocsin.execution import AttemptKey, Outcome, Status
from tocsin.executors.peak_memory import PeakMemory
from tocsin.executors.process_tree import ProcessScans, SpawnedTree, end_tree

from .exit_status import verdict
from .exit_watch import ExitWatch

_peaks: Final = PeakMemory()
"""One for the process: all attempts have the same parent."""


class Terms(NamedTuple):
    """What a process's end is judged by."""

    key: AttemptKey
    success_codes: Collection[int]
    facts: dict[str, Any]
    complaint: Callable[[int], str] | None
    """Tells from its exit code why it never came to the program, if that is how it ended."""


class ShellProcess:
    """A process under way; its end is seen through a pidfd in the loop."""

    __slots__ = ("_cancelled", "_end", "_exits", "_pid", "_pidfd", "_scans", "_terms")

    def __init__(self, pid: int, terms: Terms, exits: ExitWatch, scans: ProcessScans) -> None:
        self._pid = pid
        self._terms = terms
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
        tree = SpawnedTree(self._pid, self._terms.key, self._scans)
        survivors = await end_tree(tree, grace_s)
        if survivors and not self._end.done():
            text = f"SIGKILL does not end process {', '.join(map(str, survivors))}"
            self._end.set_result(Outcome(Status.CANCELLED, None, text, self._terms.facts))
        if self._has_ended():
            self._reap()

    def handle(self) -> bytes | None:
        """None: only its parent is told how a process ended."""
        return None

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
        terms = self._terms
        code = os.waitstatus_to_exitcode(wait_status)
        status, exit_code, message = verdict(code, terms.success_codes, cancelled=self._cancelled)
        if status is Status.FAILED and terms.complaint is not None:
            message = terms.complaint(code) or message
        cpu_us = round((usage.ru_utime + usage.ru_stime) * 1e6)
        peak_bytes = _peaks.of_child(usage.ru_maxrss)
        return Outcome(status, exit_code, message, terms.facts, peak_bytes, cpu_us)
