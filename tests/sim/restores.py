"""Worlds in which the coordinator is put back to an earlier moment, once or twice.

What it did in between is gone from its store, and not from the fleet: agents run what they were
given, and have forgotten what was acknowledged. So the ledger cannot be judged as it grows. What is
judged is what must hold all the same: nothing starts twice, and everything comes to its end.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from tocsin import clock
from tocsin.coordinator.machine.commands import DropPause, SaveAgent, SavePause, SaveRun
from tocsin.coordinator.machine.machine import Machine, Restored
from tocsin.coordinator.store.staging import RESTORE
from tocsin.coordinator.timekeeping import SEEN
from tocsin.execution import split_key
from tocsin.model import TERMINAL, Restore, Run

from .client import Client
from .coordinator import SimStore
from .evidence import Ending, Start, Violation
from .monitor import Monitor
from .oracle import SECOND_US
from .plan import Fault, Plan, make_plan
from .timeline import START_US
from .world import World

UNFIT: Final = frozenset({"revoke", "revoke_now", "removed"})
"""Whom the coordinator does not hear any more is heard again after a restore, or is not."""


def restore_plan(seed: int) -> Plan:
    """The plan of a seed, without what makes one due time two: a wall clock that is set back."""
    plan = make_plan(seed, without=[Fault.STEP])
    kept = [happening for happening in plan.happenings if happening.kind not in UNFIT]
    return replace(plan, happenings=kept)


class Onlooker(Monitor):
    """Remembers every run that ever was durable, and judges nothing."""

    def __init__(self, patience_us: int, rejoin_us: int, *, even: bool) -> None:
        super().__init__(patience_us, rejoin_us, even=even)
        self.ever: dict[str, Run] = {}

    def restarted(self, true_us: int, found: list[Restored]) -> None:
        del true_us
        self.active = {it.run.id: it.run for it in found}

    def committed(self, machine: Machine) -> None:
        self.commits += 1
        decisions, self._undecided = self._undecided, []
        for command in (command for it in decisions for command in it.commands):
            match command:
                case SaveRun(run):
                    self.ever[run.id] = self.ledger[run.id] = run
                case SavePause(pause):
                    self.pauses[pause.id] = pause
                case DropPause(pause_id):
                    self.pauses.pop(pause_id, None)
                case SaveAgent(agent):
                    self.fleet.saved(agent)
                case _:
                    pass
        self.active = {run.id: run for run in machine.active_runs()}

    def sent(self, agent_id: str, message: object) -> None:
        """Judge nothing."""

    def started(self, start: Start) -> None:
        """Judge nothing."""


class PatientClient(Client):
    """Its wishes were granted, and then they were not: nothing that is declined is a fault."""

    def _may_decline(self, *_: object) -> bool:
        return True


class RestoreWorld(World):
    """A world whose coordinator is put back."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        super().__init__(plan, folder, Onlooker)
        dice = self._dice("restores")
        loss = 0.1 if Fault.LOSE in plan.faults else 0.0
        self.client = PatientClient(self, self._dice("client"), loss)
        self.restores: list[Restore] = []
        self._copies: list[sqlite3.Connection] = []
        self._backup: tuple[int, sqlite3.Connection] | None = None
        self._output: sqlite3.Connection | None = None
        """It is copied a few commits later."""
        self._wanted = False
        self._commit = self.coordinator.store.on_commit
        self.coordinator.store.on_commit = self._on_commit
        for _ in range(dice.choice([1, 1, 2])):
            taken_us = dice.randrange(plan.active_us // 10, plan.active_us * 7 // 10)
            restored_us = min(taken_us + dice.randrange(SECOND_US, 25 * SECOND_US), plan.active_us)
            self.at(taken_us, "backup", self._want_backup)
            self.at(restored_us, "restore", self._restore)

    def new_id(self) -> str:
        """An id that tells when it was made."""
        self._ids += 1
        return clock.ulid((START_US + self.now_us + self._shown_us) // 1000, self._ids)

    def _want_backup(self) -> None:
        self._wanted = True

    def _on_commit(self) -> None:
        self._commit()
        store = self.coordinator.store
        if self._wanted:
            self._wanted = False
            self._backup = self.wall_of(0), self._copy(store._main)
            self._output = None
        elif self._backup is not None and self._output is None:
            self._output = self._copy(store._output)

    def _restore(self) -> None:
        """Put the coordinator back, and let it begin a while later."""
        if self._backup is None or self._output is None:
            return
        self.coordinator.store.outage = ""
        self.is_frozen = False
        if self.coordinator.is_up:
            self.crash_coordinator(2 * SECOND_US)
        backup_us, main = self._backup
        now_us = self.wall_of(0)
        store = self.coordinator.store
        main.backup(store._main)
        self._output.backup(store._output)
        restore = Restore(backup_us=backup_us, restored_us=now_us, by="sim", file="backup")
        self.restores.append(restore)
        _tell(store, restore, epoch=now_us // SECOND_US)
        self.note("coordinator", f"is put back to {backup_us - START_US}")

    def close(self) -> None:
        """Let go of the backups, too."""
        for copy in self._copies:
            copy.close()
        super().close()

    def _copy(self, database: sqlite3.Connection) -> sqlite3.Connection:
        copy = sqlite3.connect(":memory:")
        self._copies.append(copy)
        database.backup(copy)
        return copy

    def _judge(self) -> None:
        self._compare()
        for violation in judge(self):
            raise violation


def _tell(store: SimStore, restore: Restore, epoch: int) -> None:
    store.stage_setting(RESTORE, msgspec.json.encode(restore).decode())
    store.stage_setting("epoch", epoch - 1)
    store.stage_setting(SEEN, restore.restored_us)
    store._apply()
    store._main.execute("COMMIT")
    store.crash()
    store._applied = 0


def judge(world: RestoreWorld) -> Iterator[Violation]:
    """What holds although the coordinator forgot."""
    assert isinstance(world.monitor, Onlooker)
    yield from _starts(world, world.monitor.ever)
    store = world.coordinator.store
    for run in store.list_runs("", [], "", 1_000_000):
        if run.state not in TERMINAL or run.finished_us is None:
            yield Violation("over", f"is still {run.state}: {run.reason}", run.id)
    for machine in world.heard_machines():
        for what in machine.leftovers:
            yield Violation("over", what)
    for end in world.ends:
        run = world.monitor.ever[split_key(end.key)[0]]
        if end.ending is Ending.CANCEL and not run.cancel_requested and not store.runs([run.id]):
            yield Violation("alone", f"{end.key} was ended, though nobody wants that", run.id)
    last = store.stored().restore
    for restore in world.restores[-1:]:
        if last != replace(restore, settled=True):
            yield Violation("restore", f"{last} is not the last one, or not settled")


def _starts(world: RestoreWorld, ever: dict[str, Run]) -> Iterator[Violation]:
    """No attempt starts twice, and no due time is begun by two runs."""
    for key, count in Counter(start.key for start in world.starts).items():
        if count > 1:
            yield Violation("once", f"attempt {key} started {count} times", split_key(key)[0])
    begun: dict[tuple[str, int, int], set[str]] = defaultdict(set)
    for start in world.starts:
        run = ever[split_key(start.key)[0]]
        if run.due_us is not None:
            begun[run.job, run.due_us, run.slot].add(run.id)
    for due, runs in begun.items():
        if len(runs) > 1:
            yield Violation("once", f"{due} was begun by {sorted(runs)}", min(runs))
