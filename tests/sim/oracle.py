"""When a job is due, by plain arithmetic: nothing of the product's schedules is used.

Known are `@every Ns` and cron expressions in UTC with stars behind the minute, with or without
seconds: enough to schedule every kind of trouble. Such due times repeat with a period.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

SECOND_US = 1_000_000


class Comb(NamedTuple):
    """Due at these offsets, in seconds, of each period since the epoch."""

    period: int
    offsets: tuple[int, ...]


@lru_cache(maxsize=256)
def comb_of(text: str) -> Comb:
    """The due times of one schedule; ValueError when it is none that is known here."""
    if text.startswith("@every "):
        amount, unit = int(text[7:-1]), text[-1]
        return Comb(amount * {"s": 1, "m": 60, "h": 3600}[unit], (0,))
    fields = text.split()
    if len(fields) == 5:
        fields.insert(0, "0")
    if fields[2:] != ["*"] * 4:
        raise ValueError(f"{text!r} is beyond this oracle")
    minutes, seconds = _values(fields[1]), _values(fields[0])
    if fields[1] == "*":
        return Comb(60, tuple(seconds))
    return Comb(3600, tuple(60 * minute + second for minute in minutes for second in seconds))


def _values(field: str) -> list[int]:
    if field == "*":
        return list(range(60))
    if field.startswith("*/"):
        return list(range(0, 60, int(field[2:])))
    return sorted(int(part) for part in field.split(","))


def next_due_us(schedules: list[str], after_us: int) -> int | None:
    """The first due time of any of the schedules later than an instant."""
    after = after_us // SECOND_US
    found: int | None = None
    for text in schedules:
        period, offsets = comb_of(text)
        base, offset = after - after % period, after % period
        at = bisect_right(offsets, offset)
        due = base + offsets[at] if at < len(offsets) else base + period + offsets[0]
        found = due if found is None else min(found, due)
    return None if found is None else found * SECOND_US


def dues_us(schedules: list[str], after_us: int, until_us: int) -> Iterator[int]:
    """Every due time later than one instant and not later than another."""
    due = next_due_us(schedules, after_us)
    while due is not None and due <= until_us:
        yield due
        due = next_due_us(schedules, due)


def is_due(schedules: list[str], at_us: int) -> bool:
    """Whether an instant is a due time."""
    return next_due_us(schedules, at_us - 1) == at_us
