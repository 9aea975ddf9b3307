"""The processes of a run that is a unit."""

from __future__ import annotations

import signal

from tocsin.execution import AttemptKey
from tocsin.executors.process_tree import Process, ProcessScans, RunMark, read_process

from .cgroup import Cgroup


class UnitTree:
    """All that is in the unit's cgroup, and what left it but still carries the run's mark."""

    def __init__(self, cgroup: Cgroup | None, key: AttemptKey, scans: ProcessScans) -> None:
        self._cgroup = cgroup
        self._mark = RunMark.of(key)
        self._scans = scans

    def members(self) -> list[Process]:
        """Those that are alive."""
        pids = self._cgroup.pids() if self._cgroup is not None else []
        inside = (read_process(pid) for pid in pids)
        outside = self._scans.table().marked(self._mark)
        return list({process for process in (*inside, *outside) if process is not None})

    def strike(self, number: signal.Signals, members: list[Process]) -> list[Process]:
        """Kill the whole cgroup, where the kernel does so; to be killed twice does no harm."""
        del members
        if number is signal.SIGKILL and self._cgroup is not None:
            self._cgroup.kill()
        return []
