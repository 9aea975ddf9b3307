"""A cron expression compiled to bit masks, and the walk over them on a clock without a zone."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

import msgspec

from tocsin.errors import ScheduleError
from tocsin.schedule.days import Days, parse_days
from tocsin.schedule.fields import HOUR, MINUTE, MONTH, SECOND, field_mask

_DAY_S = 86_400
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_FIELDS = 5
# The last year is left out, so that no offset can carry an instant past what datetime holds.
_YEAR_MAX = 9998


class Cron(msgspec.Struct, frozen=True):
    """The masks of one expression; `fixed` says neither its minute nor its hour starts with `*`."""

    seconds: int
    minutes: int
    hours: int
    months: int
    days: Days
    fixed: bool

    def first_from(self, wall: int) -> int | None:
        """The first matching wall second at or after `wall`."""
        day, second = divmod(wall, _DAY_S)
        today = date.fromordinal(day + _EPOCH_DAY)
        year, month, left = today.year, today.month, 0
        if self.months >> month & 1:
            left = self.days.mask(year, month) >> today.day
            if left & 1:
                found = self._time_from(second)
                if found >= 0:
                    return day * _DAY_S + found
            left = left >> 1 << 1
        if left:
            day += _lowest(left)
        else:
            next_day = self._day_after_month(year, month)
            if next_day is None:
                return None
            day = next_day
        return day * _DAY_S + self._first_time()

    def _day_after_month(self, year: int, month: int) -> int | None:
        # A possible date comes back within 40 years (29 February on one weekday, around 2100);
        # parse_cron has refused the impossible ones.
        while year < _YEAR_MAX:
            month = month % 12 + 1
            year += month == 1
            if self.months >> month & 1:
                days = self.days.mask(year, month)
                if days:
                    return date(year, month, _lowest(days)).toordinal() - _EPOCH_DAY
        return None

    def _first_time(self) -> int:
        return _lowest(self.hours) * 3600 + _lowest(self.minutes) * 60 + _lowest(self.seconds)

    def _time_from(self, start: int) -> int:
        """The first matching second of the day at or after `start`; -1 if the day has none left."""
        hour, rest = divmod(start, 3600)
        minute, second = divmod(rest, 60)
        if self.hours >> hour & 1:
            left = self.minutes >> minute
            if left & 1:
                seconds = self.seconds >> second
                if seconds:
                    return start + _lowest(seconds)
            left = left >> 1
            if left:
                minute += 1 + _lowest(left)
                return hour * 3600 + minute * 60 + _lowest(self.seconds)
        left = self.hours >> hour + 1
        if not left:
            return -1
        hour += 1 + _lowest(left)
        return hour * 3600 + _lowest(self.minutes) * 60 + _lowest(self.seconds)


@lru_cache(maxsize=4096)
def parse_cron(expression: str, key: str) -> Cron:
    """The expression of five fields, or six with seconds first, in upper case."""
    parts = expression.split()
    if len(parts) not in {_FIELDS, _FIELDS + 1}:
        raise ScheduleError(
            f"{len(parts)} field{'s' * (len(parts) != 1)} in {expression!r}: expected 5 (minute, "
            "hour, day of month, month, weekday), or 6 with seconds first",
            hint="a name such as @daily also stands for a schedule",
        )
    second, minute, hour, day, month, weekday = parts if len(parts) > _FIELDS else ["0", *parts]
    cron = Cron(
        seconds=field_mask(second, SECOND, key),
        minutes=field_mask(minute, MINUTE, key),
        hours=field_mask(hour, HOUR, key),
        months=field_mask(month, MONTH, key),
        days=parse_days(day, weekday, key),
        fixed=not (minute.startswith("*") or hour.startswith("*")),
    )
    if not cron.days.possible(cron.months):
        raise ScheduleError(
            f"no year has a day that is {day} in month {month}"
            + (f" on weekday {weekday}" if weekday not in {"*", "?"} else ""),
            hint="a schedule that can never be due is written @manual",
        )
    return cron


def _lowest(mask: int) -> int:
    return (mask & -mask).bit_length() - 1
