"""A schedule in plain English, read back from what it compiled to."""

from __future__ import annotations

from tocsin.schedule.days import LONGEST_MONTH, Days, Workday
from tocsin.schedule.names import MONTHS, WEEKDAYS
from tocsin.schedule.pattern import FIRST_YEAR, Pattern

_CLOCK_TIMES_MAX = 6
_RUN_MIN = 3
_PERIOD_MIN = 2
_EVERY_60 = (1 << 60) - 1
_EVERY_HOUR = (1 << 24) - 1
_EVERY_MONTH = (2 << 12) - 2
_ORDINALS = ("last", "first", "second", "third", "fourth", "fifth")


def describe_pattern(pattern: Pattern) -> str:
    """The times of day, then the days."""
    times, daily = _times(pattern)
    months = ""
    if pattern.months != _EVERY_MONTH:
        months = _listed([MONTHS[month] for month in _members(pattern.months)])
    days = _days(pattern.days, months)
    if not days and daily:
        days = "every day"
    if months and not days.endswith(months):
        days = f"{days} in {months}".strip()
    years = f"in {_ranges(pattern.years, FIRST_YEAR)}" if pattern.years else ""
    return " ".join(part for part in (times, days, years) if part)


def _times(pattern: Pattern) -> tuple[str, bool]:
    """The times of day in words, and whether they need "every day" to be a sentence."""
    seconds, minutes, hours = (
        _members(pattern.seconds),
        _members(pattern.minutes),
        _members(pattern.hours),
    )
    if not (_period(pattern.hours) and len(minutes) == len(seconds) == 1):
        clock = [
            _clock(hour, minute, second)
            for hour in hours
            for minute in minutes
            for second in seconds[:_CLOCK_TIMES_MAX]
        ]
        if len(clock) <= _CLOCK_TIMES_MAX and len(seconds) <= _CLOCK_TIMES_MAX:
            return "at " + _listed(clock), True
    step = _period(pattern.seconds)
    if step and pattern.minutes == _EVERY_60:
        return _every(step, "second", seconds[0]) + _hours_around(pattern), False
    at_seconds = "" if pattern.seconds == 1 else f", at {_numbers('second', pattern.seconds)}"
    if len(minutes) == 1:
        return _hourly(minutes[0], pattern.hours) + at_seconds, False
    step = _period(pattern.minutes)
    if step:
        return _every(step, "minute", minutes[0]) + _hours_around(pattern) + at_seconds, False
    of_hours = "every hour" if pattern.hours == _EVERY_HOUR else _numbers("hour", pattern.hours)
    return f"at {_numbers('minute', pattern.minutes)} of {of_hours}{at_seconds}", False


def _hourly(minute: int, hours: int) -> str:
    """One minute of many hours."""
    members = _members(hours)
    step = _period(hours)
    if step:
        first = members[0]
        at = f" at minute {minute}" if minute and not first else ""
        return _every(step, "hour") + (f" from {_clock(first, minute)}" if first else at)
    if _is_run(members):
        return f"every hour from {_clock(members[0], minute)} to {_clock(members[-1], minute)}"
    return f"at minute {minute} of {_numbers('hour', hours)}"


def _every(step: int, unit: str, first: int = 0) -> str:
    words = f"every {unit}" if step == 1 else f"every {step} {unit}s"
    return f"{words} from {unit} {first}" if first else words


def _hours_around(pattern: Pattern) -> str:
    """The hours that something frequent is confined to."""
    if pattern.hours == _EVERY_HOUR:
        return ""
    hours, minutes = _members(pattern.hours), _members(pattern.minutes)
    if _is_run(hours):
        return f", {_clock(hours[0], minutes[0])} to {_clock(hours[-1], minutes[-1])}"
    return f" of {_numbers('hour', pattern.hours)}"


