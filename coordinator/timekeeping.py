"""The coordinator's sense of time: its clocks are watched, and it leaves signs of life."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import Final
from zoneinfo import TZPATH

from tocsin import clock
from tocsin.instants import SECOND_US, Now
from tocsin.model import Incident, IncidentKind

from .clock_watch import ClockWatch, Reading, step
from .machine.machine import Deadline
from .store.port import Store

SEEN: Final = "seen_us"
"""The setting that holds the last sign of life, on the wall clock."""
ZONES: Final = "zones"
"""The setting that holds the version of the time zone data."""
BUSY_US: Final = SECOND_US
IDLE_US: Final = 30 * SECOND_US
"""A sign of life goes with other commits once a second, and else is one by itself."""
ZONES_US: Final = 3600 * SECOND_US
"""How often it is looked whether the time zone data was replaced."""
DOWN_US: Final = SECOND_US


class Timekeeper:
    """Notices incidents between one turn of the loop and the next."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._watch = ClockWatch(_read())
        self._noticed: list[Incident] = []
        self._stamped_us: int | None = None
        self._zones_checked_us: int | None = None
        self._outage_us: int | None = None
        self._outage = ""

    def begin(self, at: Now) -> None:
        """Notice how long no coordinator was there.

        Raises:
            StoreError: the store cannot be read.
        """
        self.look()
        seen_us = self._store.setting(SEEN)
        if not isinstance(seen_us, int):
            return
        if at.wall_us - seen_us > DOWN_US:
            down = Incident(kind=IncidentKind.DOWN, from_us=seen_us, until_us=at.wall_us)
            self._noticed.append(down)
        elif seen_us - at.wall_us > DOWN_US:
            self._noticed.append(step(seen_us, at.wall_us))

    def look(self) -> None:
        """Look at the clocks."""
        self._noticed += self._watch.look(_read())

    def take(self) -> list[Incident]:
        """What was noticed since the last call."""
        noticed, self._noticed = self._noticed, []
        return noticed

    def before_sleep(self, steady_us: int | None, deadline: Deadline, at: Now) -> int:
        """Look at the clocks before a sleep until one of these; when to wake up at the latest."""
        self.look()
        if self._noticed:
            return at.steady_us
        soonest_us = at.steady_us + IDLE_US
        if steady_us is not None:
            soonest_us = min(soonest_us, steady_us)
        wanted_us = soonest_us
        if deadline.wall_us is not None:
            wanted_us = min(wanted_us, at.steady_us + deadline.wall_us - at.wall_us)
        self._watch.expect(wanted_us)
        return soonest_us

    # Signs of life.

    def stamp(self, at: Now, *, last: bool = False) -> None:
        """Stage a sign of life when it is time for one, or for the last one."""
        patience_us = BUSY_US if self._store.dirty else IDLE_US
        if (
            not last
            and self._stamped_us is not None
            and at.steady_us - self._stamped_us < patience_us
        ):
            return
        self._store.stage_setting(SEEN, at.wall_us)
        self._stamped_us = at.steady_us

    # Outages of the store.

    def store_failed(self, at: Now, why: str) -> None:
        """The store cannot be written."""
        if self._outage_us is None:
            self._outage_us = at.wall_us
        self._outage = why

    def store_mended(self, at: Now) -> None:
        """The store can be written again: that it could not is noticed like a stall."""
        if self._outage_us is not None:
            from_us = min(self._outage_us, at.wall_us)
            stall = Incident(kind=IncidentKind.STALL, from_us=from_us, until_us=at.wall_us,
                             detail=self._outage)  # fmt: skip
            self._noticed.append(stall)
        self._outage_us = None

    # Time zones.

    def zones_changed(self, at: Now) -> str:
        """How the time zone data changed since it was last used, in words; '' when it did not.

        Raises:
            StoreError: the store cannot be read.
        """
        checked_us = self._zones_checked_us
        if checked_us is not None and at.steady_us - checked_us < ZONES_US:
            return ""
        self._zones_checked_us = at.steady_us
        version, known = zone_data_version(), self._store.setting(ZONES)
        if version == known:
            return ""
        self._store.stage_setting(ZONES, version)
        if known is None:
            return ""
        words = f"{version}, before {known}"
        self._noticed.append(Incident(kind=IncidentKind.ZONES, from_us=at.wall_us,
                                      until_us=at.wall_us, detail=words))  # fmt: skip
        return words


def _read() -> Reading:
    return Reading(*clock.read_all())


def zone_data_version() -> str:
    """The version of the time zone data in use, see `zoneinfo.TZPATH`; else how old it is."""
    for folder in map(Path, TZPATH):
        if not (folder / "UTC").exists():
            continue
        for name, prefix in (("tzdata.zi", "# version "), ("+VERSION", "")):
            try:
                with (folder / name).open(encoding="ascii") as file:
                    return file.readline(100).strip().removeprefix(prefix)
            except (OSError, UnicodeDecodeError):
                continue
        return f"of {int((folder / 'UTC').stat().st_mtime)}"
    return importlib.metadata.version("tzdata")  # what zoneinfo takes where the system has none
