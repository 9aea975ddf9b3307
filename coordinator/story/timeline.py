"""Which version of a job was in force when, and when the job was due under each.

A version is in force from just behind its change up to and including the next change: a change
settles all due times up to its own instant before it counts.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from msgspec.structs import replace

from tocsin.coordinator.machine.fires import next_due_us
from tocsin.instants import SECOND_US
from tocsin.model import Job, JobVersion

NEAR_US: Final = 3600 * SECOND_US
"""A due time that is this close to the instant that was asked for is what was meant."""
FOREVER_US: Final = 1 << 62
_BACK_US: Final = 100 * 366 * 86_400 * SECOND_US
"""So far back a last due time is looked for."""


class Era(NamedTuple):
    """A version, and how long it was in force: `from_us` exclusive, `until_us` inclusive."""

    version: JobVersion
    from_us: int
    until_us: int


class Moment(NamedTuple):
    """What is to be told of: a due time, or an instant at which nothing was due."""

    asked_us: int | None
    due_us: int | None
    """None: nothing was due at, or near, the instant that was asked for."""
    before_us: int | None
    """The last due time before it."""
    after_us: int | None
    """The first due time after it."""


def eras(versions: list[JobVersion]) -> list[Era]:
    """The versions with their spans, oldest first."""
    ends = [version.changed_us for version in versions[1:]]
    return [
        Era(version, version.changed_us, max(end_us, version.changed_us))
        for version, end_us in zip(versions, [*ends, FOREVER_US], strict=True)
    ]


def in_force(versions: list[JobVersion], at_us: int) -> JobVersion | None:
    """The version that decided of an instant; None before the first."""
    found = None
    for era in eras(versions):
        if era.from_us < at_us:
            found = era.version
    return found


def next_due(versions: list[JobVersion], after_us: int) -> int | None:
    """The first due time later than an instant, each version for its own time."""
    for era in eras(versions):
        job = era.version.job
        if job is None or era.until_us <= after_us:
            continue
        due_us = next_due_us(job, max(after_us, era.from_us))
        if due_us is not None and due_us <= era.until_us:
            return due_us
    return None


def last_due(versions: list[JobVersion], until_us: int) -> int | None:
    """The last due time that is not later than an instant."""
    for era in reversed(eras(versions)):
        job = era.version.job
        if job is None or era.from_us >= until_us:
            continue
        due_us = last_due_of(job, era.from_us, min(until_us, era.until_us))
        if due_us is not None:
            return due_us
    return None


def last_due_of(job: Job, after_us: int, until_us: int) -> int | None:
    """The last due time of one definition in a span.

    Due times are only known forwards, and never fall back: the last one is found by halving.
    """
    low_us = max(after_us, until_us - _BACK_US)
    best_us = next_due_us(job, low_us)
    if best_us is None or best_us > until_us:
        return None
    high_us = until_us
    while low_us < high_us:
        middle_us = (low_us + high_us) // 2
        due_us = next_due_us(job, middle_us)
        if due_us is None or due_us > until_us:
            high_us = middle_us
        else:
            best_us, low_us = due_us, max(due_us, middle_us + 1)
    return best_us


def moment_of(versions: list[JobVersion], asked_us: int) -> Moment:
    """The due time that somebody who names this instant means, and its neighbours."""
    exact = next_due(versions, asked_us - 1)
    if exact == asked_us:
        before, after = last_due(versions, asked_us - 1), next_due(versions, asked_us)
        return Moment(asked_us, asked_us, before, after)
    before = last_due(versions, asked_us)
    near = [due_us for due_us in (before, exact) if due_us is not None]
    nearest = min(near, key=lambda due_us: abs(due_us - asked_us), default=None)
    if nearest is not None and (
        abs(nearest - asked_us) > NEAR_US or not _lives(versions, asked_us)
    ):
        nearest = None
    return Moment(asked_us, nearest, before, exact)


def _lives(versions: list[JobVersion], at_us: int) -> bool:
    """Whether there was such a job at an instant, and it was to be due at all."""
    version = in_force(versions, at_us)
    return version is not None and version.job is not None and not life_fault(version.job, at_us)


def life_fault(job: Job, at_us: int) -> str:
    """The key that keeps a job from being due at an instant; '' when none does."""
    if not job.enabled:
        return "enabled"
    if job.starts_at_us is not None and at_us < job.starts_at_us:
        return "starts_at"
    if job.expires_at_us is not None and at_us >= job.expires_at_us:
        return "expires_at"
    return ""


def usual_moment(versions: list[JobVersion], now_us: int) -> Moment:
    """The last due time up to now, or the next one while there was none."""
    before, after = last_due(versions, now_us), next_due(versions, now_us)
    if before is None:
        return Moment(None, after, None, None if after is None else next_due(versions, after))
    return Moment(None, before, last_due(versions, before - 1), after)


def unhindered(job: Job) -> Job:
    """The job as though it were enabled, and had no beginning and no end."""
    return replace(job, enabled=True, starts_at_us=None, expires_at_us=None)
