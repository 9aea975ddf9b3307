"""Which bytes of a growing output stream are sent: its head as it grows, its tail at the end.

Of a stream that keeps N bytes, the first half is sent live. Behind it only the size is followed,
for nobody knows yet what the tail will be; at the end the last half is sent, behind a gap that
says how much is missing. The middle can be freed on the disk meanwhile.
"""

from __future__ import annotations

from typing import Final, NamedTuple

FREE_SLACK_BYTES: Final = 8 << 20
"""The middle is freed when there is at least so much of it, and so much at a time."""


class Piece(NamedTuple):
    """The next of a stream: `length` bytes from `offset`, or a gap of so many."""

    offset: int
    length: int
    is_gap: bool


def next_piece(offset: int, size: int, keep_bytes: int, *, ended: bool) -> Piece | None:
    """What comes next of a stream of `size` bytes, sent up to `offset`; None: nothing for now."""
    head = keep_bytes - keep_bytes // 2
    limit = min(size, head)
    if offset < limit:
        return Piece(offset, limit - offset, is_gap=False)
    if not ended or offset >= size:
        return None
    tail = max(offset, size - keep_bytes // 2)
    if tail > offset:
        return Piece(offset, tail - offset, is_gap=True)
    return Piece(offset, size - offset, is_gap=False)


def next_free(freed: int, size: int, keep_bytes: int) -> Piece | None:
    """The part of the middle to be freed now; it is free up to `freed`."""
    start = max(freed, keep_bytes - keep_bytes // 2)
    end = size - keep_bytes // 2
    if end - start < FREE_SLACK_BYTES:
        return None
    return Piece(start, end - start, is_gap=True)
