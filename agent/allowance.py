"""How much may be sent of something that can be had without end: some at once, then a rate."""

from __future__ import annotations

from typing import Final

from tocsin.instants import SECOND_US

WATCHED_BYTES_S: Final = 128 << 10
"""So much a second is sent of what a watched attempt prints behind the head of its output."""
WATCHED_BYTES_AT_ONCE: Final = 512 << 10


class Allowance:
    """Bytes that may be sent; it grows with time, up to what may be sent at once."""

    __slots__ = ("_at_us", "_bytes")

    def __init__(self, steady_us: int) -> None:
        self._bytes = WATCHED_BYTES_AT_ONCE
        self._at_us = steady_us

    def at(self, steady_us: int) -> int:
        """How many bytes may be sent now."""
        grown = (steady_us - self._at_us) * WATCHED_BYTES_S // SECOND_US
        if grown > 0:
            self._bytes = min(self._bytes + grown, WATCHED_BYTES_AT_ONCE)
            self._at_us = steady_us
        return self._bytes

    def spend(self, count: int) -> None:
        """So many bytes are sent."""
        self._bytes -= count
