"""From one due time of a job to the one before it, and to the one after."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tocsin.errors import ScheduleError
from tocsin.fires import dues
from tocsin.instants import SECOND_US
from tocsin.model import Job, Run

FIRST_SPAN_US: Final = 60 * SECOND_US
REACH_US: Final = 3 * 366 * 86_400 * SECOND_US
"""So far back a due time is looked for."""


def due_after(job: Job | None, runs: Iterable[Run], at_us: int) -> int | None:
    """The next due time later than `at_us`, by the schedule as it is now or by the records."""
    recorded = [run.due_us for run in runs if run.due_us is not None and run.due_us > at_us]
    found = [*recorded, *_first(job, at_us)]
    return min(found, default=None)


def due_before(job: Job | None, runs: Iterable[Run], at_us: int) -> int | None:
    """The last due time earlier than `at_us`, by the schedule as it is now or by the records."""
    recorded = [run.due_us for run in runs if run.due_us is not None and run.due_us < at_us]
    latest = max(recorded, default=None)
    span_us = FIRST_SPAN_US
    while job is not None and span_us < REACH_US:
        # Schedules walk forward only: ever longer spans are walked until one holds a due time.
        found = _last_within(job, at_us - span_us, at_us)
        if found is not None:
            return found if latest is None else max(found, latest)
        if latest is not None and latest >= at_us - span_us:
            return latest
        span_us *= 2
    return latest


def _first(job: Job | None, after_us: int) -> list[int]:
    try:
        return [] if job is None else [due.at_us for due in [next(dues(job, after_us))]]
    except (StopIteration, ScheduleError):
        return []


def _last_within(job: Job, from_us: int, before_us: int) -> int | None:
    found = None
    try:
        for due in dues(job, from_us - 1):
            if due.at_us >= before_us:
                break
            found = due.at_us
    except ScheduleError:
        return None
    return found
