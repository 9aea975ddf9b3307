"""The one door to time, ids and chance; everything else takes them as arguments."""

from __future__ import annotations

import os
import random as _random
import time as _time
from functools import lru_cache
from pathlib import Path

# Crockford's base 32, two symbols at a time: 13 look-ups make a ULID.
_SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [a + b for a in _SYMBOLS for b in _SYMBOLS]
_NOISE_BYTES = 10
_TOGETHER_S = 0.05
_noise: list[bytes] = []


def now_us() -> int:
    """Wall clock: microseconds since 1970-01-01T00:00:00Z."""
    return _time.time_ns() // 1000


def monotonic_s() -> float:
    """Seconds on a clock that never steps; its zero has no meaning."""
    return _time.monotonic()


def boottime_s() -> float:
    """Like `monotonic_s`, but it goes on while the machine sleeps, see clock_gettime(2)."""
    return _time.clock_gettime(_time.CLOCK_BOOTTIME)


def read_all() -> tuple[int, int, int]:
    """`now_us`, `monotonic_s` and `boottime_s` in microseconds, read in the same 50 ms."""
    while True:
        first_s = monotonic_s()
        wall_us, boot_s, steady_s = now_us(), boottime_s(), monotonic_s()
        if steady_s - first_s < _TOGETHER_S:
            return wall_us, round(steady_s * 1e6), round(boot_s * 1e6)


def new_ulid() -> str:
    """A fresh ULID for this millisecond (github.com/ulid/spec): 26 symbols, sorts by time."""
    # One system call for many: it would be most of the cost otherwise.
    if not _noise:
        data = os.urandom(_NOISE_BYTES * 64)
        _noise.extend(data[at : at + _NOISE_BYTES] for at in range(0, len(data), _NOISE_BYTES))
    return ulid(_time.time_ns() // 1_000_000, int.from_bytes(_noise.pop(), "big"))


def ulid(at_ms: int, noise: int) -> str:
    """The ULID of a time in milliseconds and 80 bits of noise."""
    pairs = _PAIRS
    high, low = noise >> 40, noise & 0xFFFFFFFFFF
    return (
        f"{_stamp(at_ms)}"
        f"{pairs[high >> 30]}{pairs[high >> 20 & 1023]}{pairs[high >> 10 & 1023]}"
        f"{pairs[high & 1023]}"
        f"{pairs[low >> 30]}{pairs[low >> 20 & 1023]}{pairs[low >> 10 & 1023]}{pairs[low & 1023]}"
    )


@lru_cache(maxsize=1)
def _stamp(at_ms: int) -> str:
    return "".join([_PAIRS[at_ms >> shift & 1023] for shift in range(40, -1, -10)])


def dice() -> _random.Random:
    """A source of chance, seeded by the system."""
    return _random.Random(os.urandom(16))  # noqa: S311 - chooses among agents, guards nothing


def boot_id() -> str:
    """The kernel's name for this boot, see random(4); empty where /proc is hidden."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
