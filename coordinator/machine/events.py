"""What can happen to the coordinator. Rows that a decision needs come with the event."""

from __future__ import annotations

import msgspec

from tocsin.execution import Offer
from tocsin.messages.agent_link import Hello, Report
from tocsin.model import (
    Agent,
    AgentState,
    Calendar,
    Incident,
    Job,
    JobRow,
    Pause,
    Pool,
    Restore,
    Run,
    RunState,
)

from .keeping import Tail

Asker = tuple[bytes, int]
"""Whom to answer: a connection and the number of its request."""


class Tick(msgspec.Struct, frozen=True):
    """Time passed; the deadline may be reached."""


class JobsDue(msgspec.Struct, frozen=True):
    """The rows that `FetchDue` asked for, each with the due time it was asked for."""

    due: list[tuple[int, JobRow | None]]


class FiresEnded(msgspec.Struct, frozen=True):
    """What `FetchFires` asked for: fires that may be over, and jobs that are concerned by it."""

    fires: list[list[Run]]
    rows: dict[int, JobRow]


class JobsPut(msgspec.Struct, frozen=True):
    """Definitions to be kept, each with what it replaces, and what is to be removed with them."""

    asker: Asker
    by: str
    puts: list[tuple[Job, JobRow | None]]
    removals: list[JobRow] = []
    calendars: list[tuple[Calendar, Calendar | None]] = []
    pools: list[tuple[Pool, Pool | None]] = []
    remove_calendars: list[str] = []
    remove_pools: list[str] = []
    last_versions: dict[str, int] = {}
    """Of the jobs that are made again: the version with which the last one was removed."""


class JobsRemoved(msgspec.Struct, frozen=True):
    """Jobs to be deleted."""

    asker: Asker
    by: str
    rows: list[JobRow]


class JobsPaused(msgspec.Struct, frozen=True):
    """Jobs to be paused (or, with `paused` false, resumed)."""

    asker: Asker
    by: str
    rows: list[JobRow]
    paused: bool
    reason: str = ""
    until_us: int | None = None
    """The pause ends by itself then; None: it does not."""


class IncidentsNoticed(msgspec.Struct, frozen=True):
    """Something befell the coordinator's time."""

    incidents: list[Incident]


class BackupRestored(msgspec.Struct, frozen=True):
    """The store that was taken up is a backup that was just restored."""

    restore: Restore


class ZonesChanged(msgspec.Struct, frozen=True):
    """The time zone data is another than before; these rows are some of all jobs."""

    rows: list[JobRow]


class PausesStarted(msgspec.Struct, frozen=True):
    """Maintenance to be begun at once; id, author and beginning are not theirs yet."""

    asker: Asker
    by: str
    pauses: list[Pause]


class PausesEnded(msgspec.Struct, frozen=True):
    """Maintenance to be ended; ids of what is over are passed by."""

    asker: Asker
    by: str
    pause_ids: list[str]


class RunsRequested(msgspec.Struct, frozen=True):
    """Jobs to be run now, with the parameters that were given for each."""

    asker: Asker
    by: str
    rows: list[JobRow]
    params: dict[str, dict[str, str]] = {}


class Rerun(msgspec.Struct, frozen=True):
    """One fire to be repeated: with its job as it is now, on these agents, with what it had."""

    row: JobRow
    group: str
    params: dict[str, str]
    pins: list[str]
    """None: the job's target says where."""


class RerunRequested(msgspec.Struct, frozen=True):
    """Fires to be repeated."""

    asker: Asker
    by: str
    reruns: list[Rerun]


class CancelRequested(msgspec.Struct, frozen=True):
    """Runs to be ended; ids of runs that are over are passed by."""

    asker: Asker
    by: str
    run_ids: list[str]


class PastRun(msgspec.Struct, frozen=True):
    """A run that is over, with its job and how much of its output is stored."""

    run: Run
    job: Job | None
    offsets: tuple[int, int]
    pieces: int
    failed_on: tuple[tuple[str, RunState], ...] = ()
    """The agents of its earlier attempts, and how these ended."""
    tails: dict[int, Tail] = {}
    """What is stored behind the heads of its last attempt's output, see `Active`."""


class AgentJoined(msgspec.Struct, frozen=True):
    """A host was let in; its agent has not connected yet."""

    agent: Agent


class AgentsHeld(msgspec.Struct, frozen=True):
    """Agents that are to take no runs (`held`: cordoned or draining), or to take them again."""

    asker: Asker
    by: str
    agent_ids: list[str]
    held: AgentState | None
    reason: str = ""
    deadline_s: float | None = None
    """What a draining agent still runs then is cancelled."""


class AgentsRevoked(msgspec.Struct, frozen=True):
    """Agents to be struck off."""

    asker: Asker
    by: str
    agent_ids: list[str]
    reason: str = ""
    lost_now: bool = False
    """Give up at once what they run, and not only when they have been away for long."""


class AgentHello(msgspec.Struct, frozen=True):
    """An agent opened a session; `past` has those of its attempts' runs that are over here."""

    agent: Agent
    hello: Hello
    past: dict[str, PastRun]


class AgentBeat(msgspec.Struct, frozen=True):
    """An agent's heartbeat."""

    agent_id: str
    session: str
    orders_seen: int


class AgentReport(msgspec.Struct, frozen=True):
    """An agent reported attempts and output."""

    agent_id: str
    report: Report


class OutputFollowed(msgspec.Struct, frozen=True):
    """A client waits for what a run prints next."""

    run_id: str


class AgentOffers(msgspec.Struct, frozen=True):
    """An agent says what its executors are, and how they are."""

    agent_id: str
    session: str
    offers: list[Offer]


class AgentBye(msgspec.Struct, frozen=True):
    """An agent takes no more runs, and with `final` is about to end."""

    agent_id: str
    session: str
    final: bool


Event = (
    Tick
    | JobsDue
    | FiresEnded
    | JobsPut
    | JobsRemoved
    | JobsPaused
    | PausesStarted
    | PausesEnded
    | IncidentsNoticed
    | BackupRestored
    | ZonesChanged
    | RunsRequested
    | RerunRequested
    | CancelRequested
    | AgentJoined
    | AgentsHeld
    | AgentsRevoked
    | AgentHello
    | AgentBeat
    | AgentReport
    | OutputFollowed
    | AgentOffers
    | AgentBye
)
