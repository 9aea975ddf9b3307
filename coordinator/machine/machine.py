"""The machine: `handle` decides; `deadline` says when time alone is next an event."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, assert_never

import msgspec

from tocsin.instants import SECOND_US, Now
from tocsin.model import (
    Agent,
    Calendar,
    Condition,
    Incident,
    Job,
    JobRow,
    Pause,
    Pool,
    Restore,
    Run,
    RunState,
)
from tocsin.targeting import demand_of

from . import (
    agents,
    barriers,
    chains,
    dependencies,
    holds,
    incidents,
    jobs,
    offers,
    outlook,
    pauses,
    placement,
    restored,
    retries,
    runs,
    turns,
    waiting,
    watching,
    zone_data,
)
from .commands import Command
from .eligibility import Verdict
from .events import (
    AgentBeat,
    AgentBye,
    AgentHello,
    AgentJoined,
    AgentOffers,
    AgentReport,
    AgentsHeld,
    AgentsRevoked,
    BackupRestored,
    CancelRequested,
    Event,
    FiresEnded,
    IncidentsNoticed,
    JobsDue,
    JobsPaused,
    JobsPut,
    JobsRemoved,
    OutputFollowed,
    PausesEnded,
    PausesStarted,
    RerunRequested,
    RunsRequested,
    Tick,
    ZonesChanged,
)
from .fires import Barred
from .keeping import Tail
from .outlook import Waiting
from .state import Active, Chance, Policy, Session, State


class Deadline(NamedTuple):
    """When the next `Tick` is wanted, on each clock; None when never."""

    wall_us: int | None
    steady_us: int | None


class Restored(NamedTuple):
    """An active run as the store has it."""

    run: Run
    job: Job
    offsets: tuple[int, int]
    pieces: int
    tails: dict[int, Tail]
    """What is stored behind the heads of its last attempt's output, by stream."""
    failed_on: tuple[tuple[str, RunState], ...] = ()
    """The agents of its earlier attempts, and how these ended."""
    facts: Mapping[str, Any] = {}
    """What the latest of these ended with."""


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """All that the store holds and a machine begins with."""

    due: list[tuple[int, int]] = []
    """(due, job id) of every job that has a due time."""
    active: list[Restored] = []
    ended_members: list[Run] = []
    """Of the fires on several agents under way: the runs that are over."""
    next_job_id: int = 1
    agents: list[Agent] = []
    pauses: list[Pause] = []
    resumes: list[tuple[int, int]] = []
    """(end, job id) of every pause of one job that ends by itself."""
    incidents: list[Incident] = []
    """The latest, oldest first."""
    calendars: list[Calendar] = []
    pools: list[Pool] = []
    conditions: list[Condition] = []
    """What jobs come after, as it stands."""
    restore: Restore | None = None
    """The last restore of a backup."""


