"""Panes share a height."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.tui.pane_layout import LEAST, heights


@pytest.mark.parametrize(
    ("wants", "room", "keep", "found"),
    [
        ([6, 2, 3], 21, 0, [6, 2, 13]),
        ([8, 5, 40], 21, 0, [8, 5, 8]),
        ([6, 2, 3, 9, 4, 60], 15, 0, [5, 2, 3, 5, 0, 0]),
        ([6, 2, 3, 9, 4, 60], 15, 5, [0, 0, 0, 6, 4, 5]),
        ([9, 5, 60], 18, 2, [8, 5, 5]),
        ([60], 9, 0, [9]),
        ([60], 3, 0, [3]),
        ([6, 6], 0, 1, [0, 0]),
    ],
)
def test_shares(wants: list[int], room: int, keep: int, found: list[int]) -> None:
    """What is over goes to the modest first; where there is too little, the near ones stay."""
    assert heights(wants, room, keep) == found


@given(st.lists(st.integers(2, 70), min_size=1, max_size=8), st.integers(0, 80), st.integers(0, 7))
def test_all_room_is_used_and_no_more(wants: list[int], room: int, keep: int) -> None:
    """The heights come to the room, and the pane with the keys is there if anything is."""
    keep = min(keep, len(wants) - 1)
    found = heights(wants, room, keep)
    assert sum(found) == room
    assert room < LEAST or found[keep] >= min(wants[keep], LEAST)
