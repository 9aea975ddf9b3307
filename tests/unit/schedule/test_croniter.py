"""croniter as an oracle for the grammar and the calendar, where its rules can be made ours."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from croniter import croniter
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.unit.schedule.enumeration import Expression, Field, fields, minutely, secondly
from tocsin.errors import ScheduleError
from tocsin.schedule import parse

_EARLIEST, _LATEST = 0, 4_000_000_000
# croniter reads a range of one value, such as 5-5, as all values.
_RANGE_OF_ONE = re.compile(r"\b(\d+)-\1\b")


def _assert_same_dues(text: str, after: int, theirs: str = "") -> None:
    oracle = croniter(
        theirs or text,
        datetime.fromtimestamp(after, UTC),
        implement_cron_bug=True,
        second_at_beginning=True,
    )
    schedule = parse(text)
    due: datetime | None = datetime.fromtimestamp(after, UTC)
    for _ in range(4):
        assert due is not None
        due = schedule.next(due)
        assert due == oracle.get_next(datetime)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.one_of(minutely(), secondly()), st.integers(_EARLIEST, _LATEST))
def test_any_expression(expression: Expression, after: int) -> None:
    """The same due times are found in UTC."""
    assume(not _RANGE_OF_ONE.search(expression.text))
    _assert_same_dues(expression.text, after)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    fields(1, 31, star=1),
    fields(1, 12, star=1),
    fields(0, 6, star=1),
    st.integers(_EARLIEST, _LATEST),
)
def test_any_date(day: Field, month: Field, weekday: Field, after: int) -> None:
    """The same days are found for any three date fields that are ever due."""
    text = f"0 0 {day.text} {month.text} {weekday.text}"
    assume(not _RANGE_OF_ONE.search(text))
    try:
        parse(text)
    except ScheduleError:
        return
    _assert_same_dues(text, after)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("0 0 L * *", "0 0 L * *"),
        ("0 0 * * 5L", "0 0 * * L5"),
        ("0 0 * * 0L", "0 0 * * L0"),
        ("0 0 * * 5#3", "0 0 * * 5#3"),
        ("0 0 * * MON#5", "0 0 * * MON#5"),
        ("0 0 15W * *", "0 0 15W * *"),
        ("0 0 1W * *", "0 0 1W * *"),
        ("0 0 28W * *", "0 0 28W * *"),
        ("0 0 29 2 *", "0 0 29 2 *"),
        ("0 0 * JAN-MAR,DEC MON-FRI", "0 0 * 1-3,12 1-5"),
        ("0 0 * * SAT-SUN", "0 0 * * 6,0"),
        ("0 0 * * 5-7", "0 0 * * 5,6,0"),
        ("59/15 * * * *", "59 * * * *"),
        ("0 0 ? * ?", "0 0 * * *"),
        ("0 0 1 * ?", "0 0 1 * *"),
    ],
)
def test_an_extension(ours: str, theirs: str) -> None:
    """What the two spell alike or differently means the same days."""
    for year in (1999, 2024, 2095):
        _assert_same_dues(ours, int(datetime(year, 2, 11, tzinfo=UTC).timestamp()), theirs)
