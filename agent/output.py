"""The output files of attempts: followed while they grow, read to the end, deleted.

Hosts and the processes they start append to `<key>.out` and `<key>.err`. Nothing tells of their
growth, so their sizes are looked at: often while they grow, rarely while they do not. A run that
prints nothing and is short costs two look-ups, at its end.
"""

from __future__ import annotations

import heapq
import os
from collections import deque
from collections.abc import Collection, Iterable
from typing import Final

import msgspec

from tocsin.execution import AttemptKey
from tocsin.instants import Now
from tocsin.log import Log
from tocsin.messages.agent_link import Chunk
from tocsin.output_plan import next_free, next_piece

from .machine.commands import Position

CHUNK_BYTES_MAX: Final = 64 << 10
LOOK_US: Final = 100_000
"""A stream that grows is looked at so often; one that does not, up to `LOOK_US_MAX` apart."""
LOOK_US_MAX: Final = 1_000_000
_SUFFIXES: Final = (".out", ".err")


class _Tail(msgspec.Struct):
    """One attempt's output: how far it was read, of each stream."""

    key: AttemptKey
    keep_bytes: int
    offsets: list[int]
    sizes: list[int]
    freed: list[int]
    ended: bool = False
    queued: bool = False
    wait_us: int = LOOK_US
    look_us: int | None = None
    """When it is looked at next; an entry of the heap with another instant is stale."""


