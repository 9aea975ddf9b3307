"""When which bytes of a stream were written, as far as looks at its file can tell.

A look finds the size and when the file was last written to. What came between two looks counts as
written at the second of these instants, so a line that stands alone between them has its own.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

MARKS_MAX: Final = 256


class Stamps:
    """The instants of one stream, wall clock; a bounded number of them."""

    __slots__ = ("_at_us", "_ends")

    def __init__(self) -> None:
        self._ends: list[int] = []
        self._at_us: list[int] = []

    def saw(self, size: int, at_us: int, needed_from: int) -> None:
        """Its file is so long and was last written to then.

        What was written before `needed_from` is forgotten when there is too much to be remembered,
        and if that is not enough, every other instant.
        """
        while self._ends and self._ends[-1] >= size:  # it was cut short meanwhile
            del self._ends[-1], self._at_us[-1]
        if len(self._ends) >= MARKS_MAX:
            past = bisect_right(self._ends, needed_from)
            if past >= MARKS_MAX // 2:
                del self._ends[:past], self._at_us[:past]
            else:
                del self._ends[-2::-2], self._at_us[-2::-2]
        self._ends.append(size)
        self._at_us.append(at_us)

    def of(self, offset: int) -> tuple[int, int]:
        """When the byte at `offset` was written, and the offset up to which that holds."""
        at = bisect_right(self._ends, offset)
        return self._at_us[at], self._ends[at]
