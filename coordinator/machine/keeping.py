"""How much of a stream is kept while it is watched: its head, and the last of what follows.

An agent sends the tail of a stream that somebody watches again and again, so what is not the tail
any more has to go. That is done now and then while the stream grows, and exactly at its end, when
it leaves what would be there if nobody had watched.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec

from tocsin.messages.agent_link import Chunk
from tocsin.output_plan import head_bytes, tail_bytes

SLACK_PARTS: Final = 16
"""While the stream grows, this part of what is kept may be there above it."""


class Span(NamedTuple):
    """Bytes stored from offset `start` up to `end`: so many of them, all if there is no gap."""

    start: int
    end: int
    bytes: int


class Cut(NamedTuple):
    """What is to go of a stream: all from offset `start` up to `end`, so many stored bytes."""

    start: int
    end: int
    bytes: int


class Tail(msgspec.Struct):
    """What is stored of one stream behind its head."""

    spans: deque[Span] = msgspec.field(default_factory=deque)
    bytes: int = 0


def restored(ends: Iterable[int], stored: Iterable[int], keep_bytes: int) -> dict[int, Tail]:
    """The tails of both streams that are known up to `ends`, and of which so many bytes are stored.

    Where in them there are gaps is not known any more, so what is there goes as a whole.
    """
    head = head_bytes(keep_bytes)
    return {
        stream: Tail(deque([Span(head, end, size - head)]), size - head)
        for stream, (end, size) in enumerate(zip(ends, stored, strict=True), 1)
        if end > head and size > head
    }


def add(tails: dict[int, Tail], chunk: Chunk, keep_bytes: int) -> None:
    """A chunk that follows in its stream is stored."""
    if chunk.offset < head_bytes(keep_bytes) or not chunk.data:
        return
    tail = tails.setdefault(chunk.stream, Tail())
    tail.bytes += len(chunk.data)
    begin = chunk.offset + chunk.gap_bytes
    last = tail.spans[-1] if tail.spans else None
    if last is not None and last.end == begin and last.bytes == last.end - last.start:
        tail.spans[-1] = Span(last.start, chunk.end, last.bytes + len(chunk.data))
    else:
        tail.spans.append(Span(begin, chunk.end, len(chunk.data)))


def cut(tail: Tail, keep_bytes: int, *, ended: bool) -> Cut | None:
    """What has to go now, which is taken off the tail; None: nothing.

    The byte behind it is always stored, or is one of a gap behind which something is.
    """
    over = tail.bytes - tail_bytes(keep_bytes)
    if over <= (0 if ended else keep_bytes // SLACK_PARTS):
        return None
    gone, end = 0, 0
    while over > gone:
        first = tail.spans[0]
        left = over - gone
        if first.bytes <= left:
            tail.spans.popleft()
            gone, end = gone + first.bytes, first.end
        elif first.bytes == first.end - first.start:
            gone, end = over, first.start + left
            tail.spans[0] = Span(end, first.end, first.bytes - left)
        else:
            break
    if not gone:
        return None
    tail.bytes -= gone
    return Cut(head_bytes(keep_bytes), end, gone)
