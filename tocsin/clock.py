"""The one door to time, ids and chance; everything else takes them as arguments."""

from __future__ import annotations

import os
import random as _random
import time as _time
from pathlib import Path

# Crockford's base 32, two symbols at a time: 13 look-ups make a ULID.
_SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [a + b for a in _SYMBOLS for b in _SYMBOLS]


def now_us() -> int:
    """Wall clock: microseconds since 1970-01-01T00:00:00Z."""
    return _time.time_ns() // 1000


def monotonic_s() -> float:
    """Seconds on a clock that never steps; its zero has no meaning."""
    return _time.monotonic()


def new_ulid() -> str:
    """A fresh ULID for this millisecond (github.com/ulid/spec): 26 symbols, sorts by time."""
    return ulid(_time.time_ns() // 1_000_000, int.from_bytes(os.urandom(10), "big"))


def ulid(at_ms: int, noise: int) -> str:
    """The ULID of a time in milliseconds and 80 bits of noise."""
    n = (at_ms << 80) | noise
    return "".join([_PAIRS[(n >> shift) & 1023] for shift in range(120, -1, -10)])


def dice() -> _random.Random:
    """A source of chance, seeded by the system."""
    return _random.Random(os.urandom(16))  # noqa: S311 - chooses among agents, guards nothing


def boot_id() -> str:
    """The kernel's name for this boot, see random(4); empty where /proc is hidden."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
