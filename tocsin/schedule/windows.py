"""Windows of local time, such as Friday 18:00 to Monday 06:00, in which nothing is to start.

A window covers an instant while the clock of its zone shows a time in [from, to): it follows the
clock through every change, ends at once where the clock leaps over its end, and is left and
entered again where the clock is put back across an edge of it.
"""

from __future__ import annotations

import enum
import re
from datetime import date
from typing import assert_never
from zoneinfo import ZoneInfo

import msgspec

from tocsin.errors import ScheduleError
from tocsin.schedule.names import MONTHS, WEEKDAYS
from tocsin.schedule.zones import change_between, offset_at

_SECOND_US = 1_000_000
_DAY_S = 86_400
_WEEK_S = 7 * _DAY_S
# 1970-01-01 was a Thursday: this many days after a Monday.
_EPOCH_WEEKDAY = 3
_EPOCH_DAY = date(1970, 1, 1).toordinal()
# In no zone are two changes of the clock since 1970 closer than a week.
_LOOK_AHEAD_S = 5 * _DAY_S
# Any month fits into this many days, so that month * 32 + day orders the days of a year.
_MONTH_DAYS = 32
_LEAP_YEAR = 2024
# As many tell Tuesday from Thursday.
_LETTERS_MIN = 3
_MINUTES = 60

_TIME = r"([0-9]{1,2}):([0-9]{2})"
_DAILY = re.compile(_TIME)
_WEEKLY = re.compile(rf"([A-Za-z]+)(?: +{_TIME})?")
_YEARLY = re.compile(rf"([0-9]{{1,2}})-([0-9]{{1,2}})(?: +{_TIME})?")
_ONCE = re.compile(rf"([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})(?:[T ]+{_TIME})?")
_EXAMPLES = "22:00, Fri 18:00, 12-24 or 2026-12-24 18:00"


class Period(enum.StrEnum):
    """How often a window comes."""

    DAY = "every day"
    WEEK = "every week"
    YEAR = "every year"
    ONCE = "once"


