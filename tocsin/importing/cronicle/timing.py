"""A timing object of Cronicle as a schedule: all of its lists must hold at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from tocsin.importing.doubt import Doubts, Place
from tocsin.importing.json_text import shortened

_RANGES: Final = {
    "minutes": (0, 59),
    "hours": (0, 23),
    "days": (1, 31),
    "months": (1, 12),
    "weekdays": (0, 6),
    "years": (1970, 2199),
}
_WEEKDAYS: Final = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
_RUN_MIN: Final = 3


def schedule_of(timing: dict[str, Any], place: Place, doubts: Doubts) -> str | None:
    """The schedule; None when the timing can never hold."""
    lists = {key: _numbers(timing, key, place, doubts) for key in _RANGES}
    for key, value in timing.items():
        if key not in _RANGES:
            doubts.lost(place, f"timing {key}", f"{shortened(value)} is left out: unknown")
    if any(numbers == [] for numbers in lists.values()):
        doubts.check(place, "timing", "it can never hold, so the job has no schedule")
        return None
    if lists["years"] or (lists["days"] and lists["weekdays"]):
        return _calendar(lists)
    fields = (_field(lists[key]) for key in ("minutes", "hours", "days", "months", "weekdays"))
    return " ".join(fields)


def _numbers(timing: dict[str, Any], key: str, place: Place, doubts: Doubts) -> list[int] | None:
    """The numbers of a list that can occur; None when it leaves nothing out."""
    value = timing.get(key)
    if not value or not isinstance(value, list):
        if value:
            doubts.lost(place, f"timing {key}", f"{shortened(value)} is left out: no list")
        return None
    low, high = _RANGES[key]
    good = sorted({one for one in value if isinstance(one, int) and low <= one <= high})
    bad = [one for one in value if one not in good]
    if bad:
        doubts.check(place, f"timing {key}", f"{shortened(bad)} never occurs, and is left out")
    return None if len(good) == high - low + 1 else good


def _field(numbers: Sequence[int] | None, dash: str = "-") -> str:
    if numbers is None:
        return "*"
    parts, start = [], 0
    for index in range(1, len(numbers) + 1):
        if index < len(numbers) and numbers[index] == numbers[index - 1] + 1:
            continue
        run = numbers[start:index]
        if len(run) >= _RUN_MIN:
            parts.append(f"{run[0]}{dash}{run[-1]}")
        else:
            parts += map(str, run)
        start = index
    return ",".join(parts)


def _calendar(lists: dict[str, list[int] | None]) -> str:
    """As a calendar event, where day and weekday must both match and years can be told."""
    weekdays = lists["weekdays"]
    days = ",".join(_WEEKDAYS[one] for one in weekdays) + " " if weekdays else ""
    date = "-".join(_field(lists[key], "..") for key in ("years", "months", "days"))
    time = ":".join(_field(lists[key], "..") for key in ("hours", "minutes"))
    return f"@calendar {days}{date} {time}:00"
