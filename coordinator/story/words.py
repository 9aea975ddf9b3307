"""Times, spans and lists as people say them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from tocsin.instants import SECOND_US, to_datetime
from tocsin.units import format_duration

LIST_MAX: Final = 20
"""So many names in one sentence; the others are counted."""
_TENTHS_BELOW_S: Final = 10
_COARSE: Final = ((86_400, 3600), (3600, 60))
"""From so many seconds on, parts of so many are not told."""


class Clock:
    """Instants in words on the clock of a zone; those of the day of `about_us` without a date."""

    def __init__(self, zone: ZoneInfo, about_us: int | None) -> None:
        self._zone = zone
        self._day = None if about_us is None else self._local(about_us).date()

    def full(self, instant_us: int) -> str:
        """`2026-11-01 02:30 CET`; seconds where there are some."""
        local = self._local(instant_us)
        return f"{local:%Y-%m-%d} {_time(local)} {_zone_name(local)}"

    def time(self, instant_us: int) -> str:
        """`02:30 CET` on the day that is told of, `full` on others."""
        local = self._local(instant_us)
        if local.date() != self._day:
            return self.full(instant_us)
        return f"{_time(local)} {_zone_name(local)}"

    def bare(self, instant_us: int) -> str:
        """As `time`, without the zone."""
        return self.time(instant_us).rpartition(" ")[0]

    def with_utc(self, instant_us: int) -> str:
        """`full`, and the same in UTC where that is not the same."""
        local, text = self._local(instant_us), self.full(instant_us)
        if not local.utcoffset():
            return text
        utc = to_datetime(instant_us)
        date = "" if utc.date() == local.date() else f"{utc:%Y-%m-%d} "
        return f"{text} ({date}{_time(utc)} UTC)"

    def stretch(self, from_us: int, until_us: int) -> str:
        """`02:00 to 04:10 CET`."""
        return f"{self.bare(from_us)} to {self.time(until_us)}"

    def _local(self, instant_us: int) -> datetime:
        return to_datetime(instant_us).astimezone(self._zone)


def _time(moment: datetime) -> str:
    return f"{moment:%H:%M:%S}" if moment.second else f"{moment:%H:%M}"


def _zone_name(moment: datetime) -> str:
    name = moment.strftime("%Z")
    return f"UTC{name}" if name[:1] in {"+", "-"} else name


def span(amount_us: int) -> str:
    """A length of time: `12ms`, `1.5s`, `3m12s`; never negative."""
    seconds = max(amount_us, 0) / SECOND_US
    if 1 <= seconds < _TENTHS_BELOW_S:
        return f"{seconds:.1f}s".replace(".0s", "s")
    for above_s, unit_s in _COARSE:
        if seconds >= above_s:
            seconds -= seconds % unit_s
            break
    return format_duration(seconds)


def plural(count: int, noun: str) -> str:
    """`1 run`, `3 runs`."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


def listed(parts: Sequence[str]) -> str:
    """`a, b and c`; of very many, the first, and a count of the others."""
    if len(parts) > LIST_MAX:
        parts = [*parts[: LIST_MAX - 1], f"{len(parts) - LIST_MAX + 1:,} more"]
    if len(parts) < 2:  # noqa: PLR2004 - a list of one has no "and"
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def sentence(text: str) -> str:
    """With a capital, and a full stop."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '!', '?')) else '.'}"