def _days(days: Days, months: str) -> str:
    """The days in words; `months` is "" when every month counts."""
    if days.any_day or days.any_weekday:
        month = months or "the month"
        if days.any_weekday:
            return "" if days.any_day else _month_days(days, month)
        return _weekdays(days, month)
    by_day, by_weekday = _month_days(days, "the month"), _weekdays(days, "the month")
    return f"{by_day}, if also {by_weekday}" if days.both else f"{by_day} or {by_weekday}"


def _month_days(days: Days, month: str) -> str:
    parts = [f"{part} of {month}" for part in [_day_numbers(days.days)] if part]
    if days.from_end:
        parts.append(f"{_days_from_end(days.from_end)} of {month}")
    parts += [_workday(day, month) for day in days.workdays]
    return "on " + _listed(parts)


def _day_numbers(mask: int) -> str:
    """The plain days of a month, long progressions by their step."""
    if not mask:
        return ""
    members = _members(mask)
    step = members[1] - members[0] if len(members) > _RUN_MIN else 1
    if step > 1 and members == list(range(members[0], members[-1] + 1, step)):
        nth = {2: "2nd", 3: "3rd"}.get(step, f"{step}th")
        return f"every {nth} day from day {members[0]} to {members[-1]}"
    return _numbers("day", mask)


def _days_from_end(mask: int) -> str:
    """The days counted from the end, those up to the last one together."""
    counted = [LONGEST_MONTH - day for day in reversed(_members(mask))]
    run = next((n for n, back in enumerate(counted) if n != back), len(counted))
    parts = [f"the last {run} days" if run > 1 else "the last day"] if run else []
    return _listed(parts + [f"the day {back} before the last day" for back in counted[run:]])


def _workday(day: Workday, month: str) -> str:
    if not day.from_end:
        return f"the working day nearest to day {day.day} of {month}"
    if not day.day:
        return f"the last working day of {month}"
    return f"the working day nearest to the day {day.day} before the last day of {month}"


def _weekdays(days: Days, month: str) -> str:
    parts = [_weekday_words(days.weekdays)] if days.weekdays else []
    for nth in days.nth:
        names = _listed([WEEKDAYS[day] for day in _members(nth.weekdays)])
        parts.append(f"the {_ORDINALS[nth.nth]} {names} of {month}")
    words = _listed(parts)
    return words if " to " in parts[0] and not days.nth else f"on {words}"


def _weekday_words(mask: int) -> str:
    # A week is read from Monday, so that Saturday and Sunday stand together.
    from_monday = [day % 7 for day in range(1, 8) if mask >> day % 7 & 1]
    positions = [(day - 1) % 7 for day in from_monday]
    names = [WEEKDAYS[day] for day in from_monday]
    if len(names) >= _RUN_MIN and positions[-1] - positions[0] + 1 == len(names):
        return f"{names[0]} to {names[-1]}"
    return _listed(names)


def _period(mask: int) -> int:
    """The step of a field of minutes, seconds or hours that goes evenly around, else 0."""
    members = _members(mask)
    if len(members) < _PERIOD_MIN:
        return 0
    step = members[1] - members[0]
    size = step * len(members)
    even = members == list(range(members[0], size, step))
    return step if even and size in {24, 60} else 0


def _is_run(members: list[int]) -> bool:
    return len(members) == members[-1] - members[0] + 1


def _numbers(unit: str, mask: int) -> str:
    return f"{unit}{'s' * (mask.bit_count() > 1)} {_ranges(mask)}"


def _ranges(mask: int, base: int = 0) -> str:
    """Numbers in words, runs of three or more as `a to b`; bit 0 stands for `base`."""
    runs: list[list[int]] = []
    for number in (base + bit for bit in _members(mask)):
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
    return _listed(parts)


def _members(mask: int) -> list[int]:
    return [number for number in range(mask.bit_length()) if mask >> number & 1]


def _listed(parts: list[str]) -> str:
    if len(parts) == 1:
        return parts[0]
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def _clock(hour: int, minute: int, second: int = 0) -> str:
    return f"{hour:02}:{minute:02}" + (f":{second:02}" if second else "")
