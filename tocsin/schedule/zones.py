"""Time zones: finding one by name, and the two questions a schedule asks of it.

Instants are whole seconds since the epoch, UTC. A *wall second* counts the same way but on the
zone's wall clock, as though the clock's face stood in UTC: wall = instant + offset.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from tocsin.errors import ScheduleError

# `right/` counts leap seconds, `posix/` repeats the plain names, and the others name a file that
# differs between hosts: the same schedule would be due at different instants.
_REFUSED = ("right/", "posix/", "localtime", "posixrules", "Factory")


# No zone has a longer name; looking for the nearest of all would take long.
_NAME_CHARS_MAX = 40


def load_zone(name: str) -> ZoneInfo:
    """The zone of that name, or an error that names the nearest one."""
    if not name.startswith(_REFUSED):
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass
    raise ScheduleError(
        f"time zone {name!r} is not known: expected a name such as Europe/Paris or UTC",
        hint=_zone_hint(name),
    )


def constant_offset(zone: ZoneInfo) -> int | None:
    """The offset in seconds of a zone that has never had another, else None."""
    offset = zone.utcoffset(None)
    return None if offset is None else offset.days * 86_400 + offset.seconds


def offset_at(instant: int, zone: ZoneInfo) -> int:
    """The offset from UTC in seconds at an instant."""
    return seconds_of(datetime.fromtimestamp(instant, zone))


def seconds_of(shown: datetime) -> int:
    """The offset in seconds of a datetime in its zone, by its fold."""
    offset = shown.utcoffset()
    assert offset is not None
    return offset.days * 86_400 + offset.seconds


def offsets_of(wall: int, zone: ZoneInfo) -> tuple[int, int]:
    """The offsets under which a wall second is read: the earlier and the later one.

    They are equal for an ordinary second; the first is greater for a second that the clock shows
    twice, and smaller for one that it leaps over.
    """
    shown = datetime.fromtimestamp(wall, UTC)
    earlier = zone.utcoffset(shown)
    later = zone.utcoffset(shown.replace(fold=1))
    assert earlier is not None
    assert later is not None
    return earlier.days * 86_400 + earlier.seconds, later.days * 86_400 + later.seconds


def change_between(before: int, after: int, zone: ZoneInfo) -> int:
    """The first instant of the offset in force at `after`, which was another at `before`."""
    old = offset_at(before, zone)
    while after - before > 1:
        middle = (before + after) // 2
        if offset_at(middle, zone) == old:
            before = middle
        else:
            after = middle
    return after


def zone_names() -> list[str]:
    """The names of all zones, in their order."""
    return sorted(_zones_by_lower_case().values())


def _zone_hint(name: str) -> str:
    from difflib import get_close_matches

    if len(name) > _NAME_CHARS_MAX:
        return "see the tz database for the names"
    known = _zones_by_lower_case()
    wanted = name.lower().replace(" ", "_")
    near = get_close_matches(wanted, known, n=1) or [
        zone for zone in sorted(known) if wanted and zone.rpartition("/")[2] == wanted
    ]
    return f"did you mean {known[near[0]]}?" if near else "see the tz database for the names"


# Each listing opens every file of the time zone data.
@cache
def _zones_by_lower_case() -> dict[str, str]:
    return {zone.lower(): zone for zone in available_timezones() if not zone.startswith(_REFUSED)}
