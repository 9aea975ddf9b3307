"""Notices, from three clocks, what befell the coordinator's time.

The wall clock can be set; CLOCK_MONOTONIC stands still while the machine sleeps; CLOCK_BOOTTIME
does neither. Both of the latter are slewed as the wall clock is, so a slow correction of the wall
clock is no step. The clocks are looked at before and after each sleep of the loop, so what is
noticed lies between two looks.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from tocsin.instants import SECOND_US
from tocsin.model import Incident, IncidentKind
from tocsin.units import format_duration

STEP_US: Final = SECOND_US
SUSPEND_US: Final = SECOND_US
STALL_US: Final = 10 * SECOND_US
"""As late a due time is not on schedule any more."""


class Reading(NamedTuple):
    """One look at all clocks, in microseconds; only the wall clock's zero has a meaning."""

    wall_us: int
    steady_us: int
    boot_us: int


class ClockWatch:
    """Remembers the last look, and by when the next one was wanted."""

    def __init__(self, first: Reading) -> None:
        self._last = first
        self._wanted_us = first.steady_us

    def expect(self, steady_us: int) -> None:
        """The next look is wanted at this instant of the steady clock, not earlier."""
        self._wanted_us = max(steady_us, self._last.steady_us)

    def look(self, reading: Reading) -> list[Incident]:
        """What happened since the last look. Unless told otherwise the next is wanted at once."""
        last, wanted_us = self._last, self._wanted_us
        self._last, self._wanted_us = reading, reading.steady_us
        passed_us = reading.boot_us - last.boot_us
        slept_us = passed_us - (reading.steady_us - last.steady_us)
        late_us = reading.steady_us - wanted_us
        unset_us = last.wall_us + passed_us  # what the wall clock would show had nobody set it
        found = []
        if slept_us > SUSPEND_US:
            span = f"for {format_duration(slept_us / SECOND_US)}"
            found.append(Incident(kind=IncidentKind.SUSPEND, from_us=last.wall_us,
                                  until_us=unset_us, detail=span))  # fmt: skip
        if late_us > STALL_US:
            found.append(Incident(kind=IncidentKind.STALL, from_us=unset_us - late_us,
                                  until_us=unset_us))  # fmt: skip
        if abs(reading.wall_us - unset_us) > STEP_US:
            found.append(step(unset_us, reading.wall_us))
        return found


def step(before_us: int, after_us: int) -> Incident:
    """The wall clock was set: it showed one instant, and then another."""
    return Incident(
        kind=IncidentKind.STEP,
        from_us=min(before_us, after_us),
        until_us=max(before_us, after_us),
        amount_us=after_us - before_us,
    )
