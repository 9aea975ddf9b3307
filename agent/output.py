"""The output files of attempts: followed while they grow, read to the end, deleted.

Hosts and the processes they start append to `<key>.out` and `<key>.err`. Nothing tells of their
growth, so their sizes are looked at: often while they grow, rarely while they do not. A run that
prints nothing and is short costs two look-ups, at its end. Each look also tells when a file was
last written to, and that is when its output counts as printed, however late it is read and sent.
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
from tocsin.output_plan import head_bytes, may_be_freed, next_free, next_piece, tail_bytes

from .allowance import Allowance
from .machine.commands import Position
from .stamps import Stamps

CHUNK_BYTES_MAX: Final = 64 << 10
LOOK_US: Final = 100_000
"""A stream that grows is looked at so often; one that does not, up to `LOOK_US_MAX` apart."""
LOOK_US_MAX: Final = 1_000_000
WATCHED_LOOK_US_MAX: Final = 200_000
"""What somebody watches does not wait so long."""
WATCHED_BYTES_MIN: Final = 4 << 10
"""Where an allowance is used up, less than that is not worth a chunk."""
_SUFFIXES: Final = (".out", ".err")


class _Tail(msgspec.Struct):
    """One attempt's output: how far it was read, of each stream."""

    key: AttemptKey
    keep_bytes: int
    offsets: list[int]
    sizes: list[int]
    freed: list[int]
    stamps: dict[int, Stamps] = {}
    """When which of it was printed, of each stream that has any."""
    allowance: Allowance | None = None
    """How much may be sent of what would be its tail now; None: nobody ever watched it."""
    watched_until_us: int = 0
    """On the steady clock."""
    err_first: bool = False
    """Whether of a watched tail stderr is next; both share its allowance."""
    ended: bool = False
    queued: bool = False
    wait_us: int = LOOK_US
    look_us: int | None = None
    """When it is looked at next; an entry of the heap with another instant is stale."""

    def is_watched(self, now: Now) -> bool:
        """Whether somebody wants to see the newest of it."""
        return now.steady_us < self.watched_until_us

    def is_behind(self) -> bool:
        """Whether there is more than was read."""
        return self.offsets[0] < self.sizes[0] or self.offsets[1] < self.sizes[1]


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
                self._queue(tail)
                self._look_later(tail, now)

    def watch(self, keys: Iterable[AttemptKey], until_us: int, now: Now) -> None:
        """Until an instant of the steady clock, read the newest of these attempts as well."""
        for key in keys:
            tail = self._tails.get(key)
            if tail is not None and not tail.ended:
                tail.allowance = tail.allowance or Allowance(now.steady_us)
                tail.watched_until_us = until_us
                tail.wait_us = LOOK_US
                self._look_later(tail, now)
                self._queue(tail)

    def leave(self, keys: Iterable[AttemptKey]) -> None:
        """Read the output of these attempts no more; another `follow` begins anew."""
        for key in keys:
            self._tails.pop(key, None)

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
            goes_on = self._look(tail)
            if tail.is_watched(now) and tail.is_behind():
                self._queue(tail)
                goes_on = True
            longest_us = WATCHED_LOOK_US_MAX if tail.is_watched(now) else LOOK_US_MAX
            tail.wait_us = LOOK_US if goes_on else min(2 * tail.wait_us, longest_us)
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
            size = at_ns = 0
            try:
                status = os.stat(path)  # noqa: PTH116 - an object less
                size, at_ns = status.st_size, status.st_mtime_ns
            except OSError:
                pass
            if size > tail.sizes[stream]:
                grew = grew or size > 0
                tail.sizes[stream] = size
                if size:
                    stamps = tail.stamps.get(stream)
                    if stamps is None:
                        stamps = tail.stamps[stream] = Stamps()
                    stamps.saw(size, at_ns // 1000, tail.offsets[stream])
                    self._free_middle(tail, stream, path)
        if grew:
            self._queue(tail)
        return grew

    def _next_chunk(self, tail: _Tail, bytes_max: int, now: Now) -> Chunk | None:
        for stream in (1, 0) if tail.err_first else (0, 1):
            chunk = self._next_of(tail, stream, bytes_max, now)
            if chunk is not None:
                return chunk
        return None

    def _next_of(self, tail: _Tail, stream: int, bytes_max: int, now: Now) -> Chunk | None:
        offset, size, keep_bytes = tail.offsets[stream], tail.sizes[stream], tail.keep_bytes
        with_tail = tail.ended or tail.is_watched(now)
        piece = next_piece(offset, size, keep_bytes, with_tail=with_tail)
        if piece is None:
            return None
        is_early = not tail.ended and offset >= head_bytes(keep_bytes)
        if is_early:
            bytes_max = min(bytes_max, self._allowed(tail, stream, now))
            if bytes_max <= 0:
                return None
        if piece.is_gap:
            at_us, _ = tail.stamps[stream].of(offset + piece.length - 1)
            tail.offsets[stream] += piece.length
            return Chunk(tail.key, stream + 1, offset, at_us, b"", piece.length)
        at_us, same_until = tail.stamps[stream].of(offset)
        length = min(piece.length, bytes_max, same_until - offset)
        data, size = self._bytes(f"{self._folder}/{tail.key}{_SUFFIXES[stream]}", offset, length)
        if not data:
            tail.sizes[stream] = offset  # it was cut short, or cannot be read: that was all
            return None
        if is_early and may_be_freed(offset, size, keep_bytes):
            self._look(tail)  # it grows so fast that this was freed meanwhile: a gap
            return self._next_of(tail, stream, bytes_max, now)
        if is_early and tail.allowance is not None:
            tail.allowance.spend(len(data))
            tail.err_first = stream == 0
        tail.offsets[stream] += len(data)
        return Chunk(tail.key, stream + 1, offset, at_us, data)

    def _allowed(self, tail: _Tail, stream: int, now: Now) -> int:
        """How much of a watched tail may be read now; 0 also where it is not worth a chunk."""
        allowed = tail.allowance.at(now.steady_us) if tail.allowance is not None else 0
        left = min(tail.sizes[stream] - tail.offsets[stream], tail_bytes(tail.keep_bytes))
        return allowed if allowed >= min(left, WATCHED_BYTES_MIN) else 0

    def _bytes(self, path: str, offset: int, length: int) -> tuple[bytes, int]:
        """A part of a file, and how long the file was afterwards."""
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                return os.pread(fd, length, offset), os.fstat(fd).st_size
            finally:
                os.close(fd)
        except OSError as error:
            self._log.warning("output.unreadable", path=path, reason=error.strerror)
            return b"", 0

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
