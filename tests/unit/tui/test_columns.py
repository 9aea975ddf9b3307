"""Columns share a width."""

from __future__ import annotations

import pytest

from tocsin.tui.rows import JOB_COLUMNS, RUN_COLUMNS
from tocsin.tui.widgets.columns import GAP, Column, widths

COLUMNS = [
    Column(title="a", width=4, flex=1),
    Column(title="b", width=4, rank=1),
    Column(title="c", width=4, flex=3, rank=2),
]


@pytest.mark.parametrize(
    ("width", "found"),
    [(16, [4, 4, 4]), (24, [6, 4, 10]), (15, [9, 4, 0]), (9, [9, 0, 0]), (2, [4, 0, 0])],
)
def test_sharing(width: int, found: list[int]) -> None:
    """The flexible share what is left; the highest rank goes first when there is too little."""
    assert widths(COLUMNS, width) == found


@pytest.mark.parametrize("columns", [JOB_COLUMNS, RUN_COLUMNS])
@pytest.mark.parametrize("width", [60, 77, 97, 137, 300])
def test_tables_use_their_width(columns: tuple[Column, ...], width: int) -> None:
    """Each table fills the line exactly, whatever it leaves out."""
    kept = [size for size in widths(columns, width) if size]
    assert sum(kept) + GAP * (len(kept) - 1) == width