class Window(msgspec.Struct, frozen=True):
    """The local times from `start` to just before `stop`, both in seconds.

    They are counted from the beginning of the day or of the week (Monday); within a year, where
    months differ, from that of a month of 32 days; and once, from 1970-01-01 on the clock.
    """

    period: Period
    start: int
    stop: int

    def covers(self, at_us: int, zone: ZoneInfo) -> bool:
        """Whether the clock of the zone shows a time of the window."""
        at = at_us // _SECOND_US
        return self._holds(at + offset_at(at, zone))

    def until_us(self, at_us: int, zone: ZoneInfo) -> int | None:
        """The first instant after `at_us` that is not covered; None when `at_us` is not."""
        at = at_us // _SECOND_US
        while True:
            offset = offset_at(at, zone)
            if not self._holds(at + offset):
                return at * _SECOND_US if at * _SECOND_US > at_us else None
            ahead = min(at + self._left(at + offset), at + _LOOK_AHEAD_S)
            if offset_at(ahead, zone) != offset:
                ahead = change_between(at, ahead, zone)
            at = ahead

    def describe(self) -> str:
        """The window in plain English."""
        span = f"from {self._words(self.start)} to {self._words(self.stop)}"
        return span if self.period is Period.ONCE else f"{self.period} {span}"

    def _holds(self, wall: int) -> bool:
        place = self._place(wall)
        if self.start < self.stop:
            return self.start <= place < self.stop
        return place >= self.start or place < self.stop

    def _place(self, wall: int) -> int:
        """Where a wall second stands in the period."""
        match self.period:
            case Period.DAY:
                return wall % _DAY_S
            case Period.WEEK:
                return (wall + _EPOCH_WEEKDAY * _DAY_S) % _WEEK_S
            case Period.YEAR:
                day = date.fromordinal(wall // _DAY_S + _EPOCH_DAY)
                return _place_in_year(day.month, day.day) + wall % _DAY_S
            case Period.ONCE:
                return wall
            case _:
                assert_never(self.period)

    def _left(self, wall: int) -> int:
        """Seconds until the clock shows the end, when it is not changed before."""
        place = self._place(wall)
        match self.period:
            case Period.DAY:
                return (self.stop - place) % _DAY_S
            case Period.WEEK:
                return (self.stop - place) % _WEEK_S
            case Period.YEAR:
                year = date.fromordinal(wall // _DAY_S + _EPOCH_DAY).year
                return _wall_in_year(year + (place >= self.stop), self.stop) - wall
            case Period.ONCE:
                return self.stop - wall
            case _:
                assert_never(self.period)

    def _words(self, place: int) -> str:
        day, time = place // _DAY_S, f"{place % _DAY_S // 3600:02}:{place // 60 % 60:02}"
        match self.period:
            case Period.DAY:
                return time
            case Period.WEEK:
                return f"{WEEKDAYS[(day + 1) % 7]} {time}"
            case Period.YEAR:
                return f"{day % _MONTH_DAYS} {MONTHS[day // _MONTH_DAYS]} {time}"
            case Period.ONCE:
                return f"{date.fromordinal(day + _EPOCH_DAY)} {time}"
            case _:
                assert_never(self.period)


def parse_window(from_: str, to: str) -> Window:
    """The window that two local times of one kind bound; a date or weekday alone is its midnight.

    Kinds are `22:00`, `Fri 18:00`, `12-24 18:00` (every year) and `2026-12-24 18:00` (once).
    """
    for key, text, other in (("from", from_, "to"), ("to", to, "from")):
        if not text.strip():
            raise ScheduleError(
                f"a window with {other!r} and no {key!r}",
                hint=f"give both, such as {{from: 'Fri 18:00', to: 'Mon 06:00'}}; got {other}: "
                f"{(to if key == 'from' else from_)!r}",
            )
    (period, start), (to_period, stop) = _parse_edge(from_, "from"), _parse_edge(to, "to")
    if period is not to_period:
        raise ScheduleError(
            f"window from {from_!r} to {to!r}: the first is a time of {_KINDS[period]}, the second "
            f"of {_KINDS[to_period]}",
            hint=f"write both alike: two of {_EXAMPLES}",
        )
    if start == stop:
        raise ScheduleError(
            f"window from {from_!r} to {to!r} is empty: it ends where it begins",
            hint="'to' is the first moment outside; to keep a job from running at all, disable it",
        )
    if period is Period.ONCE and start > stop:
        raise ScheduleError(
            f"window from {from_!r} to {to!r} ends before it begins",
            hint=f"such as {{from: {to!r}, to: {from_!r}}}",
        )
    return Window(period, start, stop)


_KINDS = {
    Period.DAY: "every day",
    Period.WEEK: "every week",
    Period.YEAR: "every year",
    Period.ONCE: "one date",
}


def _parse_edge(text: str, key: str) -> tuple[Period, int]:
    """The kind of a local time, and its place in the period."""
    text = text.strip()
    if found := _DAILY.fullmatch(text):
        return Period.DAY, _seconds(found[1], found[2], text, key) % _DAY_S
    if found := _WEEKLY.fullmatch(text):
        day = _weekday(found[1], text, key)
        return Period.WEEK, (day * _DAY_S + _seconds(found[2], found[3], text, key)) % _WEEK_S
    if found := _YEARLY.fullmatch(text):
        month, day = int(found[1]), int(found[2])
        # A leap year, so that 29 February may be written.
        _date(f"{_LEAP_YEAR}-{month:02}-{day:02}", text, key)
        return Period.YEAR, _place_in_year(month, day) + _of_date(found[3], found[4], text, key)
    if found := _ONCE.fullmatch(text):
        midnight = (_date(found[1], text, key).toordinal() - _EPOCH_DAY) * _DAY_S
        return Period.ONCE, midnight + _of_date(found[2], found[3], text, key)
    raise ScheduleError(
        f"window {key} {text!r} is no local time", hint=f"such as {_EXAMPLES}, without a zone"
    )


def _seconds(hour: str | None, minute: str | None, text: str, key: str) -> int:
    """Seconds since midnight; 24:00 is the next one."""
    if hour is None or minute is None:
        return 0
    seconds = int(hour) * 3600 + int(minute) * 60
    if seconds > _DAY_S or int(minute) >= _MINUTES:
        raise ScheduleError(f"window {key} {text!r}: expected a time from 00:00 to 24:00")
    return seconds


def _of_date(hour: str | None, minute: str | None, text: str, key: str) -> int:
    seconds = _seconds(hour, minute, text, key)
    if seconds == _DAY_S:
        raise ScheduleError(
            f"window {key} {text!r}: a date has no 24:00", hint="write the day after it"
        )
    return seconds


def _weekday(name: str, text: str, key: str) -> int:
    """0 for Monday, by its English name or the first letters of it."""
    names = [day.lower() for day in WEEKDAYS]
    for number, full in enumerate(names):
        if len(name) >= _LETTERS_MIN and full.startswith(name.lower()):
            return (number - 1) % 7
    from difflib import get_close_matches

    near = get_close_matches(name.lower(), [*names, *(full[:3] for full in names)], n=1)
    raise ScheduleError(
        f"window {key} {text!r}: {name!r} is no weekday",
        hint=f"did you mean {near[0].title()}?" if near else "write Mon, Tue, Wed … Sun",
    )


def _date(iso: str, text: str, key: str) -> date:
    try:
        return date.fromisoformat(iso)
    except ValueError as error:
        raise ScheduleError(f"window {key} {text!r}: there is no such date") from error


def _place_in_year(month: int, day: int) -> int:
    return (month * _MONTH_DAYS + day) * _DAY_S


def _wall_in_year(year: int, place: int) -> int:
    """The wall second of a place in a year; 29 February is 1 March where there is none."""
    month, day = divmod(place // _DAY_S, _MONTH_DAYS)
    try:
        midnight = date(year, month, day).toordinal()
    except ValueError:
        return (date(year, month + 1, 1).toordinal() - _EPOCH_DAY) * _DAY_S
    return (midnight - _EPOCH_DAY) * _DAY_S + place % _DAY_S
