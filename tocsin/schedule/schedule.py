"""A schedule: the one question is when it is next due after a given instant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

import msgspec

from tocsin.schedule.describe import describe_pattern
from tocsin.schedule.pattern import Pattern
from tocsin.schedule.walk import next_elapsed, next_once

_SECOND_US = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# Well inside what datetime holds, so that no offset leaves it.
_EARLIEST = int(datetime(1, 1, 3, tzinfo=UTC).timestamp())
_LATEST = int(datetime(9998, 1, 1, tzinfo=UTC).timestamp())


class Plan(Protocol):
    """One way to be due; instants are whole seconds since the epoch."""

    def next_s(self, after: int) -> int | None:
        """The first due instant later than `after`, or None when there is none."""
        ...

    def describe(self) -> str:
        """The plan in plain English."""
        ...


class PatternPlan(msgspec.Struct, frozen=True):
    """Times of a clock in a zone, under a rule for changes of the clock.

    `offset` is the zone's offset when it has never had another, as UTC.
    """

    pattern: Pattern
    zone: ZoneInfo
    dst: str
    offset: int | None

    def next_s(self, after: int) -> int | None:
        """The first due instant later than `after`."""
        if self.offset is not None:
            wall = self.pattern.first_from(after + 1 + self.offset)
            return None if wall is None else wall - self.offset
        if self.pattern.fixed and self.dst != "literal":
            return next_once(self.pattern, self.zone, after, run_leapt=self.dst == "vixie")
        return next_elapsed(self.pattern, self.zone, after)

    def describe(self) -> str:
        """The times in plain English, with their zone."""
        return f"{describe_pattern(self.pattern)} ({self.zone.key})"


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """When a job is due: `text` as it was written, in `timezone`.

    `warnings` are sentences about what is allowed but may not be meant.
    """

    text: str
    timezone: str
    warnings: tuple[str, ...]
    plan: Plan
    zone: ZoneInfo

    def next(self, after: datetime) -> datetime | None:
        """The first due time later than `after`, which must be aware; in the schedule's zone."""
        if after.tzinfo is None:
            raise ValueError("after has no time zone: due times are instants")
        due_us = self.next_us((after - _EPOCH) // _MICROSECOND)
        if due_us is None:
            return None
        return datetime.fromtimestamp(due_us // _SECOND_US, self.zone)

    def next_us(self, after_us: int) -> int | None:
        """The first due instant later than `after_us`, both in microseconds since the epoch."""
        after = after_us // _SECOND_US
        if not _EARLIEST <= after < _LATEST:
            if after >= _LATEST:
                return None
            after = _EARLIEST
        due = self.plan.next_s(after)
        return None if due is None or due > _LATEST else due * _SECOND_US

    def interval_us(self, after_us: int) -> int | None:
        """The time between the next two due instants after `after_us`, in microseconds."""
        first = self.next_us(after_us)
        second = None if first is None else self.next_us(first)
        return None if first is None or second is None else second - first

    def describe(self) -> str:
        """The schedule in plain English."""
        return self.plan.describe()
