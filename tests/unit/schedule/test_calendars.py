"""Days by name: which of them the local day of an instant is."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.errors import ScheduleError
from tocsin.schedule.calendars import compile_calendar

_SECOND_US = 1_000_000
_BERLIN = ZoneInfo("Europe/Berlin")
_UTC = ZoneInfo("UTC")


def _us(text: str, zone: ZoneInfo) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()) * _SECOND_US


def _named(dates: list[str], text: str, zone: ZoneInfo = _BERLIN) -> str | None:
    return compile_calendar(dates).covers(_us(text, zone), zone)


@pytest.mark.parametrize(
    ("dates", "at", "name"),
    [
        (["2026-12-25 Christmas"], "2026-12-25 00:00:00", "Christmas"),
        (["2026-12-25 Christmas"], "2026-12-25 23:59:59", "Christmas"),
        (["2026-12-25 Christmas"], "2026-12-26 00:00:00", None),
        (["2026-12-25 Christmas"], "2026-12-24 23:59:59", None),
        (["2026-12-25"], "2026-12-25", "2026-12-25"),
        (["2026-12-31..2027-01-02 between the years"], "2027-01-02 23:59", "between the years"),
        (["2026-12-31..2027-01-02"], "2027-01-01", "2026-12-31..2027-01-02"),
        (["2026-12-31..2027-01-02"], "2027-01-03", None),
        (["12-25 Christmas"], "2031-12-25", "Christmas"),
        (["12-25 Christmas"], "2031-12-26", None),
        (["02-29"], "2027-03-01", None),
        (["02-29"], "2028-02-29", "02-29"),
        (["12-24..01-01 holidays"], "2026-12-24", "holidays"),
        (["12-24..01-01 holidays"], "2027-01-01", "holidays"),
        (["12-24..01-01 holidays"], "2027-01-02", None),
        (["12-24..01-01 holidays"], "2026-12-23", None),
        (["12-25 yearly", "2026-12-25 this year"], "2026-12-25", "this year"),
        (["2026-05-01..2026-05-31 May", "2026-05-10 tenth"], "2026-05-10", "May"),
        (["2026-05-10 tenth", "2026-05-01..2026-05-31 May"], "2026-05-31", "May"),
        ([], "2026-05-31", None),
    ],
)
def test_a_local_day_is_named(dates: list[str], at: str, name: str | None) -> None:
    """By its label, or else as it was written; whole days, both ends of a range."""
    assert _named(dates, at) == name


def test_a_day_is_a_day_of_the_zone_that_is_asked_for() -> None:
    """At one instant it is Christmas in Tokyo and not yet in New York."""
    days = compile_calendar(["2026-12-25"])
    at_us = _us("2026-12-24 20:00", _UTC)
    assert days.covers(at_us, ZoneInfo("Asia/Tokyo"))
    assert not days.covers(at_us, ZoneInfo("America/New_York"))


_DAYS = st.dates(date(2026, 1, 1), date(2026, 3, 1))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.tuples(_DAYS, st.integers(0, 20)), max_size=12), _DAYS)
def test_ranges_may_overlap(spans: list[tuple[date, int]], day: date) -> None:
    """A day is covered when any item holds it, and an item that holds it names it."""
    items = [(first, first + timedelta(days=length)) for first, length in spans]
    found = _named([f"{first}..{last}" for first, last in items], f"{day} 12:00")
    holding = [f"{first}..{last}" for first, last in items if first <= day <= last]
    assert found in holding if holding else found is None


@pytest.mark.parametrize(
    ("item", "message", "hint"),
    [
        ("Christmas", "calendar date 'Christmas': expected 2026-12-25", ""),
        ("2026-12-32", "calendar date '2026-12-32': there is no day 2026-12-32", ""),
        ("2027-02-29 x", "there is no day 2027-02-29", ""),
        ("13-01", "calendar date '13-01': there is no day", ""),
        ("2027-01-02..2026-12-31", "the range runs backwards", "2026-12-31..2027-01-02"),
        ("2026-12-31..01-02", "calendar date '2026-12-31..01-02': expected", ""),
        ("25.12.2026", "expected 2026-12-25", ""),
        ("2026-12-25Christmas", "expected 2026-12-25", ""),
        ("", "calendar date '': expected", ""),
    ],
)
def test_a_bad_date_is_refused(item: str, message: str, hint: str) -> None:
    """The error shows the item and how one is written."""
    with pytest.raises(ScheduleError) as caught:
        compile_calendar([item])
    assert message in caught.value.message
    assert hint in caught.value.hint
