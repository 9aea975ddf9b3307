"""What the coordinator answers to clients; `client_link` has the questions."""

from __future__ import annotations

import enum
from typing import Any

import msgspec

from tocsin.model import (
    Agent,
    AuditEntry,
    Calendar,
    Incident,
    JobRow,
    JobVersion,
    OfferedExecutor,
    Pause,
    Pool,
    Role,
    Run,
)


class Status(msgspec.Struct, frozen=True, array_like=True, tag="status"):
    """How the coordinator is."""

    version: str
    epoch: int
    pid: int
    started_us: int
    now_us: int
    store: str
    """`ok`, or since when and why the store cannot be written."""
    jobs: int
    """-1: the store does not tell."""
    runs_active: int
    runs_queued: int
    agents_up: int
    agents: int
    """Those that were struck off do not count."""
    next_due_us: int | None
    dropped: dict[str, int]
    """Messages that were not taken, counted by reason."""
    pauses: list[Pause] = []
    """The maintenance that is going on."""
    incidents: list[Incident] = []
    """The last that befell the coordinator's time, oldest first."""
    you: str = ""
    """The name by which the coordinator knows who asked."""
    role: Role | None = None
    """What who asked may do."""


class JobsPage(msgspec.Struct, frozen=True, array_like=True, tag="jobs"):
    """Jobs; `more` says that the list goes on."""

    rows: list[JobRow]
    more: bool = False


class JobChange(msgspec.Struct, frozen=True, array_like=True):
    """What a `PutJobs` did, or would do, to one job."""

    name: str
    action: str
    """`create`, `change`, `keep` or `remove`."""
    version: int
    """After the change."""


class SharedChange(msgspec.Struct, frozen=True, array_like=True):
    """What a `PutJobs` did, or would do, to one calendar or pool."""

    kind: str
    """`calendar` or `pool`."""
    name: str
    action: str
    """`create`, `change`, `keep` or `remove`."""


class JobsPut(msgspec.Struct, frozen=True, array_like=True, tag="jobs_put"):
    """The effect of a `PutJobs`, in the order asked, removals last."""

    changes: list[JobChange]
    shared: list[SharedChange] = []


class JobVersions(msgspec.Struct, frozen=True, array_like=True, tag="job_versions"):
    """Versions of a job; `more` says that the list goes on."""

    rows: list[JobVersion]
    more: bool = False


class Shared(msgspec.Struct, frozen=True, array_like=True, tag="shared"):
    """All calendars and pools, by name."""

    calendars: list[Calendar]
    pools: list[Pool]


class AuditPage(msgspec.Struct, frozen=True, array_like=True, tag="audit"):
    """Entries of the audit; `more` says that the list goes on."""

    rows: list[AuditEntry]
    more: bool = False


class RunsPage(msgspec.Struct, frozen=True, array_like=True, tag="runs"):
    """Runs; `more` says that the list goes on."""

    rows: list[Run]
    more: bool = False


class OutputPiece(msgspec.Struct, frozen=True, array_like=True):
    """A piece of output: `position` orders all pieces of a run, in order of arrival.

    `at_us` is when the last of it was printed. `gap_bytes` that are not kept come before its data;
    `offset` is that of the first of them.
    """

    position: int
    attempt: int
    stream: int
    offset: int
    at_us: int
    data: bytes
    gap_bytes: int = 0

    @property
    def end(self) -> int:
        """The offset behind it."""
        return self.offset + self.gap_bytes + len(self.data)


class OutputPage(msgspec.Struct, frozen=True, array_like=True, tag="output"):
    """Pieces of output. `ended`: the run is over and this is the last of it."""

    pieces: list[OutputPiece]
    ended: bool
    more: bool
    not_kept_bytes: int = 0
    """So much of what the run has printed so far is not kept, here or elsewhere."""


class OutputFound(msgspec.Struct, frozen=True, array_like=True, tag="output_found"):
    """Where a text is in the output; an answer looks through a bounded part of it."""

    position: int
    """Of the piece in which the text ends; 0: it is not in what was looked through."""
    next: int
    """The position to look on from; 0: there is no more."""
    looked_bytes: int


class AgentsPage(msgspec.Struct, frozen=True, array_like=True, tag="agents"):
    """All agents."""

    rows: list[Agent]


class ExecutorsPage(msgspec.Struct, frozen=True, array_like=True, tag="executors_page"):
    """Executors by name; one that is not the same everywhere has several rows."""

    rows: list[OfferedExecutor]


class PausesPage(msgspec.Struct, frozen=True, array_like=True, tag="pauses"):
    """The maintenance that is going on, oldest first."""

    rows: list[Pause]


class StepKind(enum.StrEnum):
    """What a step of a story is about, in the order in which it is decided."""

    JOB = "job"
    """Whether there was such a job, and which version of it was in force."""
    LIFE = "life"
    """`enabled`, `starts_at`, `expires_at`."""
    SCHEDULE = "schedule"
    CLOCK = "clock"
    """A change between summer and winter time."""
    REQUEST = "request"
    """Who asked for it, or what it repeats or follows."""
    JITTER = "jitter"
    PAUSE = "pause"
    BLACKOUT = "blackout"
    COORDINATOR = "coordinator"
    """Whether anybody was there to look at the due time, on a clock to be believed."""
    MISSED = "missed"
    DEPENDENCY = "dependency"
    OVERLAP = "overlap"
    POOL = "pool"
    PLACEMENT = "placement"
    """Which agent it went to, and why; or why to none."""
    ROLLOUT = "rollout"
    """Which of several agents go first, and whether the others follow."""
    START = "start"
    ATTEMPT = "attempt"
    RETRY = "retry"
    RUN = "run"
    """One run of several of a due time."""
    RESULT = "result"
    NOW = "now"
    NEXT = "next"


class StepVerdict(enum.StrEnum):
    """What a step did to the due time."""

    YES = "yes"
    """It let it on."""
    NO = "no"
    """It stopped it."""
    INFO = "info"


class Step(msgspec.Struct, frozen=True, array_like=True):
    """One thing that was decided, or happened, in words and in figures."""

    kind: StepKind
    verdict: StepVerdict
    text: str
    at_us: int | None = None
    facts: dict[str, Any] = {}


class Story(msgspec.Struct, frozen=True, array_like=True, tag="story"):
    """Everything that is known of one due time, in the order in which it is decided."""

    job: str
    at_us: int | None
    """The due time; None for a run that was asked for, and where nothing is due."""
    timezone: str
    """Of the job: times in words are of its clock."""
    verdict: str
    """One sentence."""
    steps: list[Step]
    runs: list[Run]
    """The records; of very many the first `PAGE_ROWS_MAX`, those that did not succeed before."""


class Token(msgspec.Struct, frozen=True, array_like=True, tag="token"):
    """A new token; what is missing for the join string the client knows."""

    id: str
    secret: str
    port: int
    """Where it is to be shown."""
    expires_us: int


class Done(msgspec.Struct, frozen=True, array_like=True, tag="done"):
    """It is done and durable; `names` are the jobs or runs or agents that it was done to."""

    names: list[str]


class Declined(msgspec.Struct, frozen=True, array_like=True, tag="declined"):
    """It was not done: why, and what to do about it."""

    message: str
    hint: str = ""


Answer = (
    Status
    | JobsPage
    | JobsPut
    | JobVersions
    | Shared
    | AuditPage
    | RunsPage
    | OutputPage
    | OutputFound
    | AgentsPage
    | ExecutorsPage
    | PausesPage
    | Story
    | Token
    | Done
    | Declined
)
