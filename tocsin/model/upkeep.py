"""What holds for many jobs or agents: pauses, pools, calendars; what befell time; what was done."""

from __future__ import annotations

import enum
from typing import Any

import msgspec


class Scope(enum.StrEnum):
    """What a pause is of."""

    ALL = "all"
    """Every job: due times are skipped."""
    JOB = "job"
    """Jobs whose name matches the glob `value`: due times are skipped."""
    LABEL = "label"
    """Jobs with a label, `key=glob`: due times are skipped."""
    AGENT = "agent"
    """Agents whose name matches the glob `value`: they are given no runs."""
    TAG = "tag"
    """Agents with a tag, `key=glob`: they are given no runs."""


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """Maintenance: from `since_us` until `until_us` what it is of is left alone."""

    id: str
    scope: Scope
    value: str = ""
    reason: str = ""
    by: str = ""
    since_us: int
    until_us: int | None = None
    """None: until somebody ends it."""


class Pool(msgspec.Struct, frozen=True, kw_only=True):
    """Named slots across the fleet: no more runs at a time than these use it."""

    name: str
    slots: int


class Calendar(msgspec.Struct, frozen=True, kw_only=True):
    """Days by name, for blackouts."""

    name: str
    description: str = ""
    dates: list[str] = []
    """`2026-12-25`, `2026-12-31..2027-01-02` or `12-25`, each perhaps with a label behind it."""


class IncidentKind(enum.StrEnum):
    """Why due times were not looked at, or why their clock is not to be believed."""

    DOWN = "down"
    """No coordinator was there."""
    STEP = "step"
    """The wall clock was set: forward or, with a negative amount, back."""
    SUSPEND = "suspend"
    """The coordinator's machine slept."""
    STALL = "stall"
    """The coordinator got no time to work, or its store could not be written."""
    ZONES = "zones"
    """Other time zone data than before."""
    RESTORE = "restore"
    """A backup was restored: what was done since it was made is not known."""


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """Something that befell the coordinator's time, on its wall clock."""

    kind: IncidentKind
    from_us: int
    until_us: int
    amount_us: int = 0
    """How far the wall clock was moved."""
    detail: str = ""


class Restore(msgspec.Struct, frozen=True, kw_only=True):
    """The store is a backup that was restored."""

    backup_us: int
    """When the backup was made, on the clock of the host where it was."""
    restored_us: int
    by: str
    file: str
    handed_over: bool = False
    """Nothing was done since the backup: its coordinator was stopped, and did not start again."""
    run_missed: bool = False
    """Due times since the backup are left to the `missed` policies of their jobs."""
    settled: bool = False
    """What follows for runs and dependencies was decided."""

    @property
    def until_us(self) -> int:
        """Where the span ends of which nobody knows what was done."""
        return max(self.backup_us, self.restored_us)


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One act that changed something. Each entry's digest covers the one before it."""

    number: int = 0
    """From 1 on, without a gap; 0 while the store has not numbered it."""
    at_us: int
    by: str
    act: str
    """A verb and its noun: `change job`, `kill run`, `start pause`."""
    subject: str
    """The name of what it was done to: of the job, for its runs."""
    detail: dict[str, Any] = {}
    digest: str = ""
