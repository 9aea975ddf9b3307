"""What the machine remembers between events, and the commands it has given so far.

Only runs that are not over are here, and the heap of due times; everything else is in the store.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

import msgspec

from tocsin.execution import AttemptKey, Order
from tocsin.messages.agent_link import ToAgent
from tocsin.model import (
    Agent,
    Calendar,
    Condition,
    Incident,
    Job,
    Pause,
    Restore,
    Run,
    RunState,
    SkipReason,
)
from tocsin.schedule.calendars import CalendarDays
from tocsin.targeting import Demand, pin_of

from .commands import Command, SaveAgent, Send
from .keeping import Tail
from .rollout import Rollout

Queue = tuple[Demand, str]
"""Runs that any of the same agents could take, and that need a slot of the same pool, if any."""


Place = tuple[int, int, str]
"""Where a run stands among those that wait: its priority, negative, its age, its id."""


class Chance(Protocol):
    """A source of chance, as `random.Random` is one."""

    def random(self) -> float:
        """A number from 0 up to 1."""
        ...

    def randrange(self, stop: int, /) -> int:
        """A whole number from 0 up to `stop`."""
        ...


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The spans, in seconds, that the coordinator decides by."""

    heartbeat_s: float = 1.0
    """Agents give a sign of life so often."""
    agent_silence_s: float = 10.0
    """An agent that is not heard for so long is down."""
    lost_after_s: float = 600.0
    """The runs of an agent that is down for so long are lost."""
    unplaced_s: float = 3600.0
    """A run that no agent could take for so long is skipped."""
    rejoin_s: float = 30.0
    """An agent that went away counts as expected for so long; so do all at the start."""


class Active(msgspec.Struct):
    """A run that is not over. `offsets` are the ends of its stored output, by stream."""

    run: Run
    job: Job
    demand: Demand
    offsets: list[int]
    pieces: int = 0
    """How many pieces of output are stored, over all attempts."""
    tails: dict[int, Tail] = {}
    """What is stored behind the head of its output, of each stream that has so much."""
    avoid: tuple[str, ...] = ()
    """The agents on which an attempt failed; others are preferred."""
    blocked: bool = False
    """Waits for earlier runs of its job to end."""
    waits_turn: bool = False
    """Waits for others of its fire, which goes from host to host."""
    delayed_until_us: int | None = None
    """On the steady clock: it goes to no agent before."""
    expires_us: int | None = None
    """On the steady clock: queued until then at most."""
    rejoin_us: int | None = None
    """On the steady clock: until then its only agent, which went away, is expected back."""

    @property
    def is_held(self) -> bool:
        """Whether it is the record of a due time that waits for the jobs its own comes after."""
        run = self.run
        return run.state is RunState.QUEUED and run.reason == SkipReason.DEPENDENCY

    @property
    def may_go(self) -> bool:
        """Whether it waits for nothing but an agent."""
        if self.blocked or self.waits_turn or self.delayed_until_us is not None:
            return False
        return not self.is_held

    @property
    def queue(self) -> Queue:
        """With which others it waits for an agent."""
        return self.demand, self.job.pool


class Session(msgspec.Struct):
    """One agent that is connected, from its hello on."""

    agent: Agent
    id: str
    spool: str
    heard_us: int
    """Steady clock."""
    busy: int = 0
    orders_sent: int = 0
    orders_at_last_beat: int = 0
    reports_seen: int = 0
    draining: bool = False
    outbox: list[Order] = []

    @property
    def free(self) -> int:
        """How many more runs it may be given."""
        return 0 if self.draining else self.agent.slots - self.busy


class Watched(NamedTuple):
    """An agent was asked for the newest output of an attempt."""

    key: AttemptKey
    session: str
    at_us: int
    """Steady clock."""


class Chains(msgspec.Struct):
    """Jobs that come after others."""

    after: dict[str, dict[str, Condition]] = {}
    """What a job waits for, by its name and the name of the other job."""
    dependents: dict[str, dict[str, None]] = {}
    """The jobs that come after a job, all by name."""
    patience: list[tuple[int, str]] = []
    """Heap of (wall clock, run id): until when a due time waits."""
    ended: dict[str, tuple[int, str]] = {}
    """Job id and name of the fires that ended in this step and concern other jobs."""


