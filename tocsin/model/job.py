"""Jobs: what is to be run, when, where, and how it is treated."""

from __future__ import annotations

import enum
from typing import Any, Final, Literal

import msgspec

from tocsin.execution import Expect, Limits

from .run import RunState

NAME_LENGTH_MAX: Final = 128
DAY_S: Final = 86_400.0


class Overlap(enum.StrEnum):
    """What a due time does while an earlier run of its job is not over."""

    ALLOW = "allow"
    SKIP = "skip"
    QUEUE = "queue"
    """Wait for the earlier run; more than the job's `queue_limit` waiting are skipped."""
    REPLACE = "replace"
    """End the earlier run, then start."""


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


class DependencyOn(enum.StrEnum):
    """Which end of another job's fire counts."""

    SUCCESS = "success"
    """All its runs succeeded."""
    FAILURE = "failure"
    """At least one of them ended otherwise; a skip is no end."""
    ANY = "any"


class Target(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which agents may run a job, and how many do."""

    tags: dict[str, str | list[str]] = {}
    """Each key must be a tag of the agent whose value matches one glob; `name` is always a tag."""
    agents: int | Literal["all"] = 1
    choose: Choose = Choose.LEAST_BUSY
    max_parallel: int | None = None
    """On several agents: at most so many of them at a time."""
    stagger_s: float = msgspec.field(default=0.0, name="stagger")
    """On several agents: so long between one turn and the next."""
    canary: int = 0
    """On several agents: so many first, and the others only when all of these succeeded."""
    stop_after: int | None = None
    """On several agents: after so many failures none of the others is begun."""


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


class Blackout(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """When due times get no run: a window of the job's local time, or the days of a calendar."""

    start: str = msgspec.field(default="", name="from")
    """`Fri 18:00`, `22:00`, `12-24` or `2026-12-24 18:00`; `to` is written the same way."""
    end: str = msgspec.field(default="", name="to")
    calendar: str = ""


class Dependency(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Another job whose end a job waits for."""

    job: str
    on: DependencyOn = DependencyOn.SUCCESS


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """One of the ends that a job waits for, as it stands."""

    job_id: int
    job: str
    """The job that waits."""
    dependency: Dependency
    held_by: str = ""
    """The fire by whose end it holds; '' while it does not."""
    succeeded: bool | None = None
    """How the other job's last fire ended; None: none has ended yet."""
    ended_us: int | None = None
    """When it did."""
    matched_us: int | None = None
    """When a fire last ended as it asks."""


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
    ephemeral: bool = False
    """Removed when a fire of it has succeeded."""
    jitter_s: float = msgspec.field(default=0.0, name="jitter")
    """It starts up to so much later than it is due: always the same for one job and agent."""
    blackout: list[Blackout] = []
    after: list[Dependency] = []
    """All of them must have ended so since the job's last fire."""
    target: Target = Target()
    overlap: Overlap = Overlap.SKIP
    queue_limit: int = 100
    """How many fires wait at most, with `overlap: queue`."""
    missed: Missed = Missed()
    on_lost: OnLost = OnLost.REPORT
    timeout_s: float = msgspec.field(default=DAY_S, name="timeout")
    kill_after_s: float = msgspec.field(default=10.0, name="kill_after")
    retry: Retry = Retry()
    env: dict[str, str] = {}
    secrets: dict[str, str] = {}
    """Variables whose values each agent reads from its own files, by the names of those."""
    run_as: str = ""
    """`user` or `user:group`; empty: whoever the agent is."""
    limits: Limits = Limits()
    """What an attempt may use, all its processes together."""
    output: OutputRule = OutputRule()
    expect: Expect | None = None
    expect_failure: bool = False
    """`tocsin up --for` does not count this job's failures."""
    labels: dict[str, str] = {}
    priority: int = 0
    """Among runs that wait for a slot, the higher one goes first."""
    pool: str = ""
    """Each of its runs takes a slot of this pool, of which the fleet has a fixed number."""
    params: dict[str, str | None] = {}
    """What a request may give a run, with what it is otherwise; None must be given."""


class JobVersion(msgspec.Struct, frozen=True, kw_only=True):
    """What a job was from one change on; each is kept."""

    job_id: int
    """A job that is removed and made again has another one."""
    version: int
    name: str
    job: Job | None
    """None: the change was the job's removal."""
    changed_us: int
    changed_by: str


class JobRow(msgspec.Struct, frozen=True, kw_only=True):
    """A job as the coordinator keeps it: its definition, its version and its cursor."""

    id: int
    job: Job
    version: int
    paused: bool = False
    pause_reason: str = ""
    paused_by: str = ""
    pause_until_us: int | None = None
    """The pause ends by itself; None: when somebody resumes it."""
    next_due_us: int | None = None
    """The next due time that has no record yet; None when there is none."""
    last_state: RunState | None = None
    last_due_us: int | None = None
    """The latest due time that has a record; only where rows are asked for by name."""
    changed_us: int = 0
    changed_by: str = ""
