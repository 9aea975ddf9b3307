"""A stretch of a run's output without a hole, as lines; it can grow and shrink at both ends.

It consists of pages, each some pieces, that come and go as a whole. A line that began before the
first page is there as `torn`, and mended when the page before it comes. Lines are numbered; the
number of a line stays while the stretch changes around it, but for the at most two lines (one of
each stream) over which a page ended that is let go.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

import msgspec

from tocsin.messages.client_answers import OutputPiece
from tocsin.output_seams import joined
from tocsin.units import format_size

from .log_line import Kind, LogLine

LINE_BYTES_MAX: Final = 4_000
"""A longer line is shown as several."""
_STDERR: Final = 2


class Page(msgspec.Struct):
    """Some pieces, and what has to be known to begin or to end the stretch with them."""

    position: int
    """Of its first piece."""
    last: int
    """Of its last piece."""
    attempt: int
    """Of its first piece."""
    offset: int
    """Of its first piece in its stream."""
    number: int
    """Of its first line."""
    earlier_attempt: int
    """Of the piece before it; 0: that is not known."""
    ends: dict[int, int]
    """The offset behind the last piece of each stream before it, in that attempt."""
    seen: set[int]
    """The streams of which there was something before it, in that attempt."""
    entering: dict[int, tuple[int, int]]
    """The lines that had no end before it, by stream: number and size until then."""
    bytes: int = 0


class Stretch:
    """See the module."""

    def __init__(self) -> None:
        self.first = 0
        """The number of the first line."""
        self.lines: list[LogLine] = []
        self.pages: list[Page] = []
        self.bytes = 0
        self.growing: dict[int, int] = {}
        """The lines without an end, by stream."""
        self._attempt = 0
        """Of the last piece."""
        self._ends: dict[int, int] = {}
        """The offset behind the last piece of each stream, in that attempt."""
        self._seen: set[int] = set()
        """The streams of which there is something, in that attempt."""
        self._torn: dict[int, int] = {}
        """The lines of which the beginning may come, by stream."""

    @property
    def end(self) -> int:
        """The number behind the last line."""
        return self.first + len(self.lines)

    def line(self, number: int) -> LogLine:
        """The line of this number, `first <= number < end`."""
        return self.lines[number - self.first]

    # Growing at the end.

    def put(self, piece: OutputPiece, page_lines: int, page_bytes: int) -> None:
        """Take the next piece, into a new page when the last one is as large as this."""
        if piece.attempt == self._attempt:
            piece = joined(self._ends.get(piece.stream), piece)
        page = self.pages[-1] if self.pages else None
        if page is None or self.end - page.number >= page_lines or page.bytes >= page_bytes:
            page = self._begin_page(piece)
        page.last = piece.position
        page.bytes += len(piece.data)
        self.bytes += len(piece.data)
        if piece.attempt != self._attempt:
            self._begin_attempt(piece)
        self._ends[piece.stream] = piece.end
        if piece.gap_bytes:
            self.growing.pop(piece.stream, None)
            self._seen.add(piece.stream)
            self._note(piece, f"{format_size(piece.gap_bytes)} not kept here")
        if piece.data:
            self._grow(piece)

    def _begin_page(self, piece: OutputPiece) -> Page:
        entering = {}
        if piece.attempt == self._attempt:
            entering = {s: (n, len(self.line(n).data)) for s, n in self.growing.items()}
            if piece.gap_bytes:
                entering.pop(piece.stream, None)
        page = Page(
            position=piece.position, last=piece.position, attempt=piece.attempt,
            offset=piece.offset, number=self.end, earlier_attempt=self._attempt,
            ends=dict(self._ends), seen=set(self._seen), entering=entering,
        )  # fmt: skip
        self.pages.append(page)
        return page

    def _begin_attempt(self, piece: OutputPiece) -> None:
        self.growing.clear()
        self._seen.clear()
        self._ends.clear()
        if self._attempt:
            self._note(piece, f"attempt {piece.attempt}")
        self._attempt = piece.attempt

    def _note(self, piece: OutputPiece, text: str) -> None:
        self.lines.append(_note(piece.at_us, piece.position, text))

    def _grow(self, piece: OutputPiece) -> None:
        stream, at_us, position = piece.stream, piece.at_us, piece.position
        kind = Kind.ERR if stream == _STDERR else Kind.OUT
        start = piece.offset + piece.gap_bytes
        torn = stream not in self._seen and piece.offset > 0
        self._seen.add(stream)
        head, *others = piece.data.split(b"\n")
        if torn:
            self._torn[stream] = self.end
        if head or others:
            self._extend(stream, LogLine(kind, at_us, head, position, start, torn, position))
        for data in others:
            start += len(head) + 1
            head = data
            if len(data) > LINE_BYTES_MAX:
                self.growing.pop(stream, None)
                self._extend(stream, LogLine(kind, at_us, data, position, start, last=position))
            else:
                self.lines.append(LogLine(kind, at_us, data, position, start, last=position))
        if others:
            self._end_line(stream)

    def _end_line(self, stream: int) -> None:
        """Let the last line that was put grow; behind a line's end there is none yet."""
        if self.lines[-1].data:
            self.growing[stream] = self.end - 1
        else:
            self.lines.pop()
            self.growing.pop(stream, None)

    def _extend(self, stream: int, more: LogLine) -> None:
        """Let the line of a stream grow, or begin; what is too long becomes several."""
        number = self.growing.get(stream)
        if number is None:
            self.lines.append(more)
        else:
            known = self.line(number)
            more = known._replace(data=known.data + more.data, last=more.last)
            self.lines[number - self.first] = more
        self.growing[stream] = self.end - 1 if number is None else number
        while len(more.data) > LINE_BYTES_MAX:
            whole = more._replace(data=more.data[:LINE_BYTES_MAX])
            self.lines[self.growing[stream] - self.first] = whole
            more = more._replace(
                data=more.data[LINE_BYTES_MAX:], start=more.start + LINE_BYTES_MAX, torn=False
            )
            self.growing[stream] = self.end
            self.lines.append(more)

    # Growing at the beginning.

    def join(self, part: Stretch) -> None:
        """Take all of `part`, which comes just before."""
        head = self.pages[0]
        same = part._attempt == head.attempt
        if not same and not head.earlier_attempt:
            self._insert_attempt(head)
        joined = self._mend(part) if same else {}
        numbers = _Renumbering(self.first - len(part.lines) + len(joined), joined)
        if same:
            self._enter(part, head, numbers)
        head.earlier_attempt = part._attempt
        for page in part.pages:
            page.number = numbers.place(page.number)
            page.entering = {s: (numbers.of(n), size) for s, (n, size) in page.entering.items()}
        left = {s: n for s, n in self._torn.items() if s not in part._seen}
        still_torn = left if part.pages[0].attempt == head.attempt else {}
        self._torn = still_torn | {s: numbers.of(n) for s, n in part._torn.items()}
        self.lines[:0] = [line for n, line in enumerate(part.lines) if n not in joined]
        self.first = numbers.first
        self.pages[:0] = part.pages
        self.bytes += part.bytes

    def _insert_attempt(self, head: Page) -> None:
        self.first -= 1
        head.number -= 1
        at_us = self.lines[0].at_us if self.lines else 0
        self.lines.insert(0, _note(at_us, head.position, f"attempt {head.attempt}"))

    def _mend(self, part: Stretch) -> dict[int, int]:
        """Put beginnings before torn lines; which line of `part` became part of which."""
        joined = {}
        for stream, number in self._torn.items():
            line = self.line(number)
            if stream in part.growing:
                begun = part.line(part.growing[stream])
                self.lines[number - self.first] = begun._replace(
                    data=begun.data + line.data, last=line.last
                )
                joined[part.growing[stream]] = number
                for page in self.pages[1:]:
                    self._enter_later(page, stream, number, len(begun.data))
            elif stream in part._seen:
                self.lines[number - self.first] = line._replace(torn=False)
        return joined

    def _enter_later(self, page: Page, stream: int, number: int, size: int) -> None:
        """Note in a page that so much more of a torn line comes before it."""
        attempt = self.pages[0].attempt
        known, known_size = page.entering.get(stream, (None, 0))
        if known == number:
            page.entering[stream] = number, known_size + size
        elif stream not in page.seen and page.earlier_attempt == page.attempt == attempt:
            page.entering[stream] = number, size

    def _enter(self, part: Stretch, head: Page, numbers: _Renumbering) -> None:
        """Note which lines of `part` have no end in it."""
        for stream, number in part.growing.items():
            entering = numbers.of(number), len(part.line(number).data)
            if number in numbers.joined:
                head.entering[stream] = entering
            elif head.attempt == self._attempt and stream not in self._seen:
                self.growing[stream] = entering[0]
                for page in self.pages:
                    page.entering[stream] = entering
        for page in self.pages:
            if page.earlier_attempt in {0, head.attempt}:
                page.seen |= part._seen
                page.ends = part._ends | page.ends
        if head.attempt == self._attempt:
            self._seen |= part._seen
            self._ends = part._ends | self._ends

    # Shrinking.

    def drop_first(self) -> None:
        """Let go of the first page, which is not the only one."""
        gone, head = self.pages[0], self.pages[1]
        begin = head.number
        torn: dict[int, int] = {}
        left: list[LogLine] = []
        ends = {stream: (n, size, self.line(n)) for stream, (n, size) in head.entering.items()}
        for stream, (number, size, line) in ends.items():
            rest = line._replace(
                data=line.data[size:], start=line.start + size, position=head.position, torn=True
            )
            if number >= begin:
                self.lines[number - self.first] = rest
                torn[stream] = number
            elif rest.data:
                left.append(rest)
                torn[stream] = number
            else:
                self._unsee(stream, number)
        new = begin - len(left)
        self.lines[: begin - self.first] = left
        self.first = head.number = new
        moved = {n: new + i for i, n in enumerate(n for n in torn.values() if n < begin)}
        sizes = {n: size for n, size, _ in ends.values()}
        self._move(moved, sizes)
        self._torn = {s: n for s, n in self._torn.items() if n >= begin}
        self._torn |= {s: moved.get(n, n) for s, n in torn.items()}
        self.bytes -= gone.bytes
        del self.pages[0]
        head.entering = {}

    def _unsee(self, stream: int, number: int) -> None:
        """Forget a line of which nothing is left, and that it went on, or still does."""
        if self.growing.get(stream) == number:
            del self.growing[stream]
            self._seen.discard(stream)
        for page in self.pages[1:]:
            if page.entering.get(stream, (None, 0))[0] == number:
                del page.entering[stream]
                page.seen.discard(stream)

    def _move(self, moved: dict[int, int], cut: dict[int, int]) -> None:
        """Let all that points to lines follow them to new numbers, and their sizes what was cut."""
        self.growing = {s: moved.get(n, n) for s, n in self.growing.items()}
        for page in self.pages:
            page.entering = {
                s: (moved.get(n, n), size - cut.get(n, 0)) for s, (n, size) in page.entering.items()
            }

    def drop_last(self) -> None:
        """Let go of the last page, which is not the only one."""
        gone = self.pages.pop()
        growing: dict[int, int] = {}
        left: list[LogLine] = []
        moved: dict[int, int] = {}
        for stream, (number, size) in gone.entering.items():
            begun = self.line(number)._replace(data=self.line(number).data[:size])
            growing[stream] = number
            if number < gone.number:
                self.lines[number - self.first] = begun
            else:
                growing[stream] = moved[number] = gone.number + len(left)
                left.append(begun)
        self.lines[gone.number - self.first :] = left
        self._torn = {
            s: moved.get(n, n) for s, n in self._torn.items() if n < gone.number or n in moved
        }
        self.growing = growing
        self._move(moved, {})
        self._attempt, self._seen = gone.earlier_attempt, set(gone.seen)
        self._ends = dict(gone.ends)
        self.bytes -= gone.bytes


class _Renumbering:
    """The numbers of the lines of a part once it is in the stretch."""

    def __init__(self, first: int, joined: dict[int, int]) -> None:
        self.first = first
        self.joined = joined
        self._order = sorted(joined)

    def place(self, number: int) -> int:
        """Where what stood at `number` stands now, or what came behind it."""
        return self.first + number - bisect_left(self._order, number)

    def of(self, number: int) -> int:
        """The number of the line, or of the one that it became part of."""
        return self.joined.get(number, self.place(number))


def _note(at_us: int, position: int, text: str) -> LogLine:
    return LogLine(Kind.NOTE, at_us, f"── {text} ──".encode(), position, last=position)
