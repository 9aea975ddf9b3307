"""One line of a run's output."""

from __future__ import annotations

import enum
from typing import NamedTuple, TypeAlias

from .plain import one_line


class Kind(enum.Enum):
    """Where a line is from. The value is the letter before it."""

    OUT = "o"
    ERR = "e"
    NOTE = "-"
    """Tocsin's own words: a gap, the next attempt."""


Key: TypeAlias = tuple[Kind, int, int]
"""The same for the same line, whenever it was read."""


class LogLine(NamedTuple):
    """One line; `at_us` is when its first piece was read."""

    kind: Kind
    at_us: int
    data: bytes
    """As it was printed, without its end."""
    position: int = 0
    """Of the piece in which it begins."""
    start: int = 0
    """The offset of its first byte in its stream."""
    torn: bool = False
    """What is here is only its end."""
    last: int = 0
    """The position of the last piece with something of it, as far as it is known."""

    @property
    def text(self) -> str:
        """The line as it is drawn."""
        text = self.data.decode("utf-8", "replace")
        if "\r" in text:
            # What a carriage return goes back over was a progress bar's last state.
            text = text.rstrip("\r").rpartition("\r")[2]
        return one_line(text)

    @property
    def key(self) -> Key:
        """See `Key`."""
        return self.kind, self.position, self.start
