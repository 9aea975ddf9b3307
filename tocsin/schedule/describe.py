"""A cron expression in plain English, read back from what it compiled to."""

from __future__ import annotations

from tocsin.schedule.cron import Cron
from tocsin.schedule.days import Days, MonthDay

_CLOCK_TIMES_MAX = 6
_RUN_MIN = 3
_EVERY_60 = (1 << 60) - 1
_EVERY_HOUR = (1 << 24) - 1
_EVERY_MONTH = (2 << 12) - 2
_ORDINALS = ("last", "first", "second", "third", "fourth", "fifth")
_WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_MONTHS = (
    "",
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def describe_cron(cron: Cron) -> str:
    """The times of day, then the days."""
    times, daily = _times(cron)
    days = _days(cron.days)
    months = ""
    if cron.months != _EVERY_MONTH:
        months = "in " + _listed([_MONTHS[month] for month in _members(cron.months)], "and")
    if not days and not months:
        return f"{times} every day" if daily else times
    return " ".join(part for part in (times, days, months) if part)


def _times(cron: Cron) -> tuple[str, bool]:
    """The times of day in words, and whether they need "every day" to be a sentence."""
    seconds, minutes, hours = (
        _members(cron.seconds),
        _members(cron.minutes),
        _members(cron.hours),
    )
    if len(seconds) * len(minutes) * len(hours) <= _CLOCK_TIMES_MAX:
        clock = [
            _clock(hour, minute, second)
            for hour in hours
            for minute in minutes
            for second in seconds
        ]
        return "at " + _listed(clock, "and"), True
    within = _second_words(cron.seconds)
    if cron.seconds != 1 and cron.minutes == _EVERY_60:
        return within + _hours_around(cron), False
    if len(minutes) == 1:
        return within + _hourly(minutes[0], cron.hours), False
    period = _period(cron.minutes, 60)
    if period:
        every = "every minute" if period == 1 else f"every {period} minutes"
    else:
        every = f"at minutes {_ranges(cron.minutes)} of every hour"
        if cron.hours != _EVERY_HOUR:
            return f"{within}at minutes {_ranges(cron.minutes)} of {_hour_words(cron.hours)}", False
    return (within + every) + _hours_around(cron), False


def _second_words(mask: int) -> str:
    """What stands before the minutes; the whole of it when every minute counts."""
    if mask == 1:
        return ""
    period = _period(mask, 60)
    if period:
        return "every second" if period == 1 else f"every {period} seconds"
    return f"at second{'s' * (mask.bit_count() > 1)} {_ranges(mask)}"


def _hourly(minute: int, hours: int) -> str:
    """One minute of many hours."""
    members = _members(hours)
    at = f" at minute {minute}" if minute else ""
    period = _period(hours, 24)
    if period:
        return ("every hour" if period == 1 else f"every {period} hours") + at
    if len(members) == members[-1] - members[0] + 1:
        return f"every hour from {_clock(members[0], minute)} to {_clock(members[-1], minute)}"
    return f"at minute {minute} of {_hour_words(hours)}"


def _hours_around(cron: Cron) -> str:
    """The hours that something frequent is confined to."""
    if cron.hours == _EVERY_HOUR:
        return ""
    members = _members(cron.hours)
    if len(members) == members[-1] - members[0] + 1:
        last = _members(cron.minutes)[-1]
        return (
            f" from {_clock(members[0], _members(cron.minutes)[0])} to {_clock(members[-1], last)}"
        )
    return f" of {_hour_words(cron.hours)}"


def _hour_words(mask: int) -> str:
    return f"hour{'s' * (mask.bit_count() > 1)} {_ranges(mask)}"


def _days(days: Days) -> str:
    by_day = "" if days.any_day else _month_days(days)
    by_weekday = "" if days.any_weekday else _weekdays(days)
    if by_day and by_weekday:
        return f"{by_day}, if also {by_weekday}" if days.both else f"{by_day} or {by_weekday}"
    return by_day or by_weekday


def _month_days(days: Days) -> str:
    count = days.days.bit_count()
    parts = [f"day{'s' * (count > 1)} {_ranges(days.days)} of the month"] if count else []
    parts += [_moving_day(day) for day in days.moving]
    return "on " + _listed(parts, "and")


def _moving_day(day: MonthDay) -> str:
    if not day.from_end:
        return f"the working day nearest to day {day.day} of the month"
    if day.nearest and not day.day:
        return "the last working day of the month"
    if not day.day:
        return "the last day of the month"
    before = f"the day {day.day} before the last day of the month"
    return f"the working day nearest to {before}" if day.nearest else before


def _weekdays(days: Days) -> str:
    parts = []
    if days.weekdays:
        parts.append(_weekday_words(days.weekdays))
    for nth in days.nth:
        names = _listed([_WEEKDAYS[day] for day in _members(nth.weekdays)], "and")
        parts.append(f"the {_ORDINALS[nth.nth]} {names} of the month")
    return "on " + _listed(parts, "and")


def _weekday_words(mask: int) -> str:
    # A week is read from Monday, so that Saturday and Sunday stand together.
    from_monday = [day % 7 for day in range(1, 8) if mask >> day % 7 & 1]
    positions = [(day - 1) % 7 for day in from_monday]
    names = [_WEEKDAYS[day] for day in from_monday]
    if len(names) >= _RUN_MIN and positions[-1] - positions[0] + 1 == len(names):
        return f"{names[0]} to {names[-1]}"
    return _listed(names, "and")


def _period(mask: int, size: int) -> int:
    """The step of a field that goes evenly around from 0, else 0."""
    members = _members(mask)
    if members[0] or len(members) == 1:
        return 0
    step = members[1]
    even = size % step == 0 and members == list(range(0, size, step))
    return step if even else 0


def _ranges(mask: int) -> str:
    """Numbers in words, runs of three or more as `a to b`."""
    runs: list[list[int]] = []
    for number in _members(mask):
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    parts: list[str] = []
    for run in runs:
        if len(run) >= _RUN_MIN:
            parts.append(f"{run[0]} to {run[-1]}")
        else:
            parts += [str(number) for number in run]
    return _listed(parts, "and")


def _members(mask: int) -> list[int]:
    return [number for number in range(mask.bit_length()) if mask >> number & 1]


def _listed(parts: list[str], word: str) -> str:
    if len(parts) == 1:
        return parts[0]
    return f"{', '.join(parts[:-1])} {word} {parts[-1]}"


def _clock(hour: int, minute: int, second: int = 0) -> str:
    return f"{hour:02}:{minute:02}" + (f":{second:02}" if second else "")
