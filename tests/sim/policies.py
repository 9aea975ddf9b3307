"""What a job's `missed` policy owes the due times that were decided together: a second opinion."""

from __future__ import annotations

from typing import NamedTuple

from tocsin.model import Job, MissedPolicy, SkipReason

from .oracle import SECOND_US, next_due_us

ON_TIME_US = 10 * SECOND_US
HOUR_US = 3600 * SECOND_US


class Debt(NamedTuple):
    """The due times of one job that were decided at one reading of the wall clock."""

    job: Job
    barred: dict[int, str]
    """Those that no policy has to do with, with the reason."""
    dues: list[int]
    wall_us: int


def expected(debt: Debt) -> dict[int, str]:
    """For each due time: `fire`, or the reason of its skip."""
    missed = debt.job.missed
    within_us = _within_us(debt)
    free = [due for due in debt.dues if due not in debt.barred]
    fresh = [due for due in free if debt.wall_us - due <= within_us]
    verdicts: dict[int, str] = dict.fromkeys(free, SkipReason.MISSED)
    match missed.policy:
        case MissedPolicy.SKIP:
            fires = fresh
        case MissedPolicy.LATEST:
            fires = fresh[-1:]
        case MissedPolicy.ALL:
            fires = fresh[-max(missed.limit, 1) :]
            verdicts.update(dict.fromkeys(fresh, SkipReason.CATCHUP_LIMIT))
    verdicts.update(dict.fromkeys(fires, "fire"))
    return verdicts | debt.barred


def _within_us(debt: Debt) -> int:
    missed = debt.job.missed
    if missed.policy is MissedPolicy.SKIP:
        return ON_TIME_US
    if missed.within_s is not None:
        return max(round(missed.within_s * SECOND_US), ON_TIME_US)
    if missed.policy is MissedPolicy.ALL:
        return HOUR_US
    following = next_due_us(debt.job.schedule, debt.dues[-1])
    assert following is not None
    return min(max(following - debt.dues[-1], ON_TIME_US), HOUR_US)
