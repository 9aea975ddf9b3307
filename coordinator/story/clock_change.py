"""What a change between summer and winter time did to a due time, in words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from tocsin.instants import SECOND_US
from tocsin.schedule import Schedule
from tocsin.schedule.schedule import PatternPlan
from tocsin.schedule.zones import offset_at, offsets_of

_LEAP_MAX_S: Final = 3 * 3600


def change_at_due(schedule: Schedule, due_us: int) -> str:
    """Why a due time is where it is in a night in which the clock is changed; else nothing."""
    plan = schedule.plan
    if not isinstance(plan, PatternPlan) or plan.offset is not None:
        return ""
    due = due_us // SECOND_US
    offset = offset_at(due, plan.zone)
    wall = due + offset
    first, second = offsets_of(wall, plan.zone)
    if first > second:
        return _twice(plan, wall, first_pass=offset == first)
    leap = offset - offset_at(due - 1, plan.zone)
    if leap > 0 and plan.pattern.first_from(wall) != wall:
        leapt = plan.pattern.first_from(wall - leap)
        if leapt is not None and leapt < wall:
            over = f"the clock leapt from {_clock(wall - leap)} to {_clock(wall)}"
            return f"{over} over {_clock(leapt)}: due at {_clock(wall)}"
    return ""


def _twice(plan: PatternPlan, wall: int, *, first_pass: bool) -> str:
    twice = f"the clock showed {_clock(wall)} twice that night"
    if plan.pattern.fixed and plan.dst != "literal":
        return f"{twice}: due once, on the first pass"
    which = "first" if first_pass else "second"
    return f"{twice}: due on both passes, this is the {which}"


def leapt_over(schedule: Schedule, at_us: int) -> str:
    """Why a schedule is not due at the end of a leap of the clock; else nothing."""
    plan = schedule.plan
    if not isinstance(plan, PatternPlan) or plan.offset is not None:
        return ""
    at = at_us // SECOND_US
    wall = at + offset_at(at, plan.zone)
    leap = wall - (at - 1 + offset_at(at - 1, plan.zone)) - 1
    if not 0 < leap <= _LEAP_MAX_S:
        return ""
    leapt = plan.pattern.first_from(wall - leap)
    if leapt is None or leapt >= wall:
        return ""
    rule = f"dst: {plan.dst}" if plan.pattern.fixed else "it follows elapsed time"
    return (
        f"the clock leapt from {_clock(wall - leap)} to {_clock(wall)} that night: "
        f"{_clock(leapt)} never came ({rule})"
    )


def second_pass(schedule: Schedule, at_us: int) -> str:
    """Why a schedule is not due when the clock shows its time again; else nothing."""
    plan = schedule.plan
    if not isinstance(plan, PatternPlan) or plan.offset is not None:
        return ""
    at = at_us // SECOND_US
    offset = offset_at(at, plan.zone)
    wall = at + offset
    first, second = offsets_of(wall, plan.zone)
    if first > second == offset and plan.pattern.first_from(wall) == wall:
        return f"{_twice(plan, wall, first_pass=False)}, an hour before"
    return ""


def _clock(wall: int) -> str:
    shown = datetime.fromtimestamp(wall, UTC)
    return f"{shown:%H:%M:%S}" if shown.second else f"{shown:%H:%M}"
