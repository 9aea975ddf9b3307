"""Which due times are owed a record at this moment, and which record each one gets.

The cursor of a job is its next due time without a record. It is moved along the schedule from
due time to due time, never from "now", so a clock that steps back repeats nothing and one that
steps forward, like any absence, leaves due times to the job's `missed` policy.
"""

from __future__ import annotations

from typing import Final, NamedTuple

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


class Skip(NamedTuple):
    """A record for `dues` consecutive due times that get no run."""

    first_us: int
    last_us: int
    dues: int
    reason: SkipReason


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


def owed(row: JobRow, now_us: int) -> Owed:
    """Decide every due time of the row from its cursor up to now.

    A job that owes more than `STEP_DUES_MAX` gets the first of them decided; its cursor then
    still lies in the past, so the next step goes on from there.
    """
    dues, cursor_us = _dues_until(row, now_us)
    if not dues:
        return Owed([], [], cursor_us)
    if row.paused:
        return Owed([], _skips(dues, SkipReason.PAUSED), cursor_us)
    more = cursor_us is not None and cursor_us <= now_us
    if more:
        return Owed([], _skips(dues, _reason(row.job.missed)), cursor_us)
    fires, skips = _split(row.job.missed, dues, cursor_us, now_us)
    return Owed(fires, skips, cursor_us)


def _dues_until(row: JobRow, now_us: int) -> tuple[list[int], int | None]:
    dues: list[int] = []
    cursor_us = row.next_due_us
    while cursor_us is not None and cursor_us <= now_us and len(dues) < STEP_DUES_MAX:
        dues.append(cursor_us)
        cursor_us = next_due_us(row.job, cursor_us)
    return dues, cursor_us


def _split(
    missed: Missed, dues: list[int], next_us: int | None, now_us: int
) -> tuple[list[int], list[Skip]]:
    """The due times that fire, and the records of the others."""
    if len(dues) == 1 and now_us - dues[0] <= LATE_US:
        return dues, []  # on time: every policy lets it fire
    if missed.policy is MissedPolicy.SKIP:
        fires = [due for due in dues if now_us - due <= LATE_US]
        return fires, _skips(dues[: len(dues) - len(fires)], SkipReason.MISSED)
    within_us = _within_us(missed, dues[-1], next_us)
    fresh = [due for due in dues if now_us - due <= within_us]
    count = 1 if missed.policy is MissedPolicy.LATEST else max(missed.limit, 1)
    fires = fresh[-count:]
    old, passed_over = dues[: len(dues) - len(fresh)], fresh[: len(fresh) - len(fires)]
    return fires, [*_skips(old, SkipReason.MISSED), *_skips(passed_over, _reason(missed))]


def _within_us(missed: Missed, last_us: int, next_us: int | None) -> int:
    if missed.within_s is not None:
        return max(round(missed.within_s * SECOND_US), LATE_US)
    if missed.policy is MissedPolicy.ALL or next_us is None:
        return WITHIN_MAX_US
    return min(max(next_us - last_us, LATE_US), WITHIN_MAX_US)


def _reason(missed: Missed) -> SkipReason:
    return SkipReason.CATCHUP_LIMIT if missed.policy is MissedPolicy.ALL else SkipReason.MISSED


def _skips(dues: list[int], reason: SkipReason) -> list[Skip]:
    cut = max(len(dues) - SINGLE_SKIPS_MAX, 0)
    together, single = dues[:cut], dues[cut:]
    skips = [Skip(due, due, 1, reason) for due in single]
    if together:
        skips.insert(0, Skip(together[0], together[-1], len(together), reason))
    return skips
