"""From due time to due time."""

from __future__ import annotations

from itertools import takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.fleet import NOW_US, at, job, run
from tocsin.fires import dues
from tocsin.instants import SECOND_US, from_rfc3339
from tocsin.tui.due_times import due_after, due_before

DAY_US = 86_400 * SECOND_US
SCHEDULES = [
    "*/15 * * * *", "30 2 * * *", "@every 7m", "* * * * * *", "0 9 * * Mon", "0,1 3 * * *",
    "0 0 1 * *",
]  # fmt: skip


@given(
    st.sampled_from(SCHEDULES),
    st.sampled_from(["UTC", "Europe/Berlin"]),
    st.integers(-8 * 86_400, 8 * 86_400),
)
def test_the_neighbours_are_those_of_a_walk(schedule: str, zone: str, offset_s: int) -> None:
    """Nothing lies between, over changes of the clock as well."""
    one = job(1, "a", schedule, timezone=zone).job
    here = from_rfc3339("2026-03-29T02:00:00+01:00") + offset_s * SECOND_US
    before, after = due_before(one, (), here), due_after(one, (), here)
    assert before is not None
    assert after is not None
    assert before < here < after
    known = [due.at_us for due in takewhile(lambda due: due.at_us <= after, dues(one, before - 1))]
    assert known in ([before, after], [before, here, after])


def test_records_count_where_the_schedule_says_nothing() -> None:
    """A job that was removed, or has another schedule now, is walked through by its records."""
    runs = [run(n, "a", due_us=at(-60 * n)) for n in (1, 2, 3)]
    assert due_before(None, runs, at(-60)) == at(-120)
    assert due_after(None, runs, at(-120)) == at(-60)
    assert due_before(None, runs, at(-180)) is None
    assert due_after(None, runs, at(-60)) is None


def test_the_nearer_of_schedule_and_records() -> None:
    """A due time of an older schedule is not passed over."""
    one = job(1, "a", "0 * * * *").job
    runs = [run(1, "a", due_us=at(-30)), run(2, "a", due_us=at(30))]
    assert due_before(one, runs, NOW_US) == at(-30)
    assert due_after(one, runs, NOW_US) == at(30)


@pytest.mark.parametrize("schedule", ["@at 2030-01-01T00:00:00Z", "@manual"])
def test_none_before(schedule: str) -> None:
    """A job that was never due has no due time before."""
    assert due_before(job(1, "a", schedule).job, (), NOW_US) is None


def test_not_before_its_life() -> None:
    """A job that begins later was not due before."""
    one = job(1, "a", "* * * * *", starts_at_us=NOW_US - DAY_US).job
    assert due_before(one, (), NOW_US - DAY_US) is None
    assert due_before(one, (), NOW_US - DAY_US + 61 * SECOND_US) is not None
