"""Instants are whole microseconds since 1970-01-01T00:00:00Z; here they meet the calendar's text.

Integers compare, store and travel unchanged, so nothing inside Tocsin converts a time.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
SECOND_US: Final = 1_000_000
_MICROSECOND: Final = timedelta(microseconds=1)


def to_us(moment: datetime) -> int:
    """The instant of an aware datetime."""
    return (moment - EPOCH) // _MICROSECOND


def to_datetime(instant_us: int) -> datetime:
    """The instant as an aware datetime in UTC."""
    return EPOCH + timedelta(microseconds=instant_us)


@lru_cache(maxsize=64)  # jobs that are due together say the same instant
def to_rfc3339(instant_us: int) -> str:
    """RFC 3339 in UTC with microseconds: `2026-01-01T00:00:00.000000Z`."""
    return to_datetime(instant_us).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_rfc3339(text: str) -> int:
    """The instant that an RFC 3339 text with `Z` or an offset names; ValueError otherwise."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset: end it with Z or +hh:mm")
    return to_us(moment)


class Now(NamedTuple):
    """One reading of both clocks. Due times follow the wall; spans follow the steady one."""

    wall_us: int
    steady_us: int