class Machine:
    """Decides everything the coordinator does. It is changed through `handle` alone."""

    def __init__(
        self, *, epoch: int, policy: Policy, new_id: Callable[[], str], chance: Chance
    ) -> None:
        self._state = State(epoch=epoch, policy=policy, new_id=new_id, chance=chance)

    def restore(self, stored: Stored, now: Now) -> None:
        """Take up what the store holds."""
        state = self._state
        state.next_job_id = stored.next_job_id
        state.pools = {pool.name: pool.slots for pool in stored.pools}
        state.due = stored.due
        heapq.heapify(state.due)
        state.resumes = stored.resumes
        heapq.heapify(state.resumes)
        state.pauses = {pause.id: pause for pause in stored.pauses}
        state.incidents = stored.incidents
        state.calendars = {calendar.name: calendar for calendar in stored.calendars}
        restored.take_up(state, stored.restore)
        dependencies.restore(state, stored.conditions)
        agents.restore(state, stored.agents, now)
        lost_us = now.steady_us + round(state.policy.lost_after_s * SECOND_US)
        for run, job, offsets, pieces, tails, failed_on, _ in stored.active:
            entry = Active(run, job, demand_of(job, run.pin), list(offsets), pieces)
            entry.avoid = retries.avoided(job, failed_on)
            entry.tails = tails
            state.add(entry)
            if entry.is_held:
                dependencies.hold(state, entry)
            if run.state is not RunState.QUEUED:
                state.fleet.lost_at.setdefault(run.agent_id, lost_us)
        turns.restore(state, stored.ended_members, now)
        waiting.resume_queued(state, {it.run.id: it.facts for it in stored.active}, now)

    def handle(self, event: Event, now: Now) -> list[Command]:
        """Decide what follows from an event."""
        state = self._state
        self._decide(event, now)
        if state.loosened or state.rolling.touched or state.rolling.times:
            turns.settle(state, now)
        if state.chains.ended:
            dependencies.ask(state)
        waits = state.waiting
        if waits.anywhere or waits.stirred or waits.all_stirred or state.outgoing:
            placement.place_waiting(state, now)
        commands, state.commands = state.commands, []
        return commands

    def _decide(self, event: Event, now: Now) -> None:  # noqa: C901, PLR0912 - one case an event
        state = self._state
        match event:
            case AgentReport():
                agents.on_report(state, event, now)
            case JobsDue():
                jobs.on_due(state, event, now)
            case FiresEnded():
                chains.on_ended(state, event, now)
            case AgentBeat():
                agents.on_beat(state, event, now)
            case Tick():
                self._tick(now)
            case RunsRequested():
                jobs.on_requested(state, event, now)
            case RerunRequested():
                jobs.on_rerun(state, event, now)
            case CancelRequested():
                jobs.on_cancel(state, event, now)
            case JobsPut():
                jobs.on_put(state, event, now)
            case JobsRemoved():
                jobs.on_removed(state, event, now)
            case JobsPaused():
                jobs.on_paused(state, event, now)
            case IncidentsNoticed():
                incidents.on_noticed(state, event)
            case BackupRestored():
                restored.on_restored(state, event, now)
            case ZonesChanged():
                zone_data.on_changed(state, event)
            case PausesStarted():
                pauses.on_started(state, event, now)
            case PausesEnded():
                pauses.on_ended(state, event, now)
            case AgentHello():
                agents.on_hello(state, event, now)
            case AgentJoined():
                agents.on_joined(state, event)
            case AgentsHeld():
                holds.on_held(state, event, now)
            case AgentsRevoked():
                holds.on_revoked(state, event, now)
            case OutputFollowed(run_id):
                watching.on_followed(state, run_id, now)
            case AgentOffers():
                offers.on_offers(state, event, now)
            case AgentBye():
                agents.on_bye(state, event, now)
            case _:
                assert_never(event)

    def _tick(self, now: Now) -> None:
        state = self._state
        agents.close_silent(state, now)
        waiting.expire(state, now)
        waiting.release_delayed(state, now)
        runs.expire_held(state, now)
        holds.end_drains(state, now)
        pauses.drop_passed(state, now)
        jobs.fetch_due(state, now)

    def deadline(self) -> Deadline:
        """When time alone changes something."""
        state = self._state
        wall = [
            at_us for at_us in (self.next_due_us(), pauses.deadline_us(state)) if at_us is not None
        ]
        wall += [state.chains.patience[0][0]] if state.chains.patience else []
        fleet = state.fleet
        steady = [*fleet.lost_at.values(), *fleet.away.values(), *fleet.drains.values()]
        heaps = (state.delayed, state.expiries, state.rolling.times)
        steady += [heap[0][0] for heap in heaps if heap]
        steady += [state.fleet.silence_check_us] if state.fleet.silence_check_us is not None else []
        return Deadline(min(wall, default=None), min(steady, default=None))

    # What others may look at.

    @property
    def epoch(self) -> int:
        """The epoch of this coordinator's rule."""
        return self._state.epoch

    def next_due_us(self) -> int | None:
        """The next due time of any job."""
        return self._state.due[0][0] if self._state.due else None

    def pauses(self) -> list[Pause]:
        """Pauses that concern somebody, oldest first; some may be over."""
        return list(self._state.pauses.values())

    def barred(self, row: JobRow, due_us: int) -> Barred | None:
        """What bars a due time of a job, as things stand."""
        barrier = barriers.barrier(self._state, row)
        return None if barrier is None else barrier(due_us)

    def after(self, name: str) -> list[str]:
        """The jobs that a job comes after."""
        return list(self._state.chains.after.get(name, ()))

    def dependents(self, name: str) -> list[str]:
        """The jobs that come after a job."""
        return list(self._state.chains.dependents.get(name, ()))

    def is_active(self, run_id: str) -> bool:
        """Whether a run is not over."""
        return run_id in self._state.active

    def active_runs(self) -> list[Run]:
        """The runs that are not over, oldest first."""
        return [active.run for active in self._state.active.values()]

    def waiting(self, run_id: str, now: Now) -> Waiting | None:
        """What a run waits for, and how each agent stands to it."""
        return outlook.waiting(self._state, run_id, now)

    def silence(self, agent_id: str, now: Now) -> outlook.Silence | None:
        """Since when an agent with runs is not heard of."""
        return outlook.silence(self._state, agent_id, now)

    def lacking(self, job: Job) -> str:
        """What other jobs have not done that a job comes after, in words."""
        return outlook.lacking(self._state, job)

    def full_pool(self, job: Job) -> str:
        """That the pool of a job is full, in words."""
        return outlook.full_pool(self._state, job)

    def hosts(self, job: Job, now: Now) -> list[Verdict]:
        """How each agent stands to a job."""
        return outlook.hosts(self._state, job, now)

    def busy(self, agent_id: str) -> int:
        """How many runs an agent was given that are not over."""
        return len(self._state.by_agent.get(agent_id, ()))

    def sessions(self) -> list[Session]:
        """The agents that are connected."""
        return list(self._state.sessions.values())

    def incidents(self, count: int) -> list[Incident]:
        """The latest incidents, oldest first."""
        return self._state.incidents[-count:]

    def calendars(self) -> dict[str, Calendar]:
        """All calendars by name."""
        return self._state.calendars

    def pools(self) -> dict[str, Pool]:
        """All pools by name."""
        return {name: Pool(name=name, slots=slots) for name, slots in self._state.pools.items()}
