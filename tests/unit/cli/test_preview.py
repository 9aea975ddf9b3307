"""`tocsin next`."""

from __future__ import annotations

import json

import pytest

from .conftest import Tocsin

_PREVIEWS = [
    (
        ["0 9 * * *", "--tz", "Europe/Berlin", "--from", "2026-03-28T00:00:00Z", "-n", "2"],
        ["2026-03-28T09:00:00+01:00", "2026-03-29T09:00:00+02:00"],
    ),
    (
        ["*/10 * * * * *", "--from", "2026-01-01T00:00:00Z", "-n", "2"],
        ["2026-01-01T00:00:10+00:00", "2026-01-01T00:00:20+00:00"],
    ),
    (["@at 2026-01-01T00:00:00Z", "--from", "2026-01-01T00:00:00Z"], []),
    (["@manual"], []),
    (
        ["TZ=Asia/Tokyo 0 9 * * *", "--from", "2026-01-01", "-n", "1"],
        ["2026-01-01T09:00:00+09:00"],
    ),
    (
        ["30 2 * * *", "--tz", "Europe/Berlin", "--from", "2026-03-29", "-n", "1", "--dst", "skip"],
        ["2026-03-30T02:30:00+02:00"],
    ),
]


@pytest.mark.parametrize(("arguments", "dues"), _PREVIEWS)
def test_due_times_are_an_array_with_the_zones_offset(
    tocsin: Tocsin, arguments: list[str], dues: list[str]
) -> None:
    """They come after --from, which without an offset is read in the schedule's zone."""
    said = tocsin("next", *arguments, "-o", "json")
    assert said == (0, said.out, "")
    assert json.loads(said.out) == dues


def test_a_key_decides_what_h_stands_for(tocsin: Tocsin) -> None:
    """Two names, two minutes; the same name, the same minute."""
    dues = [
        tocsin("next", "H H * * *", "--key", key, "-n", "1", "-o", "json").out
        for key in ("backup", "backup", "report")
    ]
    assert dues[0] == dues[1] != dues[2]


def test_the_table_says_it_in_words_first(tocsin: Tocsin) -> None:
    """The schedule in English, then a line for each due time; doubts go to stderr."""
    said = tocsin("next", "0 0 1 * 1", "--from", "2026-01-01T00:00:00Z", "-n", "1")
    first, second = said.out.splitlines()
    assert "(UTC)" in first
    assert second.startswith("2026-01-05 00:00:00+00:00  Mon  ")
    assert "day of month and weekday are both set" in said.err


def test_a_change_of_the_clock_is_noted(tocsin: Tocsin) -> None:
    """Behind the due time that it affects, and nowhere else."""
    arguments = ["--tz", "Europe/Berlin", "--from", "2026-03-28", "-n", "3"]
    lines = tocsin("next", "30 2 * * *", *arguments).out.splitlines()
    assert ["leaps" in line for line in lines] == [False, False, True, False]
    assert lines[2].endswith("stands for 02:30: the clock leaps from 02:00 to 03:00")


_WRONG = [
    (["61 * * * *"], "minute '61': 61 is not a number from 0 to 59"),
    (["@daily", "--tz", "Mars"], "time zone 'Mars' is not known"),
    (["@daily", "--from", "soon"], "--from 'soon' is no time"),
    (["@daily", "-n", "0"], "Invalid value for '-n'"),
    ([], "Missing argument 'SCHEDULE'"),
]


@pytest.mark.parametrize(("arguments", "words"), _WRONG)
def test_bad_input_is_exit_code_2(tocsin: Tocsin, arguments: list[str], words: str) -> None:
    """The cause stands on stderr behind the program's name."""
    said = tocsin("next", *arguments)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("tocsin: ")
    assert words in said.err
