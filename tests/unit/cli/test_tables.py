"""Text for people."""

from __future__ import annotations

import pytest

from tocsin.cli.tables import cell, distance, pairs, span, table


def test_columns_are_aligned_by_what_a_terminal_shows() -> None:
    """Wide characters take two places, combining ones none."""
    assert table(("a", "b"), [("日本", 1), ("xe\u0301", 2), ("", None)]).splitlines() == [
        "A     B",
        "日本  1",
        "xe\u0301    2",
        "-     -",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        ("", "-"),
        ([], "-"),
        ({}, "-"),
        (0, "0"),
        (False, "false"),
        (["a", 1], "a, 1"),
        ({"a": "b"}, "a=b"),
        ("a\x1b[31m\nb\u202e", "a\ufffd[31m\ufffdb\ufffd"),
    ],
)
def test_a_value_cannot_command_a_terminal(value: object, text: str) -> None:
    """What agents and jobs say is shown, never obeyed."""
    assert cell(value) == text


def test_names_and_values_stand_below_each_other() -> None:
    """The values begin in one column."""
    assert pairs([("a", 1), ("long", None)]) == "a     1\nlong  -"


def test_spans_and_distances() -> None:
    """Tenths below ten seconds, whole units above; before and behind."""
    second = 1_000_000
    assert [span(0, s) for s in (2000, 2_500_000, 90 * second)] == ["2ms", "2.5s", "1m30s"]
    assert span(None, 5) == span(5, None) == "-"
    assert distance(60 * second, 0) == "in 1m"
    assert distance(0, 60 * second) == "1m ago"
