"""What keys do to a text with a caret in it."""

from __future__ import annotations

import pytest

from tocsin.tui.editing.writing import Written, insert, press


def _written(text: str) -> Written:
    """The caret is at the bar."""
    return Written(text.replace("|", ""), text.index("|"))


@pytest.mark.parametrize(
    ("before", "key", "after"),
    [
        ("ab|c", "left", "a|bc"),
        ("ab|c", "right", "abc|"),
        ("ab|c", "home", "|abc"),
        ("a\nb|c", "home", "a\n|bc"),
        ("|ab\nc", "end", "ab|\nc"),
        ("ab|c", "backspace", "a|c"),
        ("|abc", "backspace", "|abc"),
        ("a\n|b", "backspace", "a|b"),
        ("ab|c", "delete", "ab|"),
        ("abc|", "delete", "abc|"),
        ("one two|", "ctrl+w", "one |"),
        ("one two  |", "ctrl+w", "one |"),
        ("a\none|", "ctrl+w", "a\n|"),
        ("a\nb|c", "ctrl+u", "a\n|c"),
        ("a|b\nc", "ctrl+k", "a|\nc"),
        ("one two|", "ctrl+left", "one |two"),
        ("|one two", "ctrl+right", "one| two"),
        ("ab\nc|d", "up", "a|b\ncd"),
        ("ab|c\nd", "down", "abc\nd|"),
    ],
)
def test_key(before: str, key: str, after: str) -> None:
    """A key moves the caret or takes text away."""
    assert press(_written(before), key) == _written(after)


@pytest.mark.parametrize(
    ("before", "key"), [("|a", "left"), ("a|", "right"), ("a|", "up"), ("a|", "down"), ("a|", "f9")]
)
def test_key_that_means_nothing(before: str, key: str) -> None:
    """At an edge, or for a key of others, nothing is done."""
    assert press(_written(before), key) is None


def test_typing() -> None:
    """What is typed stands before the caret."""
    assert insert(_written("a|c"), "bb") == _written("abb|c")
