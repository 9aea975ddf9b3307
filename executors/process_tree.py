"""Finds and ends every process of a run: its group, its session, its descendants, its escapees.

A process that left the session (setsid, a double fork) is still known by what it inherited:
`TOCSIN_RUN_ID` and `TOCSIN_ATTEMPT` in its environment.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import Iterable
from typing import Final, NamedTuple, Protocol

from tocsin.execution import AttemptKey, split_key

KILL_OVERDUE_S: Final = 5.0
"""How long after SIGKILL a process may linger (in a dead mount, say) before it is given up."""
RESCAN_S: Final = 0.05

_MARK: Final = re.compile(rb"(?:\A|\0)TOCSIN_(RUN_ID|ATTEMPT)=([^\0]*)")


class RunMark(NamedTuple):
    """What the environment of every process of an attempt holds, in bytes."""

    run_id: bytes
    attempt: bytes

    @classmethod
    def of(cls, key: AttemptKey) -> RunMark:
        """The mark of an attempt."""
        run_id, number = split_key(key)
        return cls(run_id.encode(), str(number).encode())


class Process(NamedTuple):
    """One line of the process table."""

    pid: int
    parent: int
    group: int
    session: int
    started_ticks: int


class ProcessTable:
    """All live processes at one moment."""

    def __init__(self) -> None:
        self._processes: dict[int, Process] = {}
        self._marked: dict[RunMark, list[int]] = {}
        own = os.getpid()
        for name in os.listdir("/proc"):  # noqa: PTH208 - names are all that is wanted
            if name.isdecimal() and int(name) != own and (process := read_process(int(name))):
                self._processes[process.pid] = process
                if mark := _mark_of(process.pid):
                    self._marked.setdefault(mark, []).append(process.pid)

    def tree(self, leader: int, mark: RunMark) -> list[Process]:
        """The live processes of the run that `leader` began."""
        everyone = self._processes.values()
        found = set(self._marked.get(mark, ()))
        found.update(p.pid for p in everyone if leader in {p.pid, p.session, p.group})
        children: dict[int, list[int]] = {}
        for process in everyone:
            children.setdefault(process.parent, []).append(process.pid)
        unseen = [leader, *found]
        while unseen:
            new = [pid for pid in children.get(unseen.pop(), ()) if pid not in found]
            found.update(new)
            unseen += new
        return [self._processes[pid] for pid in found]

    def marked(self, mark: RunMark) -> list[Process]:
        """The live processes that carry the mark of a run."""
        return [self._processes[pid] for pid in self._marked.get(mark, ())]


class ProcessScans:
    """Process tables, one for all the runs that are being ended in the same turn of the loop."""

    def __init__(self) -> None:
        self._table: ProcessTable | None = None

    def table(self) -> ProcessTable:
        """The table of this turn."""
        if self._table is None:
            self._table = ProcessTable()
            asyncio.get_running_loop().call_soon(self._forget)
        return self._table

    def _forget(self) -> None:
        self._table = None


def read_process(pid: int) -> Process | None:
    """A process that is alive; None when it is gone, or a zombie."""
    try:
        with open(f"/proc/{pid}/stat", "rb", 0) as file:  # noqa: PTH123 - hundreds in a scan
            text = file.read(1024)
    except OSError:
        return None
    fields = text[text.rindex(b")") + 2 :].split()
    if fields[0] in {b"Z", b"X"}:
        return None
    parent, group, session = map(int, fields[1:4])
    return Process(pid, parent, group, session, int(fields[19]))


def _mark_of(pid: int) -> RunMark | None:
    try:
        with open(f"/proc/{pid}/environ", "rb", 0) as file:  # noqa: PTH123
            text = file.readall()
    except OSError:
        return None
    if text is None or b"TOCSIN_RUN_ID=" not in text:
        return None
    found = dict(_MARK.findall(text))
    return RunMark(found.get(b"RUN_ID", b""), found.get(b"ATTEMPT", b""))


class Tree(Protocol):
    """The processes of one run."""

    def members(self) -> list[Process]:
        """Those that are alive."""
        ...

    def strike(self, number: signal.Signals, members: list[Process]) -> list[Process]:
        """Signal some of the members in one stroke, so that none can fork away; returns them."""
        ...


class SpawnedTree:
    """The tree of a process that was spawned here.

    Its first process must not be reaped before the tree is ended: as a zombie it keeps its id, and
    so the id of group and session, from being given to a stranger.
    """

    def __init__(self, leader: int, key: AttemptKey, scans: ProcessScans) -> None:
        self._leader = leader
        self._mark = RunMark.of(key)
        self._scans = scans

    def members(self) -> list[Process]:
        """Group, session, descendants, and whoever carries the run's mark."""
        return self._scans.table().tree(self._leader, self._mark)

    def strike(self, number: signal.Signals, members: list[Process]) -> list[Process]:
        """Signal the process group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._leader, number)
            os.killpg(self._leader, signal.SIGCONT)  # who is stopped hears nothing else
        return [process for process in members if process.group == self._leader]


async def end_tree(tree: Tree, grace_s: float) -> list[int]:
    """End all processes of a run: SIGTERM, and SIGKILL for those alive after `grace_s`.

    Returns the ids of those that even SIGKILL did not end.
    """
    left = await _signal_until_gone(tree, signal.SIGTERM, grace_s)
    if left:
        left = await _signal_until_gone(tree, signal.SIGKILL, KILL_OVERDUE_S)
    return [process.pid for process in left]


async def _signal_until_gone(tree: Tree, number: signal.Signals, within_s: float) -> list[Process]:
    """Signal each process once, those that turn up later too; returns who is left in the end."""
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + within_s
    told: set[Process] = set()
    while True:
        members = tree.members()
        if not members:
            return []
        if not told:
            told.update(tree.strike(number, members))
        left_s = deadline_s - loop.time()
        await _watch(members, told, number, max(left_s, 0))
        if left_s <= 0:
            return tree.members()


async def _watch(
    members: Iterable[Process], told: set[Process], number: signal.Signals, within_s: float
) -> None:
    """Signal the untold members; return when all are gone, or after `within_s`."""
    pidfds: list[int] = []
    try:
        for process in members:
            try:
                pidfd = os.pidfd_open(process.pid)
            except ProcessLookupError:
                continue
            except OSError:  # no descriptor left: look again soon instead of watching
                within_s = min(within_s, RESCAN_S)
                continue
            pidfds.append(pidfd)
            if process not in told:
                told.add(process)
                # The id may have passed to a stranger since the scan; the pidfd cannot any more.
                now = read_process(process.pid)
                if now is not None and now.started_ticks == process.started_ticks:
                    _send(pidfd, number)
        await _all_ended(pidfds, within_s)
    finally:
        for pidfd in pidfds:
            os.close(pidfd)


def _send(pidfd: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        signal.pidfd_send_signal(pidfd, number)
        signal.pidfd_send_signal(pidfd, signal.SIGCONT)


async def _all_ended(pidfds: list[int], within_s: float) -> None:
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    waiting = set(pidfds)

    def ended(pidfd: int) -> None:
        loop.remove_reader(pidfd)
        waiting.discard(pidfd)
        if not waiting and not done.done():
            done.set_result(None)

    for pidfd in pidfds:
        loop.add_reader(pidfd, ended, pidfd)
    try:
        if waiting:
            await asyncio.wait((done,), timeout=within_s)
        else:
            await asyncio.sleep(0)  # all were gone before we looked: the next turn has a new table
    finally:
        for pidfd in waiting:
            loop.remove_reader(pidfd)
