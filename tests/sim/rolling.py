"""What a fire on several hosts, a pool and a jitter promise: judged at every decision."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import Final

from tocsin.coordinator.machine.commands import Command, DropPool, SavePool
from tocsin.model import TERMINAL, AgentState, Job, Run, RunState, SkipReason, Target, Trigger

from .decision import Decision
from .evidence import Violation
from .fleet import Fleet
from .oracle import SECOND_US
from .policies import ON_TIME_US

UNDER_WAY: Final = frozenset({RunState.DISPATCHED, RunState.ACCEPTED, RunState.RUNNING})
_DUE: Final = frozenset({Trigger.SCHEDULE, Trigger.CATCHUP})


def place_us(key: str, span_s: float) -> int:
    """Where in a span a name falls."""
    share = int(hashlib.sha256(key.encode()).hexdigest()[:16], 16)
    return share * round(span_s * 1000) // (1 << 64) * 1000


def is_rolled(target: Target) -> bool:
    """Whether the hosts of a fire wait for each other."""
    rules = (target.max_parallel, target.stagger_s, target.canary, target.stop_after)
    return target.agents != 1 and any(rules)


class Rolling:
    """Looks on. `even`: no clock is set, so that instants of both clocks may be compared."""

    def __init__(self, ledger: dict[str, Run], fleet: Fleet, *, even: bool) -> None:
        self.pools: dict[str, int] = {}
        self._ledger = ledger
        self._fleet = fleet
        self._even = even
        self._jobs: dict[tuple[int, int], Job] = {}
        self._groups: dict[str, list[str]] = defaultdict(list)
        self._born_us: dict[str, int] = {}
        self._begun: dict[str, list[str]] = defaultdict(list)
        """By group: the runs that were ever given to an agent, in that order."""
        self._lost: set[str] = set()
        self._touched: set[str] = set()

    def defined(self, job_id: int, version: int, job: Job) -> None:
        """A version of a job."""
        self._jobs[job_id, version] = job

    def saw(self, command: Command) -> None:
        """A pool was changed."""
        match command:
            case SavePool(pool):
                self.pools[pool.name] = pool.slots
            case DropPool(name):
                self.pools.pop(name, None)
            case _:
                pass

    def noted(self, old: Run | None, run: Run, decision: Decision) -> None:
        """A state of a run is in the ledger."""
        job = self._jobs[run.job_id, run.job_version]
        if old is None:
            self._groups[run.group].append(run.id)
            self._born_us.setdefault(run.group, decision.true_us)
            self._check_jitter(run, job, decision)
        if run.state is RunState.LOST:
            self._lost.add(run.id)
        if old is not None and (old.state, run.state) == (RunState.QUEUED, RunState.DISPATCHED):
            self._check_place(run, job)
            self._check_instant(old, decision)
            if run.attempt == 1:
                if is_rolled(job.target):
                    self._check_turn(run, job.target, decision)
                self._begun[run.group].append(run.id)
        if run.state is RunState.SKIPPED and run.reason == SkipReason.STOPPED:
            self._check_stopped(run, job.target)
        if is_rolled(job.target):
            self._touched.add(run.group)

    def committed(self) -> None:
        """What is durable now must be whole."""
        for group in self._touched:
            self._check_waiting(group)
        self._touched.clear()

    # One run.

    def _check_jitter(self, run: Run, job: Job, decision: Decision) -> None:
        if run.state is RunState.SKIPPED:
            return
        wanted = None
        if job.jitter_s > 0 and run.trigger in _DUE and run.due_us is not None:
            wall_us = decision.now.wall_us
            from_us = run.due_us if wall_us - run.due_us <= ON_TIME_US else wall_us
            alone = not run.pin or is_rolled(job.target)
            key = run.job if alone else f"{run.job}@{run.agent}"
            wanted = from_us + place_us(key, job.jitter_s)
        if run.not_before_us != wanted:
            raise Violation("jitter", f"waits until {run.not_before_us}, not {wanted}", run.id)

    def _check_instant(self, old: Run, decision: Decision) -> None:
        until_us = old.not_before_us
        if self._even and until_us is not None and decision.now.wall_us < until_us:
            raise Violation("jitter", f"is sent out before {until_us}", old.id)

    def _check_place(self, run: Run, job: Job) -> None:
        agent = self._fleet.agents[run.agent_id]
        if agent.held is not None or agent.state is AgentState.REVOKED:
            held = agent.held or agent.state
            raise Violation("held", f"is given to {run.agent}, which is {held}", run.id)
        slots = self.pools.get(job.pool)
        if slots is None:
            return
        others = [
            other
            for other in self._ledger.values()
            if other.state in UNDER_WAY and other.id != run.id
            and self._jobs[other.job_id, other.job_version].pool == job.pool
        ]  # fmt: skip
        if len(others) >= slots:
            raise Violation("pool", f"is one of {len(others) + 1} in {job.pool}({slots})", run.id)

    # One fire.

    def _failed(self, group: str) -> list[Run]:
        ended = TERMINAL - {RunState.SUCCEEDED, RunState.SKIPPED}
        members = [self._ledger[run_id] for run_id in self._groups[group]]
        return [run for run in members if run.state in ended]

    def _succeeded(self, group: str) -> int:
        members = [self._ledger[run_id] for run_id in self._groups[group]]
        return sum(run.state is RunState.SUCCEEDED for run in members)

    def _check_turn(self, run: Run, target: Target, decision: Decision) -> None:
        begun = [self._ledger[run_id] for run_id in self._begun[run.group]]
        # A lost one that is heard again has given its place away.
        going = [r for r in begun if r.state not in TERMINAL and r.id not in self._lost]
        if target.max_parallel is not None and len(going) >= target.max_parallel:
            raise Violation("turn", f"goes beside {[r.id for r in going]}", run.id)
        counted = [r for r in begun if r.state is not RunState.SKIPPED]
        if self._succeeded(run.group) < target.canary <= len(counted):
            raise Violation("turn", "did not wait for the canary", run.id)
        earliest_us = self._born_us[run.group] + round(len(begun) * target.stagger_s * SECOND_US)
        if self._even and decision.true_us < earliest_us:
            raise Violation("turn", f"goes {earliest_us - decision.true_us} us too early", run.id)

    def _stops(self, group: str, target: Target) -> bool:
        failed = self._failed(group)
        if failed and self._succeeded(group) < target.canary:
            return True
        return target.stop_after is not None and len(failed) >= target.stop_after

    def _check_stopped(self, run: Run, target: Target) -> None:
        if not self._stops(run.group, target):
            raise Violation("turn", "is stopped though nothing stops it", run.id)
        named = {failed.agent for failed in self._failed(run.group)}
        if not set(run.facts.get("failed", ())) <= named:
            raise Violation("turn", f"names {run.facts}, and {named} failed", run.id)

    def _check_waiting(self, group: str) -> None:
        """Of a fire that is stopped no more wait than may have been let go before."""
        members = [self._ledger[run_id] for run_id in self._groups[group]]
        target = self._jobs[members[0].job_id, members[0].job_version].target
        if not self._begun[group] or not self._stops(group, target):
            return
        begun = set(self._begun[group])
        waiting = [r for r in members if r.state is RunState.QUEUED and r.id not in begun]
        bounds = [len(members)]
        if self._succeeded(group) < target.canary:
            bounds.append(target.canary)
        if target.max_parallel is not None:
            bounds.append(target.max_parallel)
        if len(waiting) > min(bounds):
            raise Violation("turn", "still waits, though its fire is stopped", waiting[-1].id)