class Fleet(msgspec.Struct):
    """All agents, whether or not they are connected."""

    known: dict[str, Agent] = {}
    """By id; also those that are down, were revoked or never connected."""
    away: dict[str, int] = {}
    """Steady instant until which an agent without a session is expected back."""
    drains: dict[str, int] = {}
    """Steady instant at which what still runs on a draining agent is cancelled."""
    lost_at: dict[str, int] = {}
    """Steady instant at which the runs of an agent without a session are lost."""
    watched: dict[str, Watched] = {}
    """The runs whose output somebody follows, or followed lately."""
    hellos: dict[str, dict[str, int]] = {}
    """The number of the last hello that each agent said, from each of its spools."""
    silence_check_us: int | None = None
    """Steady instant at which sessions are next looked at for silence."""


class Waiting(msgspec.Struct):
    """Runs that could go to an agent now, as heaps of (-priority, age, run id).

    Those that only one agent may take are looked at again when that has stirred: with a fire on
    thousands of hosts, most of what waits cannot go anywhere, whatever happens elsewhere.
    """

    anywhere: dict[Queue, list[Place]] = {}
    at: dict[str, dict[Queue, list[Place]]] = {}
    """By the only agent that may take them."""
    stirred: dict[str, None] = {}
    """Agents that may have come to have a free slot, or something that waits for it."""
    all_stirred: bool = False

    def push(self, queue: Queue, place: Place) -> None:
        """Let a run wait."""
        pin = pin_of(queue[0])
        queues = self.anywhere
        if pin:
            queues = self.at.setdefault(pin, {})
            self.stirred[pin] = None
        heapq.heappush(queues.setdefault(queue, []), place)

    def take_stirred(self) -> dict[Queue, list[Place]]:
        """The queues that are to be looked at; until something stirs again, these were all."""
        pins = self.at if self.all_stirred else [pin for pin in self.stirred if pin in self.at]
        found = dict(self.anywhere)
        for pin in pins:
            found.update(self.at[pin])
        self.stirred.clear()
        self.all_stirred = False
        return found

    def drop(self, queue: Queue) -> None:
        """Forget an empty queue."""
        pin = pin_of(queue[0])
        if not pin:
            del self.anywhere[queue]
            return
        del self.at[pin][queue]
        if not self.at[pin]:
            del self.at[pin]


class Rolling(msgspec.Struct):
    """Fires that go from host to host."""

    fires: dict[str, Rollout] = {}
    """By group; those of which some member waits for its turn."""
    touched: dict[str, None] = {}
    """Groups of which a member ended, or may go, in this step."""
    times: list[tuple[int, str]] = []
    """Heap of (steady instant, group): when the next member may go."""


