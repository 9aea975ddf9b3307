"""What a text that was begun may become: names that are known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from tocsin.schedule.zones import zone_names

SHOWN: Final = 6
_CALENDAR: Final = "calendar "
_LETTERS_MIN: Final = 2


class Names:
    """All that can be named in a field."""

    def __init__(self, jobs: Iterable[str], calendars: Iterable[str], pools: Iterable[str]) -> None:
        self._of: Mapping[str, list[str]] = {
            "after": sorted(jobs),
            "blackout": [f"{_CALENDAR}{name}" for name in sorted(calendars)],
            "pool": sorted(pools),
        }

    def fitting(self, field_id: str, begun: str) -> list[str]:
        """The names that begin so, then those that hold it; none for a whole name."""
        known = self._of.get(field_id, [])
        if field_id == "timezone":
            known = zone_names() if len(begun) >= _LETTERS_MIN else []
        low = begun.lower()
        if not begun or begun in known:
            return []
        holding = [name for name in known if low in name.lower()]
        holding.sort(key=lambda name: not name.lower().startswith(low))
        return holding[:SHOWN]
