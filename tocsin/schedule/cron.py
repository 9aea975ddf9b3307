"""A cron expression: five fields, or six with seconds first."""

from __future__ import annotations

from functools import lru_cache

from tocsin.errors import ScheduleError
from tocsin.schedule.days import parse_days
from tocsin.schedule.fields import HOUR, MINUTE, MONTH, SECOND, field_mask
from tocsin.schedule.pattern import Pattern

_FIELDS = 5


@lru_cache(maxsize=4096)
def parse_cron(expression: str, key: str) -> Pattern:
    """What the expression, in upper case, means; `key` is what `H` and `~` are hashed from.

    Neither the minute nor the hour of a fixed time of day starts with `*`.
    """
    parts = expression.split()
    if len(parts) not in {_FIELDS, _FIELDS + 1}:
        raise ScheduleError(
            f"{len(parts)} field{'s' * (len(parts) != 1)} in {expression!r}: expected 5 (minute, "
            "hour, day of month, month, weekday), or 6 with seconds first",
            hint="a name such as @daily also stands for a schedule",
        )
    second, minute, hour, day, month, weekday = parts if len(parts) > _FIELDS else ["0", *parts]
    pattern = Pattern(
        seconds=field_mask(second, SECOND, key),
        minutes=field_mask(minute, MINUTE, key),
        hours=field_mask(hour, HOUR, key),
        months=field_mask(month, MONTH, key),
        days=parse_days(day, weekday, key),
        fixed=not (minute.startswith("*") or hour.startswith("*")),
    )
    if not pattern.possible():
        raise ScheduleError(
            f"no year has a day that is {day} in month {month}"
            + (f" on weekday {weekday}" if weekday not in {"*", "?"} else ""),
            hint="a schedule that can never be due is written @manual",
        )
    return pattern
