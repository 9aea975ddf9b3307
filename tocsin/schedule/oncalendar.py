"""`@calendar Mon..Fri 02:00`: the calendar events of systemd's timers (OnCalendar).

The grammar is that of systemd.time(7), section "calendar events", as systemd 252 reads it: what
it refuses is refused here too. Fractions of a second are refused as well, because Tocsin keeps
whole seconds, and so is `@UNIXTIME`, which `@at` says better. An expression that no year fulfils,
such as `*-02-31`, is an error here and "never" there.
"""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

from tocsin.errors import ScheduleError
from tocsin.schedule.days import ALL_DAYS, ALL_WEEKDAYS, LONGEST_MONTH, Days
from tocsin.schedule.names import WEEKDAYS
from tocsin.schedule.pattern import FIRST_YEAR, Pattern

_SHORTHANDS = {
    "minutely": "*-*-* *:*:00",
    "hourly": "*-*-* *:00:00",
    "daily": "*-*-* 00:00:00",
    "weekly": "Mon *-*-* 00:00:00",
    "monthly": "*-*-01 00:00:00",
    "quarterly": "*-01,04,07,10-01 00:00:00",
    "semiannually": "*-01,07-01 00:00:00",
    "semi-annually": "*-01,07-01 00:00:00",
    "biannually": "*-01,07-01 00:00:00",
    "bi-annually": "*-01,07-01 00:00:00",
    "yearly": "*-01-01 00:00:00",
    "annually": "*-01-01 00:00:00",
    "anually": "*-01-01 00:00:00",  # systemd keeps the misspelling alive
}
_WEEKDAYS = tuple(name.lower() for name in WEEKDAYS)
_ITEM = re.compile(r"([0-9]{1,5})(?:\.\.([0-9]{1,5}))?(?:/([0-9]{1,5}))?")
_FRACTION = re.compile(r"[0-9]\.[0-9]")
_DATE = re.compile(r"(?:([^-~]+)-)?([^-~]+)([-~])([^-~]+)")
_FORM = "expected [WEEKDAYS] [[YEAR-]MONTH-DAY] [HOUR:MINUTE[:SECOND]] [ZONE]"
_EXAMPLE = "such as Mon..Fri 02:00, *-*-01 06:30 or Sat *-*~07/1 18:00 Europe/Berlin"
_CENTURY = 100
_FIRST_TWO_DIGIT_YEAR = 70


class _Part(msgspec.Struct, frozen=True):
    """One number of a calendar event, its name and its bounds."""

    name: str
    low: int
    high: int


_YEAR = _Part("year", FIRST_YEAR, 2199)
_MONTH = _Part("month", 1, 12)
_DAY = _Part("day", 1, LONGEST_MONTH)
# Every month has 28 days to count back.
_DAY_FROM_END = _Part("day from the end", 1, 28)
_HOUR = _Part("hour", 0, 23)
_MINUTE = _Part("minute", 0, 59)
_SECOND = _Part("second", 0, 59)


def split_zone(text: str) -> tuple[str, str]:
    """The expression without its time zone, and the zone's name ("" when it names none)."""
    *rest, last = text.split()
    if not rest or not last[0].isalpha() or _is_weekday(re.split(r"[-.,]", last)[0]):
        return " ".join([*rest, last]), ""
    return " ".join(rest), "UTC" if last.upper() == "UTC" else last


@lru_cache(maxsize=1024)
def parse_calendar(text: str) -> Pattern:
    """What a calendar event without a zone means.

    A fixed time of day has neither `*` nor `0/n`, which is how `*/n` is written here, as minute or
    hour.
    """
    words = _SHORTHANDS.get(text.lower(), text).split()
    weekdays = ALL_WEEKDAYS
    if words and words[0][0].isalpha():
        weekdays = _weekdays(words.pop(0))
    date_text, time_text = _date_and_time(words, text)
    years, months, days, from_end = _date(date_text)
    hour, minute, second = _time(time_text)
    pattern = Pattern(
        seconds=_mask(second, _SECOND),
        minutes=_mask(minute, _MINUTE),
        hours=_mask(hour, _HOUR),
        months=months,
        years=years,
        days=Days(
            days=days,
            from_end=from_end,
            workdays=(),
            weekdays=weekdays,
            nth=(),
            both=True,
            any_day=days == ALL_DAYS,
            any_weekday=weekdays == ALL_WEEKDAYS,
        ),
        fixed=not (_goes_round(hour) or _goes_round(minute)),
    )
    if not pattern.possible():
        raise ScheduleError(
            f"@calendar {text!r}: there is no such day in any of its years",
            hint="a schedule that can never be due is written @manual",
        )
    return pattern


def _date_and_time(words: list[str], text: str) -> tuple[str, str]:
    match words:
        case []:
            return "", ""
        case [date]:
            return ("", date) if ":" in date else (date, "")
        case [date, time] if ":" not in date and ":" in time:
            return date, time
    raise ScheduleError(f"@calendar {text!r}: {_FORM}", hint=_EXAMPLE)


def _weekdays(text: str) -> int:
    """`Mon`, `Mon..Fri`, `Mon,Thu..Sun` or, as systemd once wrote it, `Mon-Fri`."""
    mask = 0
    for item in text.removesuffix(",").split(","):
        first_text, dots, last_text = item.replace("..", "-", 1).partition("-")
        first = _weekday(first_text, text)
        last = _weekday(last_text, text) if dots else first
        # Sunday ends a week here.
        if (first or 7) > (last or 7):
            raise ScheduleError(
                f"@calendar weekday {item!r}: the range runs backwards",
                hint=f"a week goes from Mon to Sun: write {first_text}..Sun,Mon..{last_text}",
            )
        for day in range(first or 7, (last or 7) + 1):
            mask |= 1 << day % 7
    return mask


