"""Runs: one due time or one request, served."""

from __future__ import annotations

import enum
from typing import Any, Final

import msgspec

from tocsin.execution import Status


class Trigger(enum.StrEnum):
    """Why a run exists."""

    SCHEDULE = "schedule"
    MANUAL = "manual"
    AFTER = "after"
    """The jobs it comes after have ended as it asks."""
    RETRY = "retry"
    """Somebody had failed runs repeated."""
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
    BLACKOUT = "blackout"
    DEPENDENCY = "dependency"
    """The jobs it comes after did not end as it asks until its next due time."""
    STOPPED = "stopped"
    """Too many others of its fire failed, or the canary did."""
    RESTORED = "restored"
    """It fell between a backup and its restore: whether it ran then is not known."""


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
    cause: str = ""
    """The fire whose end let it begin, for a job that comes after others; for `retry`: the group
    that it repeats."""
    params: dict[str, str] = {}
    placed: str = ""
    """Why it went to its agent, in words."""
    launch_failures: int = 0
    """How many of its attempts were refused before they began; these use up no retry."""
    reopened: bool = False
    """It was given up as lost, and its whole fire was over, when its agent came back with it."""
