"""What a few letters stand for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.tui.fuzzy import best, score

WORDS = st.text(alphabet="abc-XY _é", max_size=12)


@pytest.mark.parametrize(
    ("typed", "better", "worse"),
    [
        ("etl", "etl-orders", "metal-works"),
        ("etl", "nightly-etl", "metal"),
        ("bs", "billing-sync", "obsolete"),
        ("sync", "billing-sync", "say-no-cat"),
        ("run", "run now", "prune"),
        ("eto", "etl-orders", "velociraptor"),
        ("orders etl", "etl-orders", "reorder-metal"),
        ("ETL", "etl-orders", "metal-works"),
    ],
)
def test_beginnings_of_words_and_letters_side_by_side_win(
    typed: str, better: str, worse: str
) -> None:
    """The name that somebody who types this has in mind."""
    assert [better, worse][best(typed, [better, worse], 2)[0]] == better
    assert best(typed, [worse, better], 2)[0] == 1


@pytest.mark.parametrize("typed", ["x", "lte", "etl-orders-2", "etl zzz"])
def test_letters_that_are_not_there_in_this_order_find_nothing(typed: str) -> None:
    """One letter too many is too many."""
    assert score(typed, "etl-orders") is None


def test_nothing_typed_finds_all_in_order() -> None:
    """Up to the limit."""
    assert best("", ["c", "bb", "a"], 2) == [0, 1]


def test_of_equals_the_shorter() -> None:
    """`db` is `db-1` rather than `db-1-replica`."""
    assert best("db", ["db-1-replica", "db-1"], 2) == [1, 0]


@given(WORDS, st.lists(st.booleans(), min_size=12, max_size=12))
def test_every_part_of_a_name_in_order_finds_it(text: str, kept: list[bool]) -> None:
    """Whatever letters are left out."""
    low = text.lower()
    typed = "".join(letter for letter, keep in zip(low, kept, strict=False) if keep)
    assert score(typed.replace(" ", ""), text) is not None
