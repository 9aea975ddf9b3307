"""Which ends other jobs wait for, and what must follow from each: a second opinion.

Ends are taken up when the coordinator looks at them (`FiresEnded`), but how a fire ended is read
from the ledger. What must follow has to be durable together with the end.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from tocsin.coordinator.machine.commands import DropJob, SaveJob, SaveRun
from tocsin.coordinator.machine.events import FiresEnded
from tocsin.model import TERMINAL, DependencyOn, JobRow, Pause, Run, RunState, SkipReason, Trigger

from .decision import Decision
from .evidence import Term, Violation
from .oracle import SECOND_US, next_due_us
from .upkeep import barred

BY_ITSELF: Final = frozenset({Trigger.SCHEDULE, Trigger.CATCHUP})
DAY_US: Final = 86_400 * SECOND_US


def is_held(run: Run) -> bool:
    """Whether a run is the record of a due time that waits for other jobs."""
    return run.state is RunState.QUEUED and run.reason == SkipReason.DEPENDENCY


def ended_well(members: Iterable[Run]) -> bool | None:
    """How a fire ended; None when it did not, or nothing of it ran."""
    runs = list(members)
    ran = [run for run in runs if run.state is not RunState.SKIPPED]
    if not ran or any(run.state not in TERMINAL for run in runs):
        return None
    stopped = any(run.reason == SkipReason.STOPPED for run in runs if run not in ran)
    return not stopped and all(run.state is RunState.SUCCEEDED for run in ran)


class Chains:
    """What holds for whom. `ledger` is the monitor's, as it was before the present decision."""

    def __init__(self, ledger: Mapping[str, Run], pauses: Mapping[str, Pause]) -> None:
        self.rows: dict[str, JobRow] = {}
        self._ledger = ledger
        self._pauses = pauses
        self._groups: dict[str, set[str]] = defaultdict(set)
        self._holds: dict[tuple[str, str], str] = {}
        """By job and upstream job: the fire whose end matched."""
        self._first_ends: set[str] = set()
        """Fires that have ended once."""
        self._unseen: set[str] = set()
        """Fires that ended, and at which the coordinator has not looked."""
        self._wanted: dict[tuple[str, str], str] = {}
        """Fires that must begin: by job and cause, why they may be skipped instead."""
        self._free: set[str] = set()
        """Fires that wait for no other job."""
        self._waiting: dict[str, str] = {}
        """By job: the fire of its due time that waits."""
        self._to_remove: set[int] = set()
        self._went: set[str] = set()
        """The jobs that were removed since the last commit."""

    # In the order of what is decided.

    def begin(self, decision: Decision) -> None:
        """Something was decided: ends that it takes up have their consequences in it."""
        if isinstance(decision.event, FiresEnded):
            for members in decision.event.fires:
                self._look(members[0].group, decision)

    def _look(self, group: str, decision: Decision) -> None:
        self._unseen.discard(group)
        members = [self._ledger[run_id] for run_id in sorted(self._groups[group])]
        well = ended_well(members)
        if well is None:
            return
        first, again = members[0], group in self._first_ends
        self._first_ends.add(group)
        for name, row in list(self.rows.items()):
            if row.id in self._to_remove:
                continue  # it was to run once, and has: what ends in the same step is too late
            ons = [it.on for it in row.job.after if it.job == first.job]
            if ons and self._take(name, first.job, group, ons[0], well=well, again=again):
                self._go(row, group, decision)
        own = self.rows.get(first.job)
        defined = own is not None and (own.id, own.version) == (first.job_id, first.job_version)
        if well and defined and own is not None and own.job.ephemeral:
            self._to_remove.add(own.id)

    def _take(
        self, name: str, upstream: str, group: str, on: DependencyOn, *, well: bool, again: bool
    ) -> bool:
        """Note for one condition how a fire ended; whether it matches now."""
        wanted = {DependencyOn.SUCCESS: [True], DependencyOn.FAILURE: [False]}
        matching = wanted.get(on, [True, False])
        key = name, upstream
        if again and False in matching:  # what was given up has matched
            if well not in matching and self._holds.get(key) == group:
                del self._holds[key]
            return False
        if again and well not in matching:
            return False
        if well in matching:
            self._holds[key] = group
        else:
            self._holds.pop(key, None)
        return well in matching

    def _all_hold(self, row: JobRow) -> bool:
        return all((row.job.name, it.job) in self._holds for it in row.job.after)

    def _use_up(self, name: str) -> None:
        for key in [key for key in self._holds if key[0] == name]:
            del self._holds[key]

    def _go(self, row: JobRow, group: str, decision: Decision) -> None:
        name = row.job.name
        if not self._all_hold(row):
            return
        if name in self._waiting:
            self._use_up(name)
            self._free.add(self._waiting.pop(name))
        elif not row.job.schedule:
            self._use_up(name)
            wall_us = decision.now.wall_us
            term = Term(
                row.id, row.job, row.version, row.paused, 0, pause_until_us=row.pause_until_us
            )
            self._wanted[name, group] = barred(term, self._pauses.values(), wall_us)

    def saw(self, command: SaveRun | SaveJob | DropJob, decision: Decision) -> None:
        """One thing that was decided, before the ledger has it."""
        match command:
            case SaveRun(run):
                old = self._ledger.get(run.id)
                if old is None:
                    self._new(run, decision)
                elif is_held(old):
                    self._of_held(old, run, decision)
                self._groups[run.group].add(run.id)
            case SaveJob(row):
                self._saved(row)
            case DropJob(row, by):
                self._dropped(row, by)

    def noted(self, run: Run) -> None:
        """A state of a run is in the ledger."""
        members = [self._ledger[run_id] for run_id in self._groups[run.group]]
        concerned = any(it.job == run.job for row in self.rows.values() for it in row.job.after)
        own = self.rows.get(run.job)
        once = own is not None and own.job.ephemeral and own.version == run.job_version
        if (concerned or once) and run.state in TERMINAL and ended_well(members) is not None:
            self._unseen.add(run.group)

    def committed(self) -> None:
        """What is durable now must be whole."""
        if self._unseen:
            raise Violation("after", f"nobody looked at the end of {self._unseen}")
        if self._wanted:
            raise Violation("after", f"these did not fire: {self._wanted}")
        if self._to_remove:
            raise Violation("ephemeral", f"these are still there: {self._to_remove}")
        self._check_gone()
        for name, group in self._waiting.items():
            if not any(is_held(self._ledger[run_id]) for run_id in self._groups[group]):
                raise Violation("after", f"{name} does not wait any more: {group}")

    def _check_gone(self) -> None:
        """Nothing comes after a job that went; a request may remove it and change what did."""
        gone = {name for name in self._went if name not in self.rows}
        self._went.clear()
        for row in self.rows.values() if gone else ():
            for above in gone.intersection(it.job for it in row.job.after):
                raise Violation("after", f"{row.job.name} comes after {above}, which went")

    # Runs.

    def _new(self, run: Run, decision: Decision) -> None:
        row = self.rows.get(run.job)
        if run.trigger is Trigger.AFTER:
            self._fired(run)
        elif run.trigger in BY_ITSELF and row is not None and row.job.after:
            self._fell_due(run, row, decision)
        elif is_held(run):
            raise Violation("after", "waits for nothing", run.id)

    def _fired(self, run: Run) -> None:
        if run.group in self._free:
            return
        if (run.job, run.cause) not in self._wanted:
            raise Violation("after", f"fires, and {run.cause} does not ask for it", run.id)
        reason = self._wanted.pop((run.job, run.cause))
        skipped = str(run.reason) if run.state is RunState.SKIPPED and not run.pin else ""
        if skipped != reason and (reason or skipped == SkipReason.BLACKOUT):
            raise Violation("after", f"is {run.state} {run.reason}, not {reason}", run.id)
        self._free.add(run.group)

    def _fell_due(self, run: Run, row: JobRow, decision: Decision) -> None:
        lost = run.state is RunState.SKIPPED and not run.pin and run.reason != SkipReason.NO_AGENT
        if lost or run.group in self._free:
            if is_held(run):
                raise Violation("after", "waits, and its fire does not", run.id)
            return
        name = row.job.name
        if run.group != self._waiting.get(name) and self._all_hold(row):
            self._use_up(name)
            self._free.add(run.group)
        elif run.state is RunState.QUEUED:
            earlier = self._waiting.get(name)
            if earlier is not None and earlier != run.group:
                raise Violation("after", f"waits beside {earlier}", run.id)
            self._waiting[name] = run.group
        if run.state is RunState.QUEUED and is_held(run) is (run.group in self._free):
            raise Violation("after", f"holds: {run.group in self._free}", run.id)
        del decision

    def _of_held(self, old: Run, run: Run, decision: Decision) -> None:
        """What becomes of a due time that waited."""
        is_free = old.group in self._free
        if is_held(run) or run.state is RunState.CANCELLED:
            self._forget_waiting(run)
            return
        if run.state is RunState.QUEUED or run.reason in {SkipReason.OVERLAP, SkipReason.NO_AGENT}:
            if not is_free:
                raise Violation("after", "goes on, and not all it waits for holds", run.id)
        elif run.state is not RunState.SKIPPED or run.reason != SkipReason.DEPENDENCY or is_free:
            raise Violation("after", f"waited, and is {run.state} {run.reason}", run.id)
        else:
            self._check_in_vain(run, decision)
            self._forget_waiting(run)

    def _forget_waiting(self, run: Run) -> None:
        others = self._groups[run.group] - {run.id}
        if not any(is_held(self._ledger[run_id]) for run_id in others):
            self._waiting.pop(run.job, None)

    def _check_in_vain(self, run: Run, decision: Decision) -> None:
        """It is given up at the job's next due time, or for a later one of the same job."""
        row = self.rows.get(run.job)
        assert run.due_us is not None
        later = any(
            isinstance(command, SaveRun)
            and command.run.job_id == run.job_id
            and command.run.trigger in BY_ITSELF
            and (command.run.due_us or 0) > (run.due_us or 0)
            for command in decision.commands
        )
        same = row is not None and row.version == run.job_version
        next_us = next_due_us(row.job.schedule, run.due_us) if row is not None and same else None
        if not later and next_us is not None and decision.now.wall_us < next_us:
            raise Violation("after", f"was given up before {next_us}", run.id)
        if not run.facts.get("missing"):
            raise Violation("reason", "does not say what it waited for", run.id)

    # Jobs.

    def _saved(self, row: JobRow) -> None:
        name = row.job.name
        old = self.rows.get(name)
        before = set() if old is None else {(it.job, it.on) for it in old.job.after}
        stay = {it.job for it in row.job.after if (it.job, it.on) in before}
        for key in [key for key in self._holds if key[0] == name and key[1] not in stay]:
            del self._holds[key]
        self.rows[name] = row
        if name in self._waiting and self._all_hold(row):
            self._use_up(name)
            self._free.add(self._waiting.pop(name))

    def _dropped(self, row: JobRow, by: str) -> None:
        if by == "ephemeral" and row.id not in self._to_remove:
            raise Violation("ephemeral", f"job {row.job.name} is gone, and has not succeeded")
        self._to_remove.discard(row.id)
        self._went.add(row.job.name)
        self._use_up(row.job.name)
        self._waiting.pop(row.job.name, None)
        self.rows.pop(row.job.name, None)
