"""Which rows of a log are on the screen: filtered, wrapped, and with words for what is left out.

A row belongs to a slot: that of a line that is shown, or the last slot, behind all lines. What is
hidden or not loaded before a line has a row of its own in the slot of that line, so nothing is left
out without words. A place is the number of a line and a row of its slot: it stays where it is when
lines come and go around it.
"""

from __future__ import annotations

import enum
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

import msgspec
from rich.cells import cell_len, chop_cells

from tocsin.units import format_size

from .cpu_limit import TooLongError
from .log_line import Kind, LogLine
from .log_lines import LogLines
from .log_search import needle, select
from .words import counted


class Streams(enum.Enum):
    """Which of both are shown. The value is what the title says."""

    BOTH = "stdout+stderr"
    OUT = "stdout"
    ERR = "stderr"


_OTHER: Final = {Streams.OUT: Kind.ERR, Streams.ERR: Kind.OUT}


class Mode(msgspec.Struct, frozen=True):
    """What is shown of the lines."""

    filter: str = ""
    """What they have (see `log_search`); behind a `!`, what they have not."""
    streams: Streams = Streams.BOTH

    @property
    def all(self) -> bool:
        """Whether that is everything."""
        return not self.filter and self.streams is Streams.BOTH

    @property
    def is_expression(self) -> bool:
        """Whether a regular expression says what is shown."""
        return bool(self.filter) and needle(self.filter.removeprefix("!")).pattern is not None

    @property
    def words(self) -> str:
        """What hides lines."""
        streams = "" if self.streams is Streams.BOTH else f"all but {self.streams.value}"
        return " and ".join(filter(None, [self.filter and f"by filter {self.filter}", streams]))

    def shows(self, line: LogLine) -> bool:
        """Whether a line is shown; Tocsin's own words always are."""
        if line.kind is Kind.NOTE:
            return True
        if _OTHER.get(self.streams) is line.kind:
            return False
        text = self.filter.removeprefix("!")
        return not text or needle(text).holds(line) != self.filter.startswith("!")


class Row(NamedTuple):
    """One row of the screen."""

    number: int | None
    """Of the line; None: `text` is words for what is not here."""
    text: str
    part: int = 0
    """Which row of a wrapped line it is."""


class Place(NamedTuple):
    """A row: the number of the line of its slot, and the row in the slot."""

    number: int
    row: int = 0


