"""Days by name, such as public holidays: which of them a date is.

An item is `2026-12-25`, a range `2026-12-31..2027-01-02` with both its ends, or every year
`12-25` and `12-24..12-26`; a label may follow, as in `12-25 Christmas`. A calendar has no zone:
its days are whole days by the clock of whoever asks.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from datetime import date
from zoneinfo import ZoneInfo

import msgspec

from tocsin.errors import ScheduleError
from tocsin.schedule.zones import offset_at

_SECOND_US = 1_000_000
_DAY_S = 86_400
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_ITEM = re.compile(r"([0-9-]+)(?:\.\.([0-9-]+))?(?:\s+(.*))?", re.DOTALL)
_DATED = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_YEARLY = re.compile(r"[0-9]{2}-[0-9]{2}")
# A year that has 29 February.
_LEAP_YEAR = 2024
_EXAMPLES = "2026-12-25, 2026-12-31..2027-01-02 or, every year, 12-25; a label may follow"


class CalendarDays(msgspec.Struct, frozen=True):
    """The days of a calendar, ready to be asked.

    `starts` and `ends` are the first and last days of ranges that do not overlap, in order,
    counted from 1970-01-01; `yearly` is asked by (month, day).
    """

    starts: tuple[int, ...]
    ends: tuple[int, ...]
    labels: tuple[str, ...]
    yearly: dict[tuple[int, int], str]

    def covers(self, at_us: int, zone: ZoneInfo) -> str | None:
        """The label, or else the text, of the item that the local day of an instant is in."""
        at = at_us // _SECOND_US
        day = (at + offset_at(at, zone)) // _DAY_S
        place = bisect_right(self.starts, day) - 1
        if place >= 0 and day <= self.ends[place]:
            return self.labels[place]
        if not self.yearly:
            return None
        local = date.fromordinal(day + _EPOCH_DAY)
        return self.yearly.get((local.month, local.day))


def compile_calendar(dates: Iterable[str]) -> CalendarDays:
    """The items of a calendar; of two that hold one day, that which begins first names it."""
    ranges: list[tuple[int, int, str]] = []
    yearly: dict[tuple[int, int], str] = {}
    for item in dates:
        found = _ITEM.fullmatch(item.strip())
        if not found:
            raise ScheduleError(f"calendar date {item!r}: expected {_EXAMPLES}")
        first_text, last_text, label = found[1], found[2] or found[1], found[3]
        name = label or item.strip()
        if _YEARLY.fullmatch(first_text) and _YEARLY.fullmatch(last_text):
            for month_day in _yearly_days(first_text, last_text, item):
                yearly.setdefault(month_day, name)
        elif _DATED.fullmatch(first_text) and _DATED.fullmatch(last_text):
            ranges.append((*_dated_range(first_text, last_text, item), name))
        else:
            raise ScheduleError(f"calendar date {item!r}: expected {_EXAMPLES}")
    starts, ends, labels = _without_overlap(ranges)
    return CalendarDays(starts, ends, labels, yearly)


def _dated_range(first_text: str, last_text: str, item: str) -> tuple[int, int]:
    first, last = _date(first_text, item), _date(last_text, item)
    if first > last:
        raise ScheduleError(
            f"calendar date {item!r}: the range runs backwards",
            hint=f"write {last_text}..{first_text}",
        )
    return first.toordinal() - _EPOCH_DAY, last.toordinal() - _EPOCH_DAY


def _yearly_days(first_text: str, last_text: str, item: str) -> list[tuple[int, int]]:
    """The days from one to another, over the end of the year where the second comes first."""
    first = _date(f"{_LEAP_YEAR}-{first_text}", item).toordinal()
    last = _date(f"{_LEAP_YEAR}-{last_text}", item).toordinal()
    year = range(date(_LEAP_YEAR, 1, 1).toordinal(), date(_LEAP_YEAR, 12, 31).toordinal() + 1)
    days = [
        day for day in year if (first <= day <= last) or (last < first and not last < day < first)
    ]
    return [(day.month, day.day) for day in map(date.fromordinal, days)]


def _without_overlap(
    ranges: list[tuple[int, int, str]],
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[str, ...]]:
    starts: list[int] = []
    ends: list[int] = []
    labels: list[str] = []
    for first, last, name in sorted(ranges, key=lambda found: found[0]):
        start = max(first, ends[-1] + 1) if ends else first
        if start <= last:
            starts.append(start)
            ends.append(last)
            labels.append(name)
    return tuple(starts), tuple(ends), tuple(labels)


def _date(iso: str, item: str) -> date:
    try:
        return date.fromisoformat(iso)
    except ValueError as error:
        raise ScheduleError(f"calendar date {item!r}: there is no day {iso}") from error
