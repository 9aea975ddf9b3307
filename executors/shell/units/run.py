"""One run that is a unit of systemd, from the start of its program to its outcome."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
from typing import Any, Final

from tocsin.execution import Limits, Outcome, Status
from tocsin.executors.process_tree import ProcessScans, end_tree
from tocsin.executors.shell.exit_status import verdict
from tocsin.executors.shell.exit_watch import ExitWatch
from tocsin.executors.shell.process import Terms
from tocsin.units import format_size

from .cgroup import Cgroup, cgroup_path_of, controllers
from .systemd import Systemd
from .tree import UnitTree

_LOOK_S: Final = (0.001, 0.005, 0.02, 0.1, 0.5, 1.0)
"""How long to wait before systemd is asked again how a process ended."""


class Watch:
    """What all runs of a host are watched by."""

    def __init__(self, systemd: Systemd, exits: ExitWatch, scans: ProcessScans) -> None:
        self.systemd = systemd
        self.exits = exits
        self.scans = scans
        self.codes: dict[str, int] = {}
        """With which the units ended that systemd has not been told to forget yet."""
        self._parent = ""
        """The cgroup that those of all units are in."""

    async def cgroup_path(self, unit: str, pid: int) -> str:
        """The cgroup of a unit with this main process, if there is one; '' when it is unknown."""
        path = cgroup_path_of(pid) if pid else ""
        if not path.endswith(f"/{unit}"):
            if self._parent:
                return f"{self._parent}/{unit}"
            path = await self.systemd.control_group(unit)
        self._parent = path.removesuffix(f"/{unit}")
        return path


class UnitRun:
    """A unit under way. Its end is seen through a pidfd, and how it ended is asked of systemd."""

    def __init__(self, unit: str, handle: bytes, terms: Terms, limits: Limits | None) -> None:
        self.unit = unit
        self._handle = handle
        self._terms = terms
        self._limits = limits
        self._facts: dict[str, Any] = {"unit": unit, **_unenforced(limits)}
        self._cgroup: Cgroup | None = None
        self._pidfd: int | None = None
        self._code: int | None = None
        self._cancelled = False
        self._survivors: list[int] = []
        self._over = asyncio.Event()
        """Its main process is over; or, if it was cancelled, its tree."""

    async def watch(self, by: Watch) -> None:
        """Find its main process, so that its end is seen."""
        self._by = by
        pid, self._code = await by.systemd.main(self.unit)
        try:
            self._pidfd = os.pidfd_open(pid) if pid else None
        except OSError:  # it has ended, or no descriptor is left: systemd is asked for its end
            self._pidfd = None
        if path := await by.cgroup_path(self.unit, pid):
            self._cgroup = Cgroup(path)
        if self._pidfd is not None and not await self._is_its(pid):
            os.close(self._pidfd)
            self._pidfd = None
        if self._pidfd is None:
            self._over.set()
        else:
            by.exits.add(self._pidfd, self._on_exit)

    async def _is_its(self, pid: int) -> bool:
        """Whether a process is the main one still; its number may be a stranger's by now."""
        if cgroup_path_of(pid).endswith(f"/{self.unit}"):
            return True
        return (await self._by.systemd.main(self.unit)).pid == pid  # it moved to another cgroup

    async def wait(self) -> Outcome:
        """Wait for the end of its main process; what that left in the background goes on."""
        await self._over.wait()
        if self._survivors:
            text = f"SIGKILL does not end process {', '.join(map(str, self._survivors))}"
            return Outcome(Status.CANCELLED, None, text, self._facts)
        code = await self._exit_code() if self._code is None else self._code
        if code is None:
            return self._vanished()
        self._by.codes[self.unit] = code
        return await self._outcome(code)

    async def cancel(self, grace_s: float) -> None:
        """End the whole tree: SIGTERM, and SIGKILL for what is left of it after the grace."""
        if self._cancelled or self._over.is_set():
            return  # it was faster, and its own end is what happened
        self._cancelled = True
        tree = UnitTree(self._cgroup, self._terms.key, self._by.scans)
        self._survivors = await end_tree(tree, grace_s)
        self._over.set()

    def handle(self) -> bytes | None:
        """The name of its unit, which systemd keeps until it is told to forget it."""
        return self._handle

    def _on_exit(self) -> None:
        assert self._pidfd is not None
        self._by.exits.closing(self._pidfd)
        os.close(self._pidfd)
        self._pidfd = None
        if not self._cancelled:
            self._over.set()

    async def _exit_code(self) -> int | None:
        """Its exit code, or the negative number of a signal; None when systemd forgot it."""
        systemd = self._by.systemd
        for delay_s in itertools.chain(_LOOK_S, itertools.repeat(_LOOK_S[-1])):
            code = (await systemd.main(self.unit)).code
            if code is not None:
                return code
            if await systemd.is_inactive(self.unit):
                return (await systemd.main(self.unit)).code
            await asyncio.sleep(delay_s)
        raise AssertionError

    def _vanished(self) -> Outcome:
        if self._cancelled:
            return Outcome(Status.CANCELLED, None, "", self._facts)
        message = "its unit is gone: somebody has stopped it"
        return Outcome(Status.FAILED, None, message, self._facts)

    async def _outcome(self, code: int) -> Outcome:
        terms = self._terms
        status, exit_code, message = verdict(code, terms.success_codes, cancelled=self._cancelled)
        if code == -signal.SIGKILL and not self._cancelled and await self._ran_out_of_memory():
            message += f": {self._memory_said()}"
        if status is Status.FAILED and terms.complaint is not None:
            message = terms.complaint(code) or message
        cpu_us, peak_bytes = await self._spent()
        return Outcome(status, exit_code, message, self._facts, peak_bytes, cpu_us)

    async def _ran_out_of_memory(self) -> bool:
        return await self._by.systemd.result(self.unit) == "oom-kill"

    def _memory_said(self) -> str:
        if self._limits is None or self._limits.memory_bytes is None:
            return "the host ran out of memory"
        return f"it needed more memory than its limit of {format_size(self._limits.memory_bytes)}"

    async def _spent(self) -> tuple[int | None, int | None]:
        """CPU time and peak memory: of the kernel while the cgroup is there, else of systemd."""
        systemd, cgroup = self._by.systemd, self._cgroup
        cpu_us = cgroup.cpu_us() if cgroup is not None else None
        if cgroup is not None and cpu_us is not None:
            return cpu_us, cgroup.peak_memory_bytes()
        return await systemd.cpu_us(self.unit), await systemd.peak_memory_bytes(self.unit)


def _unenforced(limits: Limits | None) -> dict[str, str]:
    if limits is None:
        return {}
    asked = {"memory": limits.memory_bytes, "cpu": limits.cpu_percent, "pids": limits.tasks}
    missing = [it for it in asked if asked[it] is not None and it not in controllers()]
    if not missing:
        return {}
    return {"limits": f"not enforced: the kernel has no control of {' and '.join(missing)} here"}
