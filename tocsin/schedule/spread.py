"""A place within a span of time that a name always gets: jitter by hash and not by dice.

The place is a promise: it is the same in every release, on every host, for the same name and span
(`tests/unit/schedule/test_spread.py` holds a table of them). A job whose place moved would leave a
day out or run twice in one.
"""

from __future__ import annotations

import hashlib

_STEP_US = 1_000


def spread_us(key: str, span_us: int) -> int:
    """Microseconds from 0 to below `span_us`, in whole milliseconds; 0 for less than one of those.

    SHA-256 of the key in UTF-8; its first eight bytes, big-endian, are scaled to the span, so that
    names fall on all of it evenly, and keep their order when it is widened.
    """
    digest = hashlib.sha256(key.encode()).digest()
    steps = max(span_us, 0) // _STEP_US
    return (int.from_bytes(digest[:8], "big") * steps >> 64) * _STEP_US
