"""What a schedule says that its author may not mean."""

from __future__ import annotations

from tocsin.schedule.days import Days
from tocsin.schedule.pattern import Pattern

_EVERY_MINUTE = (1 << 60) - 1
_DAYS_OF_EVERY_MONTH = (1 << 29) - 2


def cron_warnings(pattern: Pattern) -> tuple[str, ...]:
    """One sentence for each doubt about a cron expression."""
    return (
        *_both_day_fields(pattern.days),
        *_every_minute(pattern),
        *_rare_days(pattern.days, "L"),
    )


def calendar_warnings(pattern: Pattern) -> tuple[str, ...]:
    """One sentence for each doubt about a calendar event."""
    return (*_every_minute(pattern), *_rare_days(pattern.days, "*-*~01"))


def _both_day_fields(days: Days) -> list[str]:
    if days.any_day and days.any_weekday and not days.both:
        return ["day of month and weekday are both set and one leaves no day out: every day"]
    if days.any_day or days.any_weekday:
        return []
    rule = (
        "a day must match both, because one of them starts with *"
        if days.both
        else "a day that matches either of them is enough"
    )
    return [f"day of month and weekday are both set: {rule}"]


def _every_minute(pattern: Pattern) -> list[str]:
    if pattern.minutes == _EVERY_MINUTE and pattern.hours.bit_count() == 1:
        return ["the minute is *: due every minute of that hour, not once"]
    return []


def _rare_days(days: Days, last_day: str) -> list[str]:
    movable = days.workdays or days.from_end
    if movable or not days.any_weekday or not days.days or days.days & _DAYS_OF_EVERY_MONTH:
        return []
    return [f"months without such a day are left out: {last_day} is the last day of any month"]
