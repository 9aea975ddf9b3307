"""How much of a stream is kept while it is watched: its head, and the last of what follows.

An agent sends the tail of a stream that somebody watches again and again, so what is not the tail
any more has to go. That is done now and then while the stream grows, and exactly at its end, when
it leaves what would be there if nobody had watched.
"""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

import msgspec

from tocsin.output_plan import head_bytes, tail_bytes

SLACK_PARTS: Final = 16
"""While the stream grows, this part of what is kept may be there above it."""


class Span(NamedTuple):
    """All bytes from offset `start` up to `end` are stored."""

    start: int
    end: int


class Cut(NamedTuple):
    """What is to go of a stream: all from offset `start` up to `end`, so many stored bytes."""

    start: int
    end: int
    bytes: int


class Tail(msgspec.Struct):
    """What is stored of one stream behind its head."""

    spans: deque[Span] = msgspec.field(default_factory=deque)
    bytes: int = 0


def add(tails: dict[int, Tail], stream: int, span: Span, keep_bytes: int) -> None:
    """Bytes that follow in a stream are stored."""
    if span.start < head_bytes(keep_bytes) or span.start == span.end:
        return
    tail = tails.setdefault(stream, Tail())
    tail.bytes += span.end - span.start
    if tail.spans and tail.spans[-1].end == span.start:
        span = Span(tail.spans.pop().start, span.end)
    tail.spans.append(span)


def cut(tail: Tail, keep_bytes: int, *, ended: bool) -> Cut | None:
    """What has to go now, which is taken off the tail; None: nothing.

    The byte behind it is always stored, or is one of a gap behind which something is.
    """
    over = tail.bytes - tail_bytes(keep_bytes)
    if over <= (0 if ended else keep_bytes // SLACK_PARTS):
        return None
    left, end = over, 0
    while left:
        first = tail.spans.popleft()
        end = min(first.end, first.start + left)
        left -= end - first.start
        if end < first.end:
            tail.spans.appendleft(Span(end, first.end))
    tail.bytes -= over
    return Cut(head_bytes(keep_bytes), end, over)
