"""True time, which nobody in a world can see: what happens when, and what clocks show of it."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any, Final

from tocsin.instants import Now

from .oracle import SECOND_US

START_US: Final = 1_800_000_000 * SECOND_US
"""What a right wall clock shows at true time 0."""


class Timeline:
    """A queue of what happens next, a clock that may be wrong, and the story so far."""

    def __init__(self) -> None:
        self.now_us = 0
        self.steps = 0
        self.trace: list[tuple[int, int, str, Any]] = []
        """True instant, step, who, what."""
        self._queue: list[tuple[int, int, str, Callable[[], None]]] = []
        self._count = 0
        self._ids = 0
        self._shown_us = 0
        """How wrong the clock is that processes see at this moment."""

    def at(self, when_us: int, label: str, action: Callable[[], None]) -> None:
        """Do something at a true instant."""
        self._count += 1
        heapq.heappush(self._queue, (when_us, self._count, label, action))

    def now(self) -> Now:
        """What the clocks show to whoever is at work."""
        return Now(START_US + self.now_us + self._shown_us, self.now_us)

    def true_us(self) -> int:
        """True time."""
        return self.now_us

    def on_clock(self, offset_us: int) -> None:
        """Show this machine's clocks."""
        self._shown_us = offset_us

    def wall_of(self, offset_us: int) -> int:
        """What a wall clock that is wrong by so much shows."""
        return START_US + self.now_us + offset_us

    def new_id(self) -> str:
        """An id that sorts by the wall clock, as a ULID does."""
        self._ids += 1
        return f"{(START_US + self.now_us + self._shown_us) // 1000:013}R{self._ids}"

    def note(self, who: str, what: Any) -> None:
        """Remember what happened, for the story of a failure."""
        self.trace.append((self.now_us, self.steps, who, what))
