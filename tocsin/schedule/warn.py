"""What a cron expression says that its author may not mean."""

from __future__ import annotations

from tocsin.schedule.cron import Cron

_EVERY_MINUTE = (1 << 60) - 1
_DAYS_OF_EVERY_MONTH = (1 << 29) - 2


def warnings_of(cron: Cron) -> tuple[str, ...]:
    """One sentence for each doubt."""
    days = cron.days
    found = []
    if days.any_day and days.any_weekday and not days.both:
        found.append("day of month and weekday are both set and one leaves no day out: every day")
    if not (days.any_day or days.any_weekday):
        rule = (
            "a day must match both, because one of them starts with *"
            if days.both
            else "a day that matches either of them is enough"
        )
        found.append(f"day of month and weekday are both set: {rule}")
    if cron.minutes == _EVERY_MINUTE and cron.hours.bit_count() == 1:
        found.append("the minute is *: due every minute of that hour, not once")
    if days.days and days.any_weekday and not days.moving and not days.days & _DAYS_OF_EVERY_MONTH:
        found.append("months without such a day are left out: L is the last day of any month")
    return tuple(found)
