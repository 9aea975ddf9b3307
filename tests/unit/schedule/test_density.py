"""Counts by quarters of an hour are those of a walk through all due times."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tocsin.instants import SECOND_US, from_rfc3339
from tocsin.schedule import Schedule, parse
from tocsin.schedule.density import QUARTER_S, count_quarters

_QUARTER_US = QUARTER_S * SECOND_US
EXPRESSIONS = [
    "*/15 * * * *", "30 2 * * *", "0 3 * * *", "59 1-3 * * *", "0,7,14,50 */3 * * 1-5",
    "*/10 * 2 * * *", "0 0 L * *", "15 10 ? * 5#3", "@every 7m", "@every 11s", "@hourly",
    "@at 2026-03-29T02:30", "@manual", "@calendar Mon..Fri 02:00", "0 0 1 1 *", "5-40/7 0-4 * * *",
]  # fmt: skip
ZONES = [
    "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe",
    "Pacific/Chatham", "America/St_Johns",
]  # fmt: skip
FROM = [
    from_rfc3339(text) // _QUARTER_US
    for text in (
        "2026-03-28T20:00:00Z", "2026-10-24T20:00:00Z", "2026-03-07T20:00:00Z",
        "2026-11-01T00:00:00Z", "2026-04-04T10:00:00Z", "2026-07-01T05:15:00Z",
    )
]  # fmt: skip


def walked(schedule: Schedule, first: int, count: int) -> list[int]:
    """The same by brute force."""
    counts = [0] * count
    due_us = schedule.next_us(first * _QUARTER_US - 1)
    while due_us is not None and due_us < (first + count) * _QUARTER_US:
        counts[due_us // _QUARTER_US - first] += 1
        due_us = schedule.next_us(due_us)
    return counts


@example("30 2 * * *", "America/New_York", "vixie", 1_969_904, 44, 1)  # begins at the change
@given(
    st.sampled_from(EXPRESSIONS),
    st.sampled_from(ZONES),
    st.sampled_from(["vixie", "skip", "literal"]),
    st.sampled_from(FROM),
    st.integers(-96, 96),
    st.integers(1, 120),
)
def test_counts_are_those_of_a_walk(
    expression: str, zone: str, dst: str, first: int, moved: int, count: int
) -> None:
    """In any zone, under any rule, over any change of the clock."""
    if expression.startswith("@at") and dst != "vixie":
        dst = "vixie"  # a time that is leapt over is refused under the others
    schedule = parse(expression, zone, key="job", dst=dst)
    assert count_quarters(schedule, first + moved, count) == walked(schedule, first + moved, count)


@pytest.mark.parametrize(
    ("day", "times"), [("2026-03-29", 92), ("2026-10-25", 100), ("2026-06-01", 96)]
)
def test_a_day_of_a_change_is_shorter_or_longer(day: str, times: int) -> None:
    """What is due each quarter is due as often as the day has quarters."""
    schedule = parse("*/15 * * * *", "Europe/Berlin")
    first = parse("0 0 * * *", "Europe/Berlin").next_us(from_rfc3339(f"{day}T00:00:00+03:00"))
    assert first is not None
    assert sum(count_quarters(schedule, first // _QUARTER_US, times)) == times