class Outputs:
    """The output of all attempts of this agent, in one directory."""

    def __init__(self, folder: str, log: Log) -> None:
        self._folder = folder
        self._log = log
        self._tails: dict[AttemptKey, _Tail] = {}
        self._looks: list[tuple[int, AttemptKey]] = []
        self._ready: deque[AttemptKey] = deque()
        """Attempts of which there is something to be read, or to be said to be over."""

    def follow(self, key: AttemptKey, keep_bytes: int, now: Now) -> None:
        """Read an attempt's output as it grows."""
        if key not in self._tails:
            self._look_later(self._begin(key, keep_bytes), now)

    def finish(self, ended: Iterable[tuple[AttemptKey, int]]) -> None:
        """These attempts are over: read the rest, then say so."""
        for key, keep_bytes in ended:
            tail = self._tails.get(key) or self._begin(key, keep_bytes)
            self._end(tail)

    def resume(self, positions: Iterable[Position], now: Now) -> None:
        """Go on from where the coordinator's knowledge ends."""
        for position in positions:
            tail = self._tails.get(position.key)
            if tail is None:
                tail = self._begin(position.key, position.keep_bytes)
            tail.offsets[:] = position.offsets
            if position.ended:
                self._end(tail)
            else:
                tail.wait_us = LOOK_US
                self._look(tail)
                self._look_later(tail, now)

    def drop(self, keys: Iterable[AttemptKey]) -> None:
        """Delete the output of these attempts."""
        for key in keys:
            tail = self._tails.pop(key, None)
            for stream, suffix in enumerate(_SUFFIXES):
                if tail is None or not tail.ended or tail.sizes[stream] >= 0:
                    self._delete(f"{self._folder}/{key}{suffix}")

    def sweep(self, keep: Collection[AttemptKey]) -> None:
        """Delete what is left of attempts that nobody holds any more."""
        for name in os.listdir(self._folder):  # noqa: PTH208 - names are all that is wanted
            stem, dot, suffix = name.rpartition(".")
            if dot + suffix in _SUFFIXES and stem not in keep:
                self._delete(f"{self._folder}/{name}")

    def deadline_us(self) -> int | None:
        """When `read` is next needed for the time alone, on the steady clock."""
        return self._looks[0][0] if self._looks else None

    def has_ready(self) -> bool:
        """Whether there is something to be read."""
        return bool(self._ready)

    def read(self, budget_bytes: int, now: Now) -> tuple[list[Chunk], list[AttemptKey]]:
        """The next pieces, and the ended attempts of which all has been read by then.

        With a budget of 0 nothing is said at all, but what is under way is looked at.
        """
        self._look_at_due(now)
        chunks: list[Chunk] = []
        over: list[AttemptKey] = []
        while budget_bytes > 0 and self._ready:
            key = self._ready.popleft()
            tail = self._tails.get(key)
            if tail is None:
                continue
            tail.queued = False
            chunk = self._next_chunk(tail, min(budget_bytes, CHUNK_BYTES_MAX), now)
            if chunk is not None:
                chunks.append(chunk)
                budget_bytes -= len(chunk.data)
                self._queue(tail)
            elif tail.ended:
                over.append(key)
        return chunks, over

    # One attempt.

    def _begin(self, key: AttemptKey, keep_bytes: int) -> _Tail:
        tail = self._tails[key] = _Tail(key, keep_bytes, [0, 0], [-1, -1], [0, 0])
        return tail

    def _queue(self, tail: _Tail) -> None:
        if not tail.queued:
            tail.queued = True
            self._ready.append(tail.key)

    def _end(self, tail: _Tail) -> None:
        tail.ended = True
        tail.look_us = None
        self._look(tail)
        self._queue(tail)

    def _look_later(self, tail: _Tail, now: Now) -> None:
        tail.look_us = now.steady_us + tail.wait_us
        heapq.heappush(self._looks, (tail.look_us, tail.key))

    def _look_at_due(self, now: Now) -> None:
        looks = self._looks
        while looks and looks[0][0] <= now.steady_us:
            at_us, key = heapq.heappop(looks)
            tail = self._tails.get(key)
            if tail is None or tail.look_us != at_us:
                continue
            grew = self._look(tail)
            tail.wait_us = LOOK_US if grew else min(2 * tail.wait_us, LOOK_US_MAX)
            self._look_later(tail, now)
        while looks and self._is_stale(*looks[0]):
            heapq.heappop(looks)

    def _is_stale(self, at_us: int, key: AttemptKey) -> bool:
        tail = self._tails.get(key)
        return tail is None or tail.look_us != at_us

    def _look(self, tail: _Tail) -> bool:
        """Look at the sizes; whether one has grown."""
        grew = False
        for stream, suffix in enumerate(_SUFFIXES):
            path = f"{self._folder}/{tail.key}{suffix}"
            if tail.sizes[stream] < 0 and not os.access(path, os.F_OK):
                continue  # the usual case, without an exception
            try:
                size = os.stat(path).st_size  # noqa: PTH116 - an object less
            except OSError:
                size = 0
            if size > tail.sizes[stream]:
                grew = grew or size > 0
                tail.sizes[stream] = size
                self._free_middle(tail, stream, path)
        if grew:
            self._queue(tail)
        return grew

    def _next_chunk(self, tail: _Tail, bytes_max: int, now: Now) -> Chunk | None:
        for stream, suffix in enumerate(_SUFFIXES):
            offset = tail.offsets[stream]
            piece = next_piece(offset, tail.sizes[stream], tail.keep_bytes, ended=tail.ended)
            if piece is None:
                continue
            number, gap_bytes = stream + 1, piece.length if piece.is_gap else 0
            data = b""
            if not gap_bytes:
                path = f"{self._folder}/{tail.key}{suffix}"
                data = self._bytes(path, offset, min(piece.length, bytes_max))
            if data or gap_bytes:
                tail.offsets[stream] += len(data) + gap_bytes
                return Chunk(tail.key, number, offset, now.wall_us, data, gap_bytes)
            tail.sizes[stream] = offset  # it was cut short, or cannot be read: that was all
        return None

    def _bytes(self, path: str, offset: int, length: int) -> bytes:
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                return os.pread(fd, length, offset)
            finally:
                os.close(fd)
        except OSError as error:
            self._log.warning("output.unreadable", path=path, reason=error.strerror)
            return b""

    def _free_middle(self, tail: _Tail, stream: int, path: str) -> None:
        if tail.sizes[stream] <= tail.keep_bytes:
            return
        piece = next_free(tail.freed[stream], tail.sizes[stream], tail.keep_bytes)
        if piece is None:
            return
        from tocsin.hole import punch

        tail.freed[stream] = piece.offset + piece.length
        try:
            punch(path, piece.offset, piece.length)
        except OSError as error:
            self._log.warning("output.not_freed", path=path, reason=error.strerror)

    def _delete(self, path: str) -> None:
        try:
            os.unlink(path)  # noqa: PTH108 - an object less
        except FileNotFoundError:
            pass
        except OSError as error:
            self._log.warning("output.not_deleted", path=path, reason=error.strerror)