def _weekday(text: str, all_text: str) -> int:
    if _is_weekday(text):
        return next(i for i, name in enumerate(_WEEKDAYS) if name.startswith(text.lower()))
    from difflib import get_close_matches

    names = [name.title() for name in _WEEKDAYS] + [name[:3].title() for name in _WEEKDAYS]
    near = get_close_matches(text.title(), (*_SHORTHANDS, *names), n=1) or get_close_matches(
        text.lower(), _SHORTHANDS, n=1
    )
    raise ScheduleError(
        f"@calendar {all_text!r}: {text!r} is no weekday and no shorthand such as daily",
        hint=f"did you mean {near[0]}?" if near else _EXAMPLE,
    )


def _is_weekday(text: str) -> bool:
    """Whether this is a weekday in full or by its first three letters."""
    text = text.lower()
    return any(text in {name, name[:3]} for name in _WEEKDAYS)


def _date(text: str) -> tuple[int, int, int, int]:
    """The masks of years, months, days, and days from the end, the last aligned as in `Days`."""
    if not text:
        return 0, _mask("*", _MONTH), ALL_DAYS, 0
    found = _DATE.fullmatch(text)
    if not found:
        raise ScheduleError(
            f"@calendar date {text!r}: expected [YEAR-]MONTH-DAY or [YEAR-]MONTH~DAY, which "
            "counts from the end",
            hint="several weekdays are written Mon,Fri"
            if _is_weekday(text)
            else "such as *-*-01, 2026-12-24, 12-24 or *-02~01; a time of day holds a colon",
        )
    years = 0 if found[1] in {None, "*"} else _mask(found[1], _YEAR)
    months = _mask(found[2], _MONTH)
    if found[3] == "-" or found[4] == "*":
        return years, months, _mask(found[4], _DAY), 0
    back = _mask(found[4], _DAY_FROM_END, falling=True)
    from_end = sum(
        1 << LONGEST_MONTH + 1 - day for day in range(1, LONGEST_MONTH) if back >> day & 1
    )
    return years, months, 0, from_end


def _time(text: str) -> tuple[str, str, str]:
    """The hour, minute and second as written; midnight when nothing is."""
    if not text:
        return "0", "0", "0"
    match text.split(":"):
        case [hour, minute]:
            return hour, minute, "0"
        case [hour, minute, second]:
            return hour, minute, second
    raise ScheduleError(f"@calendar time {text!r}: expected HOUR:MINUTE or HOUR:MINUTE:SECOND")


def _goes_round(text: str) -> bool:
    return text == "*" or re.match("0+/", text) is not None


def _mask(text: str, part: _Part, *, falling: bool = False) -> int:
    """A list of values, ranges and repetitions as bits; `falling` ones repeat downwards.

    Years are counted from 1970.
    """
    base = part.low if part is _YEAR else 0
    if text == "*":
        return (2 << part.high - base) - (1 << part.low - base)
    mask = 0
    for item in text.split(","):
        for value in _values(item, text, part, falling=falling):
            mask |= 1 << value - base
    return mask


def _values(item: str, text: str, part: _Part, *, falling: bool) -> range:
    """The values of `a`, `a..b`, `a/n` or `a..b/n`."""
    found = _ITEM.fullmatch(item)
    if not found:
        raise ScheduleError(
            f"@calendar {part.name} {text!r}: {item!r} is no value, range or repetition",
            hint="Tocsin keeps whole seconds: leave the fraction out"
            if _FRACTION.search(item)
            else _item_hint(item, part),
        )
    start = _full_year(int(found[1]), part)
    step = int(found[3] or 1)
    if not step:
        raise ScheduleError(f"@calendar {part.name} {item!r}: a repetition is at least /1")
    if found[2]:
        last = _last(start, _full_year(int(found[2]), part), step, item, part)
    elif found[3]:
        last = part.low if falling else part.high
        step = -step if falling else step
        if not part.low <= start + step <= part.high:
            raise ScheduleError(
                f"@calendar {part.name} {item!r}: this never repeats, as {part.name} {last} is "
                "the last",
                hint=f"write {start}",
            )
    else:
        last = start
    for number in (start, last):
        if not part.low <= number <= part.high:
            raise ScheduleError(
                f"@calendar {part.name} {item!r}: {number} is not from {part.low} to {part.high}"
            )
    return range(start, last + (1 if step > 0 else -1), step)


def _last(start: int, stop: int, step: int, item: str, part: _Part) -> int:
    """The last value of a range with a step: what it does not reach is not looked at."""
    if stop < start:
        raise ScheduleError(
            f"@calendar {part.name} {item!r}: the range runs backwards",
            hint=f"write {start}..{part.high},{part.low}..{stop} to go round",
        )
    return stop - (stop - start) % step


def _full_year(number: int, part: _Part) -> int:
    if part is _YEAR and number < _CENTURY:
        return number + (2000 if number < _FIRST_TWO_DIGIT_YEAR else 1900)
    return number


def _item_hint(item: str, part: _Part) -> str:
    if item.startswith("*/"):
        return f"* stands alone: write {part.low}{item[1:]}"
    if "-" in item:
        return f"a range is written {item.replace('-', '..')}"
    return "such as 1, 1..5, 0/15 or 1..9/2, and several of them between commas"
