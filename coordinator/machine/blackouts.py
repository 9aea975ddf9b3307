"""Blackouts: windows of a job's local time, and days of calendars, in which it gets no runs."""

from __future__ import annotations

from collections.abc import Container
from functools import lru_cache
from zoneinfo import ZoneInfo

from tocsin.errors import ScheduleError
from tocsin.instants import to_rfc3339
from tocsin.model import Blackout, Job, SkipReason
from tocsin.schedule.calendars import CalendarDays, compile_calendar
from tocsin.schedule.windows import Window, parse_window
from tocsin.schedule.zones import load_zone

from .fires import Barred, Barrier
from .state import State


@lru_cache(maxsize=1024)  # forty jobs share a weekend
def window_of(start: str, end: str) -> Window:
    """The window that two texts of a job file bound.

    Raises:
        ScheduleError: they bound none.
    """
    return parse_window(start, end)


def check(job: Job, calendars: Container[str]) -> None:
    """Refuse blackouts that say nothing sensible.

    Raises:
        ScheduleError: an entry is no window, or there is no calendar of its name.
    """
    for entry in job.blackout:
        if not entry.calendar:
            window_of(entry.start, entry.end)
        elif entry.start or entry.end:
            raise ScheduleError(
                "blackout: an entry is either a window or a calendar, not both",
                hint="make two entries of it",
            )
        elif entry.calendar not in calendars:
            raise ScheduleError(
                f"blackout: there is no calendar {entry.calendar!r}",
                hint="define it in a job file, under calendars",
            )


def barriers(state: State, job: Job) -> list[Barrier]:
    """What each blackout of a job says of its due times."""
    zone = load_zone(job.timezone)
    return [_of_entry(state, entry, job.timezone, zone) for entry in job.blackout]


def _of_entry(state: State, entry: Blackout, zone_name: str, zone: ZoneInfo) -> Barrier:
    if entry.calendar:
        return _of_calendar(_days_of(state, entry.calendar), entry.calendar, zone)
    window = window_of(entry.start, entry.end)
    because = f"blackout {window.describe()} ({zone_name})"
    reached_us, last = 0, Barred(SkipReason.BLACKOUT)

    def barred(due_us: int) -> Barred | None:
        nonlocal reached_us, last
        if not window.covers(due_us, zone):
            return None
        if due_us >= reached_us:  # asked in order, so earlier ones are of the same occurrence
            until_us = window.until_us(due_us, zone)
            reached_us = due_us + 1 if until_us is None else until_us
            facts = {"because": because, "until": to_rfc3339(reached_us)}
            last = Barred(SkipReason.BLACKOUT, facts)
        return last

    return barred


def _of_calendar(days: CalendarDays, name: str, zone: ZoneInfo) -> Barrier:
    def barred(due_us: int) -> Barred | None:
        day = days.covers(due_us, zone)
        if day is None:
            return None
        because = f"blackout by calendar {name}: {day}"
        return Barred(SkipReason.BLACKOUT, {"because": because, "calendar": name, "day": day})

    return barred


def _days_of(state: State, name: str) -> CalendarDays:
    """The days of a calendar, made ready once for each version of it."""
    calendar = state.calendars.get(name)
    held = state.calendar_days.get(name)
    if held is not None and held[0] is calendar:
        return held[1]
    days = compile_calendar(calendar.dates if calendar is not None else [])
    if calendar is not None:
        state.calendar_days[name] = (calendar, days)
    return days
