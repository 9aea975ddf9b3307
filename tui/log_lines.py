"""A window on a run's output as lines, in bounded memory.

It grows at its end with what is printed and at its beginning with what is read back; where it is
too large, pages are let go at the side away from the reader, to be read again when they are wanted.
Where it does not reach to the beginning or the end, `at_start` and `at_end` say so; who draws it
has to say it too. stdout and stderr each grow their own line, so pieces that arrive in turns do not
tear lines apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from tocsin.messages.client_answers import OutputPiece

from .log_line import Key, LogLine
from .log_stretch import Stretch

LINES_MAX: Final = 20_000
BYTES_MAX: Final = 16 << 20
PAGES: Final = 20
"""About so many pages fill the window."""


class LogLines:
    """Add pieces, read lines by their numbers, which stay (but see `log_stretch`)."""

    def __init__(self) -> None:
        self.at_start = True
        """Whether there is nothing before the window."""
        self.at_end = True
        """Whether what arrives is put into the window; else it has to be read again."""
        self.pinned: int | None = None
        """The number of a line that must stay: the reader is there. None: the end is followed."""
        self.arrived_lines = 0
        """How many lines have ended in what has arrived, whether or not it is in the window."""
        self.version = 0
        """Is another when lines have changed otherwise than by growing at the end."""
        self._arrived = 0
        """The position of the last piece that has arrived."""
        self._stretch = Stretch()

    @property
    def first(self) -> int:
        """The number of the first line in the window."""
        return self._stretch.first

    @property
    def end(self) -> int:
        """The number behind the last line in the window."""
        return self._stretch.end

    @property
    def bytes(self) -> int:
        """The size of the output in the window."""
        return self._stretch.bytes

    @property
    def before(self) -> int:
        """The position of the first piece in the window, for reading back from there."""
        return self._stretch.pages[0].position if self._stretch.pages else 0

    @property
    def position(self) -> int:
        """The position of the last piece in the window, for reading on from there."""
        return self._stretch.pages[-1].last if self._stretch.pages else 0

    @property
    def growing(self) -> list[int]:
        """The numbers of the lines that have no end yet."""
        return sorted(self._stretch.growing.values())

    @property
    def roomy(self) -> bool:
        """Whether it is at most half full."""
        return self.end - self.first <= LINES_MAX // 2 and self.bytes <= BYTES_MAX // 2

    def line(self, number: int) -> LogLine:
        """The line of this number, `first <= number < end`."""
        return self._stretch.line(number)

    def lines(self, begin: int) -> Sequence[LogLine]:
        """The lines from the number `begin` on."""
        return self._stretch.lines[max(begin - self.first, 0) :]

    def number_of(self, key: Key) -> int | None:
        """The number of the line with this key, when it is in the window."""
        for number, line in enumerate(self._stretch.lines, self.first):
            if line.position == key[1] and line.key == key:
                return number
        return None

    def not_loaded(self, total_bytes: int) -> tuple[int, int]:
        """About how much output there is before and behind the window, of so much in all."""
        left = max(total_bytes - self.bytes, 0)
        if self.at_start or self.at_end:
            return (0, left) if self.at_start else (left, 0)
        before = min(self._stretch.pages[0].offset if self._stretch.pages else 0, left)
        return before, left - before

    def add(self, pieces: Iterable[OutputPiece]) -> None:
        """Take output that has just arrived."""
        for piece in pieces:
            self._arrived = max(self._arrived, piece.position)
            self.arrived_lines += piece.data.count(b"\n")
            if self.at_end and piece.position > self.position:
                self._put(self._stretch, piece)
        self._let_go_first()
        if self.pinned is not None and self._too_large():
            self.at_end = False

    def add_later(self, pieces: Iterable[OutputPiece], *, more: bool) -> None:
        """Take output that follows the window; `more`: there is yet later."""
        before = self.position
        for piece in pieces:
            if piece.position > self.position:
                self._put(self._stretch, piece)
        if self.position == before and not more:
            self._arrived = before  # what is not there cannot be waited for
        self._reached(more=more)
        self._let_go_first()

    def add_earlier(self, pieces: Iterable[OutputPiece], *, more: bool) -> None:
        """Take output that comes just before the window; `more`: there is yet earlier."""
        self.at_start = not more
        part = Stretch()
        for piece in pieces:
            if not self.before or piece.position < self.before:
                self._put(part, piece)
        if part.pages and self._stretch.pages:
            self._stretch.join(part)
        elif part.pages:
            self._stretch = part
        self.version += 1
        pages = self._stretch.pages
        while self._too_large() and (pages[-1].number > self._reader or not self._bearable()):
            self._stretch.drop_last()
            self.at_end = False

    def open(self, pieces: Iterable[OutputPiece], *, earlier: bool, later: bool) -> None:
        """Begin anew with these pieces; whether there is other output before and behind them."""
        self._stretch = Stretch()
        for piece in pieces:
            self._put(self._stretch, piece)
        self.at_start, self.pinned = not earlier, None
        self.version += 1
        self._reached(more=later)

    def _put(self, stretch: Stretch, piece: OutputPiece) -> None:
        stretch.put(piece, LINES_MAX // PAGES, BYTES_MAX // PAGES)

    def _reached(self, *, more: bool) -> None:
        self._arrived = max(self._arrived, self.position)
        self.at_end = not more and self.position == self._arrived

    @property
    def _reader(self) -> int:
        return self.end if self.pinned is None else self.pinned

    def _too_large(self) -> bool:
        stretch = self._stretch
        large = len(stretch.lines) > LINES_MAX or stretch.bytes > BYTES_MAX
        return large and len(stretch.pages) > 1

    def _bearable(self) -> bool:
        """Whether the window is not so large that even what is read must go."""
        stretch = self._stretch
        return len(stretch.lines) <= 2 * LINES_MAX and stretch.bytes <= 2 * BYTES_MAX

    def _let_go_first(self) -> None:
        """Let go of what is before the reader; two lines more may be left of a page."""
        pages = self._stretch.pages
        while self._too_large() and pages[1].number <= self._reader:
            self._stretch.drop_first()
            self.at_start = False
            self.version += 1
