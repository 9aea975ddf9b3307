"""Where faults befall the fleet: what each one does, and how it is healed."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
from collections.abc import Callable
from functools import partial
from random import Random  # noqa: TID251 - a seeded one

from .faults import Fault, Happening, Planned
from .members import DrillFleet
from .witness import Account, is_alive, read_accounts

Heal = Callable[[], None]


class Field:
    """Where faults befall the fleet: `befall` does one, and gives back how it is healed."""

    def __init__(self, fleet: DrillFleet, dice: Random, faults: list[Fault]) -> None:
        self.held_down: set[str] = set()
        """Members that are not to be started at this moment."""
        self._fleet = fleet
        self._dice = dice
        self.faults = [fault for fault in faults if self._can(fault)]

    def _can(self, fault: Fault) -> bool:
        fleet = self._fleet
        match fault:
            case Fault.CUT | Fault.CUT_ONE_WAY:
                return fleet.network.can_cut
            case Fault.LOSSY:
                return fleet.network.can_lose
            case Fault.FULL_DISK:
                return fleet.disks.can_fill
            case Fault.STEP:
                return fleet.clock.can_step
            case _:
                return True

    def befall(self, planned: Planned, happening: Happening) -> Heal | None:
        """Do it; how it is healed, or None when there was nobody to do it to."""
        how: dict[Fault, Callable[[Planned], Heal | None]] = {
            Fault.KILL_COORDINATOR: self._kill,
            Fault.KILL_AGENT: self._kill,
            Fault.KILL_MACHINE: self._kill,
            Fault.KILL_HOST: self._kill_host,
            Fault.KILL_JOB: lambda _: self._kill_job(happening),
            Fault.FREEZE_COORDINATOR: self._freeze,
            Fault.FREEZE_AGENT: self._freeze,
            Fault.FREEZE_HOST: self._freeze_hosts,
            Fault.CUT: self._cut,
            Fault.CUT_ONE_WAY: self._cut,
            Fault.LOSSY: self._lose,
            Fault.STEP: self._step,
            Fault.FULL_DISK: self._fill,
            Fault.TERMINATE: self._terminate,
            Fault.LOCK_STORE: lambda _: self._lock(),
        }
        return how[planned.fault](planned)

    # Processes.

    def _kill(self, planned: Planned) -> Heal:
        fleet, who = self._fleet, planned.who
        self.held_down.add(who)
        fleet.signal(who, signal.SIGKILL)
        fleet.processes[who].wait()
        if planned.fault is Fault.KILL_MACHINE:
            self._signal_hosts(who, signal.SIGKILL)
        return partial(self._start, who)

    def _terminate(self, planned: Planned) -> Heal:
        self.held_down.add(planned.who)
        self._fleet.signal(planned.who, signal.SIGTERM)
        return partial(self._start, planned.who)

    def _start(self, who: str) -> None:
        self.held_down.discard(who)  # whoever watches the members starts it when it is over

    def _freeze(self, planned: Planned) -> Heal | None:
        fleet, who = self._fleet, planned.who
        if not fleet.is_alive(who):
            return None
        fleet.signal(who, signal.SIGSTOP)
        return partial(fleet.signal, who, signal.SIGCONT)

    def _kill_host(self, planned: Planned) -> Heal | None:
        return _nothing if self._signal_hosts(planned.who, signal.SIGKILL) else None

    def _signal_hosts(self, who: str, number: signal.Signals) -> list[int]:
        pids = self._fleet.hosts_of(who)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        return pids

    def _freeze_hosts(self, planned: Planned) -> Heal | None:
        pids = self._signal_hosts(planned.who, signal.SIGSTOP)

        def thaw() -> None:
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

        return thaw if pids else None

    def _kill_job(self, happening: Happening) -> Heal | None:
        accounts = read_accounts(self._fleet.home / "witness")
        living = [a for a in accounts.values() if _is_under_way(a) and is_alive(a)]
        if not living:
            return None
        account = self._dice.choice(living)
        happening.key = account.key
        with contextlib.suppress(ProcessLookupError):
            os.kill(account.pids[-1], signal.SIGKILL)
        return _nothing

    # Network, clock, disks.

    def _cut(self, planned: Planned) -> Heal:
        ways = {0: ["in", "out"], 1: ["in"], -1: ["out"]}[planned.amount]
        self._fleet.network.cut(planned.who, ways)
        return partial(self._fleet.network.mend, planned.who)

    def _lose(self, planned: Planned) -> Heal:
        self._fleet.network.lose(planned.who, planned.amount)
        return partial(self._fleet.network.mend, planned.who)

    def _step(self, planned: Planned) -> Heal:
        clock = self._fleet.clock
        clock.step(planned.amount)
        return partial(clock.step, -planned.amount) if planned.amount < 0 else _nothing

    def _fill(self, planned: Planned) -> Heal:
        fleet, disk = self._fleet, self._fleet.disk(planned.who)
        fleet.disks.fill(disk)
        return partial(fleet.disks.free, disk)

    def _lock(self) -> Heal | None:
        connection = sqlite3.connect(
            self._fleet.store / "tocsin.db", isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error:
            connection.close()
            return None

        def unlock() -> None:
            connection.rollback()
            connection.close()

        return unlock


def _nothing() -> None:
    """What is over at once needs no healing."""


def _is_under_way(account: Account) -> bool:
    return bool(account.started_us) and account.end is None and account.term_us is None
