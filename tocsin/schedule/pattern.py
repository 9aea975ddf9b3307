"""A schedule compiled to bit masks, and the walk over them on a clock without a zone."""

from __future__ import annotations

from datetime import date

import msgspec

from tocsin.schedule.days import Days

FIRST_YEAR = 1970
"""The year that bit 0 of `Pattern.years` stands for."""
_DAY_S = 86_400
_EPOCH_DAY = date(1970, 1, 1).toordinal()
# The last year is left out, so that no offset can carry an instant past what datetime holds.
_YEAR_MAX = 9998


class Pattern(msgspec.Struct, frozen=True, kw_only=True):
    """The masks of one expression: bit 5 of `minutes` is set when minute 5 is meant.

    `years` counts from 1970 and is 0 for every year. `fixed` says that the expression names times
    of day, rather than every so many minutes or hours.
    """

    seconds: int
    minutes: int
    hours: int
    months: int
    days: Days
    years: int = 0
    fixed: bool

    def first_from(self, wall: int) -> int | None:
        """The first matching wall second at or after `wall`."""
        day, second = divmod(wall, _DAY_S)
        today = date.fromordinal(day + _EPOCH_DAY)
        year, month, left = today.year, today.month, 0
        this_year = not self.years or self._year_from(year) == year
        if this_year and self.months >> month & 1:
            left = self.days.mask(year, month) >> today.day
            if left & 1:
                found = self._time_from(second)
                if found >= 0:
                    return day * _DAY_S + found
            left = left >> 1 << 1
        if left:
            day += _lowest(left)
        else:
            next_day = self._day_after_month(year, month if this_year else 12)
            if next_day is None:
                return None
            day = next_day
        return day * _DAY_S + self._first_time()

    def possible(self) -> bool:
        """Whether any year has a matching day."""
        years = range(FIRST_YEAR, FIRST_YEAR + self.years.bit_length())
        return self.days.possible(
            self.months, [year for year in years if self.years >> year - FIRST_YEAR & 1]
        )

    def _day_after_month(self, year: int, month: int) -> int | None:
        # A possible date comes back within 40 years (29 February on one weekday, around 2100),
        # and whoever parses refuses the impossible ones.
        left = self.months >> month + 1 << month + 1
        while year < _YEAR_MAX:
            while left:
                month = _lowest(left)
                days = self.days.mask(year, month)
                if days:
                    return date(year, month, _lowest(days)).toordinal() - _EPOCH_DAY
                left &= left - 1
            year, left = self._year_from(year + 1), self.months
        return None

    def _year_from(self, year: int) -> int:
        """The first year that is meant at or after `year`; beyond them all if there is none."""
        if not self.years:
            return year
        year = max(year, FIRST_YEAR)
        left = self.years >> year - FIRST_YEAR
        return year + _lowest(left) if left else _YEAR_MAX

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


def _lowest(mask: int) -> int:
    return (mask & -mask).bit_length() - 1
