"""How the columns of a table share a width: fixed ones first, the flexible take what is left."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column. Its width is in cells, without the gap behind it."""

    title: str
    width: int
    """Fixed; of a flexible column the least."""
    flex: int = 0
    """Its share of what is left; 0: fixed."""
    right: bool = False
    """Whether it is aligned to the right."""
    rank: int = 0
    """Where the table is too narrow, columns are left out from the highest rank down; 0 stays."""


class Cell(msgspec.Struct, frozen=True):
    """A text and the name of its colour."""

    text: str
    tone: str = ""


class LineOf(msgspec.Struct, frozen=True):
    """A line, and what it is about."""

    key: str
    cells: tuple[Cell, ...]


GAP = 2
CURSOR = ">"
GUTTER = 1
"""In front of a line, for the cursor."""


def widths(columns: Sequence[Column], width: int) -> list[int]:
    """The width of each column in a table of `width` cells; 0 where it is left out."""
    kept = set(range(len(columns)))
    while (need := _need(columns, kept)) > width:
        last = max(kept, key=lambda i: (columns[i].rank, i))
        if columns[last].rank == 0:
            break
        kept.discard(last)
    spare = max(width - need, 0)
    shares = sum(columns[i].flex for i in kept)
    found = [0] * len(columns)
    for i in sorted(kept):
        flex = columns[i].flex
        extra = spare * flex // shares if flex else 0
        spare, shares = spare - extra, shares - flex
        found[i] = columns[i].width + extra
    return found


def _need(columns: Sequence[Column], kept: set[int]) -> int:
    return sum(columns[i].width + GAP for i in kept) - GAP
