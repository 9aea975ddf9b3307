"""What a change of the clock did to a due time, in a sentence for whoever looks at it."""

from __future__ import annotations

from datetime import UTC, datetime

from tocsin.schedule.schedule import PatternPlan, Schedule
from tocsin.schedule.zones import change_between, offset_at, offsets_of

_SECOND_US = 1_000_000
_DAY_S = 86_400


def clock_note(schedule: Schedule, due_us: int, after_us: int) -> str:
    """How the due time that follows `after_us` was affected by a change of the clock; "" if not.

    It stands for a time that the clock leaps over, its time is shown twice, or times before it
    were left out.
    """
    plan = schedule.plan
    if not isinstance(plan, PatternPlan) or plan.offset is not None:
        return ""
    zone, due = plan.zone, due_us // _SECOND_US
    wall = due + offset_at(due, zone)
    earlier, later = offsets_of(wall, zone)
    if earlier > later:
        if plan.pattern.fixed and plan.dst != "literal":
            return f"the clock shows {_time(wall)} twice: due the first time"
        which = "first" if due == wall - earlier else "second"
        return f"the {which} time that the clock shows {_time(wall)}"
    after = after_us // _SECOND_US
    # The clock has shown or leapt over this in between.
    passed = plan.pattern.first_from(after + offset_at(after, zone) + 1)
    if passed is None or passed >= wall:
        return ""
    earlier, later = offsets_of(passed, zone)
    if earlier >= later:
        return ""
    leap_end = change_between(passed - later, passed - earlier, zone)
    leap_from, leap_to = leap_end + earlier, leap_end + later
    leap = f"the clock leaps from {_moment(leap_from, leap_to)} to {_moment(leap_to, leap_from)}"
    if due == leap_end and plan.pattern.fixed and plan.dst == "vixie":
        stands = "also stands" if plan.pattern.first_from(wall) == wall else "stands"
        return f"{stands} for {_moment(passed, wall)}: {leap}"
    if not plan.pattern.fixed and passed // _DAY_S == wall // _DAY_S:
        return f"{leap} before it"
    return f"{_moment(passed, wall)} is left out: {leap}"


def _moment(wall: int, beside: int) -> str:
    """A wall time, with its date unless it is that of another."""
    if wall // _DAY_S == beside // _DAY_S:
        return _time(wall)
    return f"{datetime.fromtimestamp(wall, UTC):%Y-%m-%d} {_time(wall)}"


def _time(wall: int) -> str:
    shown = datetime.fromtimestamp(wall, UTC)
    return f"{shown:%H:%M:%S}" if shown.second else f"{shown:%H:%M}"