class LogView:
    """The rows of `lines` in a mode; `update` after each change of either."""

    def __init__(self, lines: LogLines) -> None:
        self.lines = lines
        self.mode = Mode()
        self.width = 0
        """Where lines are wrapped; 0: they are not."""
        self.total_bytes = 0
        """The size of the whole output, as far as it is known."""
        self.needle = ""
        """What is looked for (see `log_search`)."""
        self.found: list[int] = []
        """The numbers of the lines shown that hold the needle."""
        self.given_up = ""
        """The expressions that took too long and were left out; who tells of it empties this."""
        self._shown: Sequence[int] = range(0)
        self._made_of: tuple[object, ...] = ()
        self._upto = 0
        self._open: list[int] = []

    def update(self) -> None:
        """Catch up with the lines; what takes too long for that is given up."""
        try:
            self._catch_up()
        except TooLongError:
            self._give_up()
            self._catch_up()

    def _give_up(self) -> None:
        """Do without expressions."""
        slow = []
        if self.mode.is_expression:
            slow.append(self.mode.filter)
            self.mode = Mode("", self.mode.streams)
        if self.needle and needle(self.needle).pattern is not None:
            slow.append(self.needle)
            self.needle = ""
        self.given_up = " and ".join(dict.fromkeys(slow))

    def _catch_up(self) -> None:
        made_of = (self.lines.version, self.mode, self.needle)
        if made_of != self._made_of:
            self._made_of, self._shown, self.found = made_of, [], []
            self._upto, self._open = self.lines.first, []
        self._look_again()
        begin = max(self._upto, self.lines.first)
        if self.mode.all:
            self._shown = range(self.lines.first, self.lines.end)
        else:
            assert isinstance(self._shown, list)
            self._shown += self._select(begin, self.mode.shows)
        if self.needle:
            self.found += self._select(begin, self._matches)
        self._upto, self._open = self.lines.end, self.lines.growing

    def _select(self, begin: int, wanted: Callable[[LogLine], bool]) -> list[int]:
        return select(self.lines.lines(begin), begin, wanted, bounded=self._bounded)

    @property
    def _bounded(self) -> bool:
        sought = bool(self.needle) and needle(self.needle).pattern is not None
        return sought or self.mode.is_expression

    def _look_again(self) -> None:
        """What has grown since may belong to what is shown now, or not any more."""
        for number in self._open:
            lines, bounded = [self.lines.line(number)], self._bounded
            if not self.mode.all:
                assert isinstance(self._shown, list)
                shown = select(lines, number, self.mode.shows, bounded=bounded)
                _set(self._shown, number, wanted=bool(shown))
            if self.needle:
                found = select(lines, number, self._matches, bounded=bounded)
                _set(self.found, number, wanted=bool(found))

    def _matches(self, line: LogLine) -> bool:
        return self.mode.shows(line) and needle(self.needle).holds(line)

    # Rows.

    @property
    def count(self) -> int:
        """How many lines are shown."""
        return len(self._shown)

    @property
    def shows_any(self) -> bool:
        """Whether a line of the output is shown, and not just words about it."""
        return any(self.lines.line(number).kind is not Kind.NOTE for number in self._shown)

    @property
    def first(self) -> Place:
        """The place of the first row."""
        return Place(self._number(0))

    @property
    def hidden(self) -> int:
        """How many lines of the window are not shown."""
        return self.lines.end - self.lines.first - len(self._shown)

    def near(self, number: int) -> int:
        """The line shown at or behind a number, else the last one before it; -1: there is none."""
        if not self._shown:
            return -1
        at = bisect_left(self._shown, number)
        return self._shown[min(at, len(self._shown) - 1)]

    def step(self, number: int, lines: int) -> int:
        """The line shown so many lines on from another, or the last one on the way."""
        if not self._shown:
            return number
        at = bisect_left(self._shown, number) + lines
        return self._shown[max(min(at, len(self._shown) - 1), 0)]

    def rows(self, place: Place, height: int) -> list[tuple[Place, Row]]:
        """The rows from a place on."""
        slot, skip = self._slot(place.number), place.row
        found: list[tuple[Place, Row]] = []
        while slot <= len(self._shown) and len(found) < height:
            number = self._number(slot)
            rows = [(Place(number, i), row) for i, row in enumerate(self._rows_of(slot))]
            found += rows[min(skip, max(len(rows) - 1, 0)) :]
            slot, skip = slot + 1, 0
        return found[:height]

    def back(self, place: Place, rows: int) -> Place:
        """The place so many rows before another, or the first of all."""
        slot = self._slot(place.number)
        left = rows - place.row
        while left > 0 and slot > 0:
            slot -= 1
            left -= len(self._rows_of(slot))
        return Place(self._number(slot), max(-left, 0))

    def on(self, place: Place, rows: int, height: int) -> Place:
        """The place so many rows behind another, or the last that fills a screen."""
        ahead = self.rows(place, rows + height)
        if len(ahead) < rows + height:
            return self.last(height)
        return ahead[rows][0]

    def last(self, height: int) -> Place:
        """The place from which the last rows fill a screen."""
        return self.back(Place(self.lines.end), height - len(self._rows_of(len(self._shown))))

    def place_of(self, number: int) -> Place:
        """The first row of the line itself."""
        return Place(self._number(self._slot(number)), self.notes_before(number))

    def part_of(self, text: str, index: int) -> int:
        """In which row of a line, wrapped or not, a character of its text is."""
        upto = 0
        for part, row in enumerate(wrapped(text, self.width)):
            upto += len(row)
            if index < upto:
                return part
        return 0

    def notes_before(self, number: int) -> int:
        """How many rows of words stand before the line itself."""
        return len(list(self._notes(self._slot(number))))

    def _slot(self, number: int) -> int:
        return bisect_left(self._shown, number)

    def _number(self, slot: int) -> int:
        return self._shown[slot] if slot < len(self._shown) else self.lines.end

    def _rows_of(self, slot: int) -> list[Row]:
        rows = [Row(None, f"── {words} ──") for words in self._notes(slot)]
        if slot == len(self._shown):
            return rows
        number = self._shown[slot]
        text = self.lines.line(number).text
        return [*rows, *(Row(number, part, i) for i, part in enumerate(wrapped(text, self.width)))]

    def _notes(self, slot: int) -> Iterator[str]:
        """What is left out before a line, or behind the last."""
        before, behind = 0, 0
        if not (self.lines.at_start and self.lines.at_end):
            before, behind = self.lines.not_loaded(self.total_bytes)
        if slot == 0 and not self.lines.at_start:
            yield f"{_about(before)} before this, not loaded: scroll on"
        since = self._shown[slot - 1] + 1 if slot else self.lines.first
        left_out = self._number(slot) - since
        if left_out:
            yield f"{counted(left_out, 'line')} hidden {self.mode.words}"
        if slot == len(self._shown) and not self.lines.at_end:
            yield f"{_about(behind)} behind this, not loaded: scroll on"


def wrapped(text: str, width: int) -> list[str]:
    """A text in parts of at most `width` cells; 0: in one."""
    if not width or (len(text) <= width and (text.isascii() or cell_len(text) <= width)):
        return [text]
    if text.isascii():
        return [text[at : at + width] for at in range(0, len(text), width)]
    return chop_cells(text, width)


def _set(numbers: list[int], number: int, *, wanted: bool) -> None:
    at = bisect_left(numbers, number)
    there = at < len(numbers) and numbers[at] == number
    if wanted and not there:
        insort(numbers, number)
    elif there and not wanted:
        del numbers[at]


def _about(size: int) -> str:
    return f"about {format_size(size)}" if size else "something"
