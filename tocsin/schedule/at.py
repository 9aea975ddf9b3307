"""`@at 2026-01-01T00:00:00Z`: due once; and `@manual`, due never."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec

from tocsin.errors import ScheduleError
from tocsin.schedule.zones import change_between, offsets_of

_EXAMPLE = (
    "a date and time such as 2026-01-01T09:00:00Z, 2026-01-01T09:00+01:00 or 2026-01-01T09:00"
)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2})?(Z|[+-]\d{2}:\d{2})?", re.ASCII)


class At(msgspec.Struct, frozen=True):
    """Due once, at an instant; `written` is how the user put it."""

    instant: int
    written: str

    def next_s(self, after: int) -> int | None:
        """The instant, while it is later than `after`."""
        return self.instant if self.instant > after else None

    def describe(self) -> str:
        """The date and time."""
        return f"once, at {self.written}"


class Never(msgspec.Struct, frozen=True):
    """Due never: the job runs when someone asks."""

    def next_s(self, after: int) -> int | None:  # noqa: ARG002 - a schedule is asked like any other
        """Nothing."""
        return None

    def describe(self) -> str:
        """The only way to start it."""
        return "only when asked for"


def parse_at(text: str, zone: ZoneInfo, dst: str) -> At:
    """The instant of `@at`, read in `zone` unless it carries an offset."""
    found = _MOMENT.fullmatch(text)
    if not found:
        raise ScheduleError(f"@at {text!r}: expected {_EXAMPLE}")
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return At(int(moment.timestamp()), text)
        wall = int(moment.replace(tzinfo=UTC).timestamp())
        earlier, later = offsets_of(wall, zone)
    except (ValueError, OverflowError) as error:
        raise ScheduleError(f"@at {text!r}: {error}; expected {_EXAMPLE}") from error
    if earlier >= later:
        return At(wall - earlier, f"{text} ({zone.key})")
    if dst != "vixie":
        raise ScheduleError(
            f"@at {text!r}: the clock in {zone.key} leaps over this time",
            hint="give an offset, or leave dst at vixie to run at the end of the leap",
        )
    return At(
        change_between(wall - later, wall - earlier, zone),
        f"{text} ({zone.key}), or when the clock has leapt over that",
    )
