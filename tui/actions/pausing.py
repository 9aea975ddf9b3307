"""A pause as it is typed: how long, and why."""

from __future__ import annotations

import msgspec

from tocsin.units import parse_duration


class TimedPause(msgspec.Struct, frozen=True):
    """What was typed."""

    for_s: float | None
    """None: until somebody resumes it."""
    reason: str
    wrong: str = ""
    """Why it cannot be taken so."""


def read_pause(text: str) -> TimedPause:
    """`2h disk work`, `2h` or `disk work`: a length at the beginning is one."""
    first, _, rest = text.strip().partition(" ")
    try:
        for_s = parse_duration(first)
    except ValueError:
        return TimedPause(None, text.strip())
    wrong = "" if for_s > 0 else f"{first} is no time at all"
    return TimedPause(for_s, rest.strip(), wrong)
