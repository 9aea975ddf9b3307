"""Which bytes of a growing output stream are sent: its head as it grows, its tail at the end.

Of a stream that keeps N bytes, the first half is sent live. Behind it only the size is followed,
for nobody knows yet what the tail will be; at the end the last half is sent, behind a gap that
says how much is missing. The middle can be freed on the disk meanwhile.

While somebody watches, what would be the tail now is sent as well, at a bounded rate. Only what can
be in no tail any more is skipped, so the last half is complete whenever the stream ends.
"""

from __future__ import annotations

from typing import Final, NamedTuple

FREE_SLACK_BYTES: Final = 8 << 20
"""The middle is freed when there is at least so much of it."""
FREE_MARGIN_BYTES: Final = 1 << 20
"""So much of it stays then, for a reader that looked at the size a moment ago."""


class Piece(NamedTuple):
    """The next of a stream: `length` bytes from `offset`, or a gap of so many."""

    offset: int
    length: int
    is_gap: bool


def head_bytes(keep_bytes: int) -> int:
    """How much is kept of the beginning."""
    return keep_bytes - keep_bytes // 2


def tail_bytes(keep_bytes: int) -> int:
    """How much is kept of the end."""
    return keep_bytes // 2


def next_piece(offset: int, size: int, keep_bytes: int, *, with_tail: bool) -> Piece | None:
    """What comes next of a stream of `size` bytes, sent up to `offset`; None: nothing for now.

    `with_tail`: it has ended, or somebody watches.
    """
    limit = min(size, head_bytes(keep_bytes))
    if offset < limit:
        return Piece(offset, limit - offset, is_gap=False)
    if not with_tail or offset >= size:
        return None
    tail = max(offset, size - tail_bytes(keep_bytes))
    if tail > offset:
        return Piece(offset, tail - offset, is_gap=True)
    return Piece(offset, size - offset, is_gap=False)


def next_free(freed: int, size: int, keep_bytes: int) -> Piece | None:
    """The part of the middle to be freed now; it is free up to `freed`."""
    start = max(freed, head_bytes(keep_bytes))
    end = size - tail_bytes(keep_bytes)
    if end - start < FREE_SLACK_BYTES:
        return None
    return Piece(start, end - start - FREE_MARGIN_BYTES, is_gap=True)


def may_be_freed(offset: int, size: int, keep_bytes: int) -> bool:
    """Whether the byte at `offset` may have been freed by now, of a stream of `size` bytes."""
    free = size - tail_bytes(keep_bytes) - FREE_MARGIN_BYTES
    return head_bytes(keep_bytes) <= offset < free
