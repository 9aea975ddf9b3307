"""The nouns: jobs, runs and agents. Each is one frozen type, used in memory, on wires and in rows.

Instants are integers in microseconds (`…_us`, see `tocsin.instants`), spans are seconds (`…_s`),
sizes are bytes. A field that a job file spells differently carries that spelling as its name.
"""

from __future__ import annotations

import enum
from typing import Any, Final, Literal

import msgspec

from tocsin.execution import Status

NAME_LENGTH_MAX: Final = 128
DAY_S: Final = 86_400.0


class Overlap(enum.StrEnum):
    """What a due time does while an earlier run of its job is not over."""

    ALLOW = "allow"
    SKIP = "skip"
    QUEUE = "queue"
    """Wait for the earlier run; more than `OVERLAP_QUEUE_MAX` waiting are skipped."""
    REPLACE = "replace"
    """End the earlier run, then start."""


OVERLAP_QUEUE_MAX: Final = 100


class MissedPolicy(enum.StrEnum):
    """What becomes of due times that passed while nobody could act on them."""

    SKIP = "skip"
    LATEST = "latest"
    ALL = "all"


class OnLost(enum.StrEnum):
    """What to do when nobody can know whether an attempt ran."""

    REPORT = "report"
    RETRY = "retry"


class Choose(enum.StrEnum):
    """Which of the agents that could take a run gets it."""

    LEAST_BUSY = "least_busy"
    RANDOM = "random"
    STICKY = "sticky"


class Trigger(enum.StrEnum):
    """Why a run exists."""

    SCHEDULE = "schedule"
    MANUAL = "manual"
    CATCHUP = "catchup"


class RunState(enum.StrEnum):
    """Where a run stands; the transitions are in `tocsin.coordinator.machine.transitions`."""

    QUEUED = "queued"
    DISPATCHED = "dispatched"
    ACCEPTED = "accepted"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    LOST = "lost"
    REFUSED = "refused"
    SKIPPED = "skipped"
    """The record of a due time that got no run; `reason` says why."""


TERMINAL: Final = frozenset(
    {
        RunState.SUCCEEDED,
        RunState.FAILED,
        RunState.TIMED_OUT,
        RunState.CANCELLED,
        RunState.LOST,
        RunState.REFUSED,
        RunState.SKIPPED,
    }
)
END_STATE: Final = {status: RunState(status.value) for status in Status}
"""The state in which a run ends for each way in which its attempt can end."""


class SkipReason(enum.StrEnum):
    """Why a due time got no run."""

    OVERLAP = "overlap"
    MISSED = "missed"
    PAUSED = "paused"
    CATCHUP_LIMIT = "catchup_limit"
    NO_AGENT = "no_agent"


