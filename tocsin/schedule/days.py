"""Which days of a month a schedule means: the day-of-month and weekday fields and their rule.

The rule is Debian cron's: when either field starts with `*` (or is `?`) a day must satisfy both,
otherwise either is enough.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from functools import lru_cache

import msgspec

from tocsin.errors import ScheduleError
from tocsin.schedule.fields import DAY, WEEKDAY, fold_sunday, item_mask, key_for, split_items, value

_FROM_END = re.compile(r"L(?:-([0-9]{1,2}))?(W)?")
_NEAREST = re.compile(r"([0-9]{1,2})W")
_NTH = re.compile(r"([0-9A-Z-]+)#(.*)")
_LAST_WEEKDAY = re.compile(r"([0-9]+)L")

LONGEST_MONTH = 31
ALL_DAYS = (2 << LONGEST_MONTH) - 2
ALL_WEEKDAYS = 0x7F
_LENGTHS = (0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_FEBRUARY = 2
_SATURDAY = 6
_OFFSET_MAX = 30
_NTHS = ("1", "2", "3", "4", "5")
_WEEK_REPEATED = sum(1 << 7 * week for week in range(6))
# 2000 to 2027 hold each of the fourteen kinds of year: leap or not, beginning on any weekday.
_ALL_KINDS_OF_YEAR = range(2000, 2028)


class Workday(msgspec.Struct, frozen=True):
    """The working day nearest to a day (`15W`, `LW`), which never leaves the month.

    `day` counts back from the last day, which is 0, when `from_end`.
    """

    day: int
    from_end: bool

    def bit(self, length: int, first_weekday: int) -> int:
        """This day in a month of `length` days beginning on `first_weekday`; 0 if it has none."""
        day = length - self.day if self.from_end else self.day
        if not 1 <= day <= length:
            return 0
        weekday = (first_weekday + day - 1) % 7
        if weekday == _SATURDAY:
            day += -1 if day > 1 else 2
        elif weekday == 0:
            day += 1 if day < length else -2
        return 1 << day


class NthWeekday(msgspec.Struct, frozen=True):
    """The `nth` of some weekdays in a month (`5#3`); 0 is the last one (`5L`)."""

    weekdays: int
    nth: int


class Days(msgspec.Struct, frozen=True):
    """Which days of the month and which weekdays are meant.

    `days` holds bits 1 to 31, and `from_end` too, as in a month of 31 days: bit 31 is the last
    day, bit 30 the one before it. `weekdays` holds bits 0 (Sunday) to 6; `workdays` and `nth` move
    with the month. `both` says that a day must satisfy both, `any_day` and `any_weekday` that one
    leaves no day out; under "either" one such is enough.
    """

    days: int
    from_end: int
    workdays: tuple[Workday, ...]
    weekdays: int
    nth: tuple[NthWeekday, ...]
    both: bool
    any_day: bool
    any_weekday: bool

    def mask(self, year: int, month: int) -> int:
        """The matching days of a month as bits 1 to 31."""
        length = _LENGTHS[month] + (month == _FEBRUARY and _is_leap(year))
        whole = (2 << length) - 2
        if self.any_day and self.any_weekday:
            return whole
        first = date(year, month, 1).toordinal() % 7
        days = (self.days | self.from_end >> LONGEST_MONTH - length) & whole
        for workday in self.workdays:
            days |= workday.bit(length, first)
        if self.any_weekday:
            return days
        weekdays = _spread_weekdays(self.weekdays, first)
        for nth in self.nth:
            start = 7 * nth.nth - 6 if nth.nth else length - 6
            weekdays |= _spread_weekdays(nth.weekdays, first) & 0x7F << start
        return (days & weekdays if self.both else days | weekdays) & whole

    def possible(self, months: int, years: Sequence[int] = ()) -> bool:
        """Whether one of `years`, or any year at all, has a matching day in one of `months`."""
        return any(
            self.mask(year, month)
            for month in range(1, 13)
            if months >> month & 1
            for year in years or _ALL_KINDS_OF_YEAR
        )


@lru_cache(maxsize=1024)
def parse_days(day_text: str, weekday_text: str, key: str) -> Days:
    """The two day fields of an expression, in upper case."""
    return _parse_days(day_text, weekday_text, key_for(day_text + weekday_text, key))


@lru_cache(maxsize=1024)
def _parse_days(day_text: str, weekday_text: str, key: str) -> Days:
    days, from_end, workdays = _parse_day_field(_starred(day_text), key)
    weekdays, nth = _parse_weekday_field(_starred(weekday_text), key)
    both = day_text[0] in "*?" or weekday_text[0] in "*?"
    whole_month, whole_week = days == ALL_DAYS, weekdays == ALL_WEEKDAYS
    every_day = not both and (whole_month or whole_week)
    return Days(
        days=days,
        from_end=from_end,
        workdays=workdays,
        weekdays=weekdays,
        nth=nth,
        both=both,
        any_day=whole_month or every_day,
        any_weekday=whole_week or every_day,
    )


def _starred(text: str) -> str:
    return "*" if text == "?" else text


def _parse_day_field(text: str, key: str) -> tuple[int, int, tuple[Workday, ...]]:
    mask, from_end, workdays = 0, 0, []
    for item in split_items(text, DAY):
        if found := _FROM_END.fullmatch(item):
            if found[1] and not 1 <= int(found[1]) <= _OFFSET_MAX:
                raise ScheduleError(f"{DAY.name} {item!r}: expected L-1 to L-{_OFFSET_MAX}")
            before = int(found[1] or 0)
            if found[2]:
                workdays.append(Workday(before, from_end=True))
            else:
                from_end |= 1 << LONGEST_MONTH - before
        elif found := _NEAREST.fullmatch(item):
            workdays.append(Workday(value(found[1], item, DAY), from_end=False))
        elif re.fullmatch(r"W[0-9]+", item):
            raise ScheduleError(
                f"{DAY.name} {item!r}: W follows its day", hint=f"write {item[1:]}W"
            )
        else:
            mask |= item_mask(item, DAY, key)
    return mask, from_end, tuple(dict.fromkeys(workdays))


def _parse_weekday_field(text: str, key: str) -> tuple[int, tuple[NthWeekday, ...]]:
    mask, nth = 0, []
    for item in split_items(text, WEEKDAY):
        if found := _NTH.fullmatch(item):
            if found[2] not in _NTHS:
                raise ScheduleError(f"{WEEKDAY.name} {item!r}: expected #1 to #5 after the weekday")
            nth.append(NthWeekday(item_mask(found[1], WEEKDAY, key), int(found[2])))
        elif found := _LAST_WEEKDAY.fullmatch(item):
            day = fold_sunday(1 << value(found[1], item, WEEKDAY), WEEKDAY)
            nth.append(NthWeekday(day, 0))
        elif "L" in item:
            raise ScheduleError(
                f"{WEEKDAY.name} {item!r}: the last Friday of a month is written 5L",
                hint="a number from 0 to 7, then L",
            )
        else:
            mask |= item_mask(item, WEEKDAY, key)
    return mask, tuple(dict.fromkeys(nth))


def _spread_weekdays(weekdays: int, first: int) -> int:
    return (weekdays * _WEEK_REPEATED >> first) << 1


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
