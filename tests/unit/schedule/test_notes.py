"""What is said of a due time that a change of the clock affects."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tocsin.schedule import parse
from tocsin.schedule.notes import clock_note

_SECOND_US = 1_000_000


def _notes(text: str, zone: str, dst: str, after: str, count: int) -> list[str]:
    schedule = parse(text, zone, dst=dst)
    at = datetime.fromisoformat(after).replace(tzinfo=ZoneInfo(zone))
    after_us, found = int(at.timestamp()) * _SECOND_US, []
    for _ in range(count):
        due_us = schedule.next_us(after_us)
        assert due_us is not None
        found.append(clock_note(schedule, due_us, after_us))
        after_us = due_us
    return found


_LEAP = "the clock leaps from 02:00 to 03:00"


@pytest.mark.parametrize(
    ("text", "dst", "after", "notes"),
    [
        ("30 2 * * *", "vixie", "2026-03-28T12:00", [f"stands for 02:30: {_LEAP}", ""]),
        ("15 30 2 * * *", "vixie", "2026-03-28T12:00", [f"stands for 02:30:15: {_LEAP}", ""]),
        ("0 2,3 * * *", "vixie", "2026-03-28T12:00", [f"also stands for 02:00: {_LEAP}", ""]),
        ("30 2 * * *", "skip", "2026-03-28T12:00", [f"2026-03-29 02:30 is left out: {_LEAP}", ""]),
        ("0 2,9 * * *", "literal", "2026-03-29T00:00", [f"02:00 is left out: {_LEAP}", ""]),
        ("0 * * * *", "vixie", "2026-03-29T01:30", [f"{_LEAP} before it", ""]),
        (
            "*/9 2 * * *",
            "vixie",
            "2026-03-29T00:00",
            [f"2026-03-29 02:00 is left out: {_LEAP}", ""],
        ),
        ("0 9 * * *", "vixie", "2026-03-28T12:00", ["", ""]),
        ("0 4 * * *", "vixie", "2026-03-28T12:00", ["", ""]),
        ("@calendar *:0/30", "vixie", "2026-03-29T01:45", [f"{_LEAP} before it", ""]),
        (
            "30 2 * * *",
            "vixie",
            "2026-10-24T12:00",
            ["the clock shows 02:30 twice: due the first time", ""],
        ),
        (
            "30 2 * * *",
            "literal",
            "2026-10-24T12:00",
            [
                "the first time that the clock shows 02:30",
                "the second time that the clock shows 02:30",
                "",
            ],
        ),
        (
            "0 * * * *",
            "vixie",
            "2026-10-25T01:30",
            [
                "the first time that the clock shows 02:00",
                "the second time that the clock shows 02:00",
                "",
            ],
        ),
        ("@every 1h", "vixie", "2026-03-29T01:00", ["", ""]),
    ],
)
def test_a_due_time_says_what_the_clock_did(
    text: str, dst: str, after: str, notes: list[str]
) -> None:
    """Where it stands for another, is shown twice or follows one that was left out."""
    assert _notes(text, "Europe/Berlin", dst, after, len(notes)) == notes


def test_a_day_that_never_was_is_named() -> None:
    """Samoa left out 30 December 2011."""
    assert _notes("0 9 * * *", "Pacific/Apia", "vixie", "2011-12-29T12:00", 2) == [
        ("stands for 2011-12-30 09:00: the clock leaps from 2011-12-30 00:00 to 2011-12-31 00:00"),
        "",
    ]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo"])
def test_a_clock_that_is_never_changed_says_nothing(zone: str) -> None:
    """Most notes are none."""
    assert _notes("*/30 * * * *", zone, "vixie", "2026-03-29T00:00", 8) == [""] * 8