class Target(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which agents may run a job, and how many do."""

    tags: dict[str, str | list[str]] = {}
    """Each key must be a tag of the agent whose value matches one glob; `name` is always a tag."""
    agents: int | Literal["all"] = 1
    choose: Choose = Choose.LEAST_BUSY


class Missed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Due times that passed while the coordinator was away, paused, or its clock jumped."""

    policy: MissedPolicy = MissedPolicy.LATEST
    within_s: float | None = msgspec.field(default=None, name="within")
    """Older due times are skipped; None means the job's interval, at most an hour."""
    limit: int = 10
    """At most this many catch-up runs at once, the latest ones; for `all`."""


class Retry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a failed or timed-out attempt is tried again."""

    limit: int = 0
    delay_s: float = msgspec.field(default=10.0, name="delay")
    backoff: float = 2.0
    max_delay_s: float = msgspec.field(default=300.0, name="max_delay")
    jitter: float = 0.1
    """The delay is spread by this share of itself, up and down."""
    elsewhere: bool = True
    """Prefer another agent than the one that failed."""


class OutputRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much output is kept of each stream: its head and its tail, a marked gap between."""

    keep_bytes: int = msgspec.field(default=1 << 20, name="keep")


class Job(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """What is to be run, when, where, and how it is treated. The schema of one job in a file."""

    name: str
    executor: str
    config: dict[str, Any]
    description: str = ""
    schedule: list[str] = []
    timezone: str = "UTC"
    dst: Literal["vixie", "skip", "literal"] = "vixie"
    starts_at_us: int | None = msgspec.field(default=None, name="starts_at")
    expires_at_us: int | None = msgspec.field(default=None, name="expires_at")
    enabled: bool = True
    target: Target = Target()
    overlap: Overlap = Overlap.SKIP
    missed: Missed = Missed()
    on_lost: OnLost = OnLost.REPORT
    timeout_s: float = msgspec.field(default=DAY_S, name="timeout")
    kill_after_s: float = msgspec.field(default=10.0, name="kill_after")
    retry: Retry = Retry()
    env: dict[str, str] = {}
    output: OutputRule = OutputRule()
    expect_failure: bool = False
    """`tocsin up --for` does not count this job's failures."""
    labels: dict[str, str] = {}
    priority: int = 0
    """Among runs that wait for a slot, the higher one goes first."""


class JobRow(msgspec.Struct, frozen=True, kw_only=True):
    """A job as the coordinator keeps it: its definition, its version and its cursor."""

    id: int
    job: Job
    version: int
    paused: bool = False
    pause_reason: str = ""
    next_due_us: int | None = None
    """The next due time that has no record yet; None when there is none."""
    last_state: RunState | None = None
    last_due_us: int | None = None
    """The latest due time that has a record; only where rows are asked for by name."""
    changed_us: int = 0
    changed_by: str = ""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One due time or one request, served: a run with its current attempt, or a skip."""

    id: str
    job_id: int
    job: str
    job_version: int
    trigger: Trigger
    state: RunState
    created_us: int
    due_us: int | None = None
    group: str = ""
    """The id of the first run of this fire or request: runs on several agents share it."""
    slot: int = 0
    """Its number in the group, from 0."""
    pin: str = ""
    """The id of the only agent that may take it, when its group goes to several."""
    reason: str = ""
    attempt: int = 1
    not_before_us: int | None = None
    """A retry waits until then."""
    agent_id: str = ""
    agent: str = ""
    spool: str = ""
    """The memory of the agent when the attempt was dispatched, see `Hello.spool`."""
    dispatched_us: int | None = None
    accepted_us: int | None = None
    started_us: int | None = None
    finished_us: int | None = None
    cancel_requested: bool = False
    exit_code: int | None = None
    facts: dict[str, Any] = {}
    peak_memory_bytes: int | None = None
    cpu_us: int | None = None
    output_bytes: int = 0
    requested_by: str = ""
    dues: int = 1
    """How many due times a skip stands for; the last of them is `due_last_us`."""
    due_last_us: int | None = None


class AgentState(enum.StrEnum):
    """Whether an agent is there, and may be given runs."""

    UP = "up"
    DRAINING = "draining"
    CORDONED = "cordoned"
    DOWN = "down"
    REVOKED = "revoked"
    PENDING = "pending"
    """It asked to be let in, and nobody has accepted it yet."""


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    """A host's agent as the coordinator knows it."""

    id: str
    key: str
    """Its CURVE public key in hexadecimal."""
    name: str
    state: AgentState = AgentState.DOWN
    tags: dict[str, str] = {}
    """What it says of itself, and over that what it was let in with."""
    given_tags: dict[str, str] = {}
    """Those it was let in with: it cannot change them."""
    slots: int = 0
    busy: int = 0
    executors: list[str] = []
    version: str = ""
    spool: str = ""
    last_seen_us: int | None = None


class Role(enum.StrEnum):
    """What a peer may do; each of the four human roles includes those before it."""

    STRANGER = "stranger"
    AGENT = "agent"
    VIEWER = "viewer"
    OPERATOR = "operator"
    AUTHOR = "author"
    ADMIN = "admin"


HUMAN_RANK: Final = {Role.VIEWER: 1, Role.OPERATOR: 2, Role.AUTHOR: 3, Role.ADMIN: 4}
