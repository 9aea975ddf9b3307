"""The lines of a run's output, put together from pieces, in bounded memory.

Lines are numbered from 0 for as long as the run is looked at; when there are too many, the oldest
are forgotten and the numbers of the others stay. stdout and stderr each grow their own line, so
pieces that arrive in turns do not tear lines apart. Nothing is left out without a line saying so.
"""

from __future__ import annotations

import codecs
import enum
from collections.abc import Iterable
from typing import Final, NamedTuple

from tocsin.messages.client_answers import OutputPiece
from tocsin.units import format_size

from .plain import one_line

LINES_MAX: Final = 20_000
CHARS_MAX: Final = 16 << 20
LINE_CHARS_MAX: Final = 4_000
"""A longer line is shown as several."""
_STDERR: Final = 2


class Kind(enum.Enum):
    """Where a line is from. The value is the letter before it."""

    OUT = "o"
    ERR = "e"
    NOTE = "-"
    """Tocsin's own words: a gap, the next attempt."""


class LogLine(NamedTuple):
    """One line; `at_us` is when its first piece was read."""

    kind: Kind
    at_us: int
    text: str


class _Growing:
    """The line of one stream that has no end yet."""

    def __init__(self) -> None:
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.number = -1
        self.raw = ""


class LogLines:
    """Add pieces, read lines."""

    def __init__(self) -> None:
        self.first = 0
        """The number of the oldest line that is still here; so many were forgotten."""
        self.bytes = 0
        """The output so far, gaps included."""
        self.position = 0
        """Of the last piece, for reading on from there."""
        self._lines: list[LogLine] = []
        self._chars = 0
        self._attempt = 0
        self._growing: dict[int, _Growing] = {}

    @property
    def end(self) -> int:
        """The number behind the last line."""
        return self.first + len(self._lines)

    def line(self, number: int) -> LogLine:
        """The line of this number, `first <= number < end`."""
        return self._lines[number - self.first]

    def add(self, pieces: Iterable[OutputPiece]) -> None:
        """Take more output, in its order."""
        for piece in pieces:
            self.position = piece.position
            self.bytes += len(piece.data) + piece.gap_bytes
            if piece.attempt != self._attempt:
                self._begin_attempt(piece)
            if piece.gap_bytes:
                self._growing.pop(piece.stream, None)
                self._note(piece, f"{format_size(piece.gap_bytes)} of the middle not kept")
            if piece.data:
                self._grow(piece)
        self._forget()

    def matches(self, needle: str) -> list[int]:
        """The numbers of the lines that hold `needle`; capitals in it make case count."""
        if not needle:
            return []
        exact = needle != needle.lower()
        texts = enumerate(self._lines, self.first)
        if exact:
            return [number for number, line in texts if needle in line.text]
        return [number for number, line in texts if needle in line.text.lower()]

    def _begin_attempt(self, piece: OutputPiece) -> None:
        self._growing.clear()
        if self._attempt:
            self._note(piece, f"attempt {piece.attempt}")
        self._attempt = piece.attempt

    def _note(self, piece: OutputPiece, text: str) -> None:
        self._append(LogLine(Kind.NOTE, piece.at_us, f"── {text} ──"))

    def _grow(self, piece: OutputPiece) -> None:
        growing = self._growing.setdefault(piece.stream, _Growing())
        text = growing.raw + growing.decoder.decode(piece.data)
        *whole, rest = text.split("\n")
        for line in whole:
            rest_of_line = self._put(piece, growing, line)
            self._write(piece, growing, rest_of_line)
            growing.number = -1
        growing.raw = self._put(piece, growing, rest)
        if growing.raw:
            self._write(piece, growing, growing.raw)

    def _put(self, piece: OutputPiece, growing: _Growing, text: str) -> str:
        """Cut what is too long for one line into several; returns what the last one begins with."""
        while len(text) > LINE_CHARS_MAX:
            self._write(piece, growing, text[:LINE_CHARS_MAX])
            growing.number = -1
            text = text[LINE_CHARS_MAX:]
        return text

    def _write(self, piece: OutputPiece, growing: _Growing, raw: str) -> None:
        # What a carriage return goes back over was a progress bar's last state.
        text = one_line(raw.rstrip("\r").rpartition("\r")[2])
        if growing.number < self.first:
            growing.number = self.end
            kind = Kind.ERR if piece.stream == _STDERR else Kind.OUT
            self._append(LogLine(kind, piece.at_us, text))
            return
        index = growing.number - self.first
        self._chars += len(text) - len(self._lines[index].text)
        self._lines[index] = self._lines[index]._replace(text=text)

    def _append(self, line: LogLine) -> None:
        self._lines.append(line)
        self._chars += len(line.text)

    def _forget(self) -> None:
        if len(self._lines) <= LINES_MAX and self._chars <= CHARS_MAX:
            return
        gone, lines_left, chars_left = 0, len(self._lines), self._chars
        while lines_left > LINES_MAX * 9 // 10 or chars_left > CHARS_MAX * 9 // 10:
            chars_left -= len(self._lines[gone].text)
            gone, lines_left = gone + 1, lines_left - 1
        del self._lines[:gone]
        self.first += gone
        self._chars = chars_left