class State:
    """The mutable inside of the machine."""

    def __init__(  # noqa: PLR0915 - a field and its meaning are two
        self, *, epoch: int, policy: Policy, new_id: Callable[[], str], chance: Chance
    ) -> None:
        self.epoch: Final = epoch
        self.policy: Final = policy
        self.new_id: Final = new_id
        self.chance: Final = chance
        self.commands: list[Command] = []
        self.due: list[tuple[int, int]] = []
        """Heap of (due, job id). An entry whose row has another cursor is stale."""
        self.active: dict[str, Active] = {}
        self.by_job: dict[int, dict[str, None]] = {}
        """The active runs of each job, oldest first."""
        self.held: dict[int, dict[str, None]] = {}
        """The runs of each job's due time that waits for other jobs; they are not in `by_job`."""
        self.beside: dict[int, None] = {}
        """Jobs of which a next attempt waits for another fire, while others of its own may go."""
        self.members: dict[str, int] = {}
        """How many runs of a fire on several agents are active, by group."""
        self.chains: Final = Chains()
        self.by_agent: dict[str, dict[str, None]] = {}
        """The active runs that each agent was given."""
        self.waiting = Waiting()
        self.delayed: list[tuple[int, str]] = []
        """Heap of (steady instant, run id): retries, and runs that begin later than due."""
        self.expiries: list[tuple[int, str]] = []
        """Heap of (steady instant, run id): runs that wait for an agent."""
        self.fleet = Fleet()
        self.sessions: dict[str, Session] = {}
        self.candidates: dict[Demand, list[str]] = {}
        """Agents that match a demand; emptied when an agent comes, goes or changes."""
        self.pauses: dict[str, Pause] = {}
        """By id; those that are over stay while due times before their end have no record."""
        self.resumes: list[tuple[int, int]] = []
        """Heap of (end, job id): pauses of one job that end by themselves, perhaps ended before."""
        self.incidents: list[Incident] = []
        """The latest, oldest first."""
        self.restore: Restore | None = None
        """The last restore of a backup, where nobody knows what was done in between."""
        self.left_alone: dict[AttemptKey, None] = {}
        """Attempts of runs that are not known, which were told of."""
        self.calendars: dict[str, Calendar] = {}
        self.calendar_days: dict[str, tuple[Calendar, CalendarDays]] = {}
        """Calendars made ready to be asked; of use while the calendar is the one in `calendars`."""
        self.pools: dict[str, int] = {}
        """The slots of each pool."""
        self.pool_used: dict[str, int] = {}
        """How many runs hold a slot of each pool."""
        self.outgoing: dict[str, None] = {}
        """Agents with orders in their outbox."""
        self.next_job_id = 1
        self.turn = 0
        """Rotates the choice among many agents."""
        self.ages = 0
        self.rolling = Rolling()
        self.loosened: dict[int, None] = {}
        """Jobs of which a run ended in this step."""

    def keep_agent(self, agent: Agent) -> None:
        """Remember what an agent is, durably."""
        self.fleet.known[agent.id] = agent
        session = self.sessions.get(agent.id)
        if session is not None:
            session.agent = agent
        self.commands.append(SaveAgent(agent))

    def say(self, agent_id: str, message: ToAgent) -> None:
        """Have something sent to an agent."""
        self.commands.append(Send(agent_id, message))

    def add(self, active: Active) -> None:
        """Take up a run."""
        run = active.run
        self.active[run.id] = active
        siblings = self.held if active.is_held else self.by_job
        siblings.setdefault(run.job_id, {})[run.id] = None
        if run.pin:
            self.members[run.group] = self.members.get(run.group, 0) + 1
        if run.agent_id:
            self.assign(run)

    def assign(self, run: Run) -> None:
        """Count a run among those of the agent that it names, and of its pool."""
        pool = self.active[run.id].job.pool
        if pool:
            self.pool_used[pool] = self.pool_used.get(pool, 0) + 1
        self.by_agent.setdefault(run.agent_id, {})[run.id] = None
        session = self.sessions.get(run.agent_id)
        if session is not None:
            session.busy += 1

    def unassign(self, run: Run) -> None:
        """Free the slot of the agent that the run names, and that of its pool."""
        if self.by_agent.get(run.agent_id, {}).pop(run.id, self) is None:
            self.waiting.stirred[run.agent_id] = None
            pool = self.active[run.id].job.pool
            if pool:
                self.pool_used[pool] -= 1
                self.waiting.all_stirred = True
            session = self.sessions.get(run.agent_id)
            if session is not None:
                session.busy -= 1

    def stir(self) -> None:
        """Look at everything that waits: agents may have become other than they were."""
        self.candidates.clear()
        self.waiting.all_stirred = True

    def remove(self, run: Run) -> None:
        """Drop a run that is over."""
        self.unassign(run)
        del self.active[run.id]
        if run.id in self.held.get(run.job_id, ()):
            _take_out(self.held, run)
        else:
            _take_out(self.by_job, run)
        if run.pin:
            self.members[run.group] -= 1
            if not self.members[run.group]:
                del self.members[run.group]

    def free(self, active: Active) -> None:
        """Count a run that waited for other jobs among its job's own."""
        run = active.run
        _take_out(self.held, run)
        self.by_job.setdefault(run.job_id, {})[run.id] = None

    def enqueue(self, active: Active) -> None:
        """Let a run wait for an agent."""
        self.ages += 1
        entry = (-active.job.priority, self.ages, active.run.id)
        self.waiting.push(active.queue, entry)
        if active.expires_us is not None:
            heapq.heappush(self.expiries, (active.expires_us, active.run.id))

    def runs_on(self, agent_id: str) -> list[Active]:
        """The active runs that an agent was given."""
        return [self.active[run_id] for run_id in self.by_agent.get(agent_id, ())]


def _take_out(by_job: dict[int, dict[str, None]], run: Run) -> None:
    siblings = by_job[run.job_id]
    del siblings[run.id]
    if not siblings:
        del by_job[run.job_id]


def key_of(run: Run) -> AttemptKey:
    """The key of a run's current attempt."""
    return AttemptKey(f"{run.id}.{run.attempt}")
