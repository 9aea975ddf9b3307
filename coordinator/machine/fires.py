"""Which due times are owed a record at this moment, and which record each one gets.

A due time that a barrier is on (a pause, a blackout) is skipped; the `missed` policy has to do
with the others alone.

The cursor of a job is its next due time without a record. It is moved along the schedule from
due time to due time, never from "now", so a clock that steps back repeats nothing and one that
steps forward, like any absence, leaves due times to the job's `missed` policy.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Any, Final, NamedTuple

from tocsin.instants import SECOND_US
from tocsin.model import Job, JobRow, Missed, MissedPolicy, SkipReason
from tocsin.schedule import parse

LATE_US: Final = 10 * SECOND_US
"""A due time served this late is still on schedule; later it is a catch-up."""
WITHIN_MAX_US: Final = 3600 * SECOND_US
STEP_DUES_MAX: Final = 2_000
"""The most due times of one job that are looked at in one step."""
SINGLE_SKIPS_MAX: Final = 100
"""More skips than this at once: the older ones share one record."""


_NO_FACTS: Final[dict[str, Any]] = {}


class Barred(NamedTuple):
    """Why a due time gets no run; `facts` say more, in words."""

    reason: SkipReason
    facts: dict[str, Any] = _NO_FACTS


Barrier = Callable[[int], Barred | None]
"""What is said of a due time before any policy is asked; None: nothing."""


class Skip(NamedTuple):
    """A record for `dues` consecutive due times that get no run."""

    first_us: int
    last_us: int
    dues: int
    reason: SkipReason
    facts: dict[str, Any] = _NO_FACTS


class Owed(NamedTuple):
    """What a job's due times up to now come to; `cursor_us` is the first one after them."""

    fires_us: list[int]
    skips: list[Skip]
    cursor_us: int | None


def next_due_us(job: Job, after_us: int) -> int | None:
    """The first due time after an instant, over all schedules, within the job's life."""
    if not job.enabled:
        return None
    if job.starts_at_us is not None and after_us < job.starts_at_us:
        after_us = job.starts_at_us - 1
    due_us: int | None = None
    for text in job.schedule:
        schedule = parse(text, job.timezone, key=job.name, dst=job.dst)
        candidate_us = schedule.next_us(after_us)
        if candidate_us is not None and (due_us is None or candidate_us < due_us):
            due_us = candidate_us
    if due_us is not None and job.expires_at_us is not None and due_us >= job.expires_at_us:
        return None
    return due_us


def is_within_life(job: Job, at_us: int) -> bool:
    """Whether a job may fire by itself at an instant."""
    begun = job.starts_at_us is None or at_us >= job.starts_at_us
    return job.enabled and begun and (job.expires_at_us is None or at_us < job.expires_at_us)


def owed(row: JobRow, now_us: int, barrier: Barrier | None = None) -> Owed:
    """Decide every due time of the row from its cursor up to now.

    A job that owes more than `STEP_DUES_MAX` gets the first of them decided; its cursor then
    still lies in the past, so the next step goes on from there.
    """
    dues, cursor_us = _dues_until(row, now_us)
    if barrier is None and len(dues) == 1 and now_us - dues[0] <= LATE_US:
        return Owed(dues, [], cursor_us)  # on time: every policy lets it fire
    refused: dict[int, Barred] = {}
    if barrier is not None:
        refused = {due: barred for due in dues if (barred := barrier(due)) is not None}
    free = [due for due in dues if due not in refused]
    if cursor_us is not None and cursor_us <= now_us:
        refused.update(dict.fromkeys(free, Barred(_reason(row.job.missed))))
    elif free:
        interval_us = None if cursor_us is None else cursor_us - dues[-1]
        refused.update(_missed(row.job.missed, free, interval_us, now_us))
    skips = [
        skip
        for barred, group in groupby(dues, refused.get)
        if barred is not None
        for skip in _skips(list(group), barred)
    ]
    return Owed([due for due in dues if due not in refused], skips, cursor_us)


def _dues_until(row: JobRow, now_us: int) -> tuple[list[int], int | None]:
    dues: list[int] = []
    cursor_us = row.next_due_us
    while cursor_us is not None and cursor_us <= now_us and len(dues) < STEP_DUES_MAX:
        dues.append(cursor_us)
        cursor_us = next_due_us(row.job, cursor_us)
    return dues, cursor_us


def _missed(
    missed: Missed, dues: list[int], interval_us: int | None, now_us: int
) -> dict[int, Barred]:
    """Those of the due times that do not fire; `interval_us` is that behind the last one."""
    if missed.policy is MissedPolicy.SKIP:
        return {due: Barred(SkipReason.MISSED) for due in dues if now_us - due > LATE_US}
    oldest_us = now_us - within_us(missed, interval_us)
    fresh = [due for due in dues if due >= oldest_us]
    count = 1 if missed.policy is MissedPolicy.LATEST else max(missed.limit, 1)
    old = dict.fromkeys(dues[: len(dues) - len(fresh)], Barred(SkipReason.MISSED))
    return old | dict.fromkeys(fresh[:-count], Barred(_reason(missed)))


def within_us(missed: Missed, interval_us: int | None) -> int:
    """How late a due time is still caught up."""
    if missed.within_s is not None:
        return max(round(missed.within_s * SECOND_US), LATE_US)
    if missed.policy is MissedPolicy.ALL or interval_us is None:
        return WITHIN_MAX_US
    return min(max(interval_us, LATE_US), WITHIN_MAX_US)


def _reason(missed: Missed) -> SkipReason:
    return SkipReason.CATCHUP_LIMIT if missed.policy is MissedPolicy.ALL else SkipReason.MISSED


def _skips(dues: list[int], barred: Barred) -> list[Skip]:
    cut = max(len(dues) - SINGLE_SKIPS_MAX, 0)
    together, single = dues[:cut], dues[cut:]
    skips = [Skip(due, due, 1, *barred) for due in single]
    if together:
        skips.insert(0, Skip(together[0], together[-1], len(together), *barred))
    return skips
