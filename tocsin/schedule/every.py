"""`@every 1h30m`: due at each multiple of an interval since 1970-01-01T00:00:00Z.

The epoch as anchor means that neither a restart nor an edit moves the due times.
"""

from __future__ import annotations

import re

import msgspec

from tocsin.errors import ScheduleError

_UNITS = {"w": 604_800, "d": 86_400, "h": 3600, "m": 60, "s": 1}
_NAMES = {"w": "week", "d": "day", "h": "hour", "m": "minute", "s": "second"}
_DURATION = re.compile("".join(f"(?:([0-9]{{1,9}}){unit})?" for unit in _UNITS))
_INTERVAL_S_MAX = 3660 * 86_400
_EXAMPLE = "expected whole weeks, days, hours, minutes and seconds, such as 1h30m"


class Every(msgspec.Struct, frozen=True):
    """Due every `interval_s` seconds of elapsed time."""

    interval_s: int

    def next_s(self, after: int) -> int | None:
        """The first multiple of the interval later than `after`."""
        return (after // self.interval_s + 1) * self.interval_s

    def describe(self) -> str:
        """The interval in words."""
        parts, left = [], self.interval_s
        for unit, size in _UNITS.items():
            count, left = divmod(left, size)
            if count:
                parts.append(f"{count} {_NAMES[unit]}{'s' * (count != 1)}")
        if parts[0].startswith("1 ") and len(parts) == 1:
            return f"every {parts[0][2:]}"
        return "every " + " ".join(parts)


def parse_every(text: str) -> Every:
    """The interval of `@every`, at least one second."""
    found = _DURATION.fullmatch(text)
    if not text or not found:
        raise ScheduleError(f"@every {text!r}: {_EXAMPLE}", hint=_hint(text))
    amounts = (int(number or 0) for number in found.groups())
    interval_s = sum(amount * size for amount, size in zip(amounts, _UNITS.values(), strict=True))
    if not interval_s:
        raise ScheduleError(f"@every {text!r}: an interval is at least 1s")
    if interval_s > _INTERVAL_S_MAX:
        raise ScheduleError(f"@every {text!r}: an interval is at most ten years")
    return Every(interval_s)


def _hint(text: str) -> str:
    if re.search(r"[0-9](ms|us|ns)", text):
        return "Tocsin keeps time in whole seconds: the shortest interval is 1s"
    if "." in text:
        return "write 1h30m for 1.5h"
    if text.isdecimal():
        return f"add a unit: {text}s or {text}m"
    return "each unit once, the largest first: w, d, h, m, s"
