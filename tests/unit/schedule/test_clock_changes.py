"""What becomes of a job when the clock is changed, against a look at every minute or second."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from struct import pack
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.schedule.enumeration import Expression, changes, look, minutely, secondly
from tocsin.schedule import Schedule, parse
from tocsin.schedule.cron import parse_cron
from tocsin.schedule.walk import next_elapsed, next_once

_HOUR_S = 3600
_DAY_S = 86_400
_SECOND_US = 1_000_000

# Zones whose clocks have been changed in every way: by an hour, by less or more, at midnight, in
# the afternoon, by a whole day, for a season or for good.
_ZONES = [
    ("Africa/Cairo", 2005, 2030),
    ("Africa/Casablanca", 2010, 2030),
    ("America/Caracas", 2005, 2020),
    ("America/Havana", 2000, 2030),
    ("America/New_York", 1970, 2037),
    ("America/Nuuk", 2015, 2030),
    ("America/Santiago", 2000, 2030),
    ("America/Sao_Paulo", 2000, 2020),
    ("America/St_Johns", 1986, 2015),
    ("Antarctica/Casey", 2008, 2025),
    ("Antarctica/Troll", 2005, 2030),
    ("Asia/Gaza", 2005, 2030),
    ("Asia/Kathmandu", 1985, 1987),
    ("Asia/Pyongyang", 2014, 2019),
    ("Asia/Tehran", 1975, 2025),
    ("Australia/Lord_Howe", 1980, 2030),
    ("Europe/Dublin", 1970, 2030),
    ("Europe/Riga", 1985, 2030),
    ("Pacific/Apia", 2009, 2022),
    ("Pacific/Chatham", 1975, 2030),
    ("Pacific/Enderbury", 1978, 1996),
    ("Pacific/Kwajalein", 1992, 1994),
]


@st.composite
def _around_a_change(draw: st.DrawFn) -> tuple[str, int]:
    name, first_year, last_year = draw(st.sampled_from(_ZONES))
    return name, draw(st.sampled_from(changes(name, first_year, last_year)))


def _walk(schedule: Schedule, after: int, until: int) -> list[int]:
    found = []
    due_us = schedule.next_us(after * _SECOND_US)
    while due_us is not None and due_us < until * _SECOND_US:
        assert due_us % _SECOND_US == 0
        found.append(due_us // _SECOND_US)
        due_us = schedule.next_us(due_us)
    return found


def _assert_same_dues(
    name: str, window: range, after: int, expression: Expression, dst: str
) -> None:
    expected = look(ZoneInfo(name), window.start, window.stop, window.step).due(expression)[dst]
    schedule = parse(expression.text, name, dst=dst)
    assert _walk(schedule, after, window.stop) == [due for due in expected if due > after]


_DST = st.sampled_from(["vixie", "skip", "literal"])


@settings(max_examples=250, deadline=None, derandomize=True)
@given(_around_a_change(), minutely(), st.integers(-30 * _HOUR_S, 30 * _HOUR_S), _DST)
def test_every_minute_around_a_change(
    change: tuple[str, int], expression: Expression, start: int, dst: str
) -> None:
    """Five fields are due exactly when a look at every minute finds them due."""
    name, instant = change
    middle = instant - instant % 60
    window = range(middle - 3 * _DAY_S, middle + 2 * _DAY_S, 60)
    _assert_same_dues(name, window, instant + start, expression, dst)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.sampled_from(
        [
            ("Africa/Monrovia", 1972, 1972),
            ("America/New_York", 2025, 2026),
            ("Australia/Lord_Howe", 2025, 2026),
            ("Asia/Kathmandu", 1985, 1986),
            ("America/Caracas", 2016, 2016),
        ]
    ),
    secondly(),
    st.integers(-_HOUR_S, _HOUR_S),
    _DST,
)
def test_every_second_around_a_change(
    zone: tuple[str, int, int], expression: Expression, start: int, dst: str
) -> None:
    """Six fields are due exactly when a look at every second finds them due."""
    instant = changes(*zone)[0]
    window = range(instant - 3 * _HOUR_S, instant + 2 * _HOUR_S)
    _assert_same_dues(zone[0], window, instant + start, expression, dst)


def _after(name: str, text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(name)).timestamp())


@pytest.mark.parametrize(
    ("name", "day", "text", "expected"),
    [
        pytest.param(
            "Pacific/Apia",
            "2011-12-29",
            "0 9 * * *",
            ["2011-12-29T09:00:00-10:00", "2011-12-31T00:00:00+14:00", "2011-12-31T09:00:00+14:00"],
            id="a whole day is left out",
        ),
        pytest.param(
            "Pacific/Apia",
            "2011-12-29",
            "0 0 30 * *",
            ["2011-12-31T00:00:00+14:00", "2012-01-30T00:00:00+14:00"],
            id="the only due day is left out",
        ),
        pytest.param(
            "America/Santiago",
            "2024-09-07T12:00",
            "0 0 * * *",
            ["2024-09-08T01:00:00-03:00", "2024-09-09T00:00:00-03:00"],
            id="midnight is left out",
        ),
        pytest.param(
            "America/Havana",
            "2024-11-03",
            "30 0 * * *",
            ["2024-11-03T00:30:00-04:00", "2024-11-04T00:30:00-05:00"],
            id="midnight comes twice",
        ),
        pytest.param(
            "Africa/Cairo",
            "2024-04-25",
            "15,45 0 * * *",
            ["2024-04-25T00:15:00+02:00", "2024-04-25T00:45:00+02:00", "2024-04-26T01:00:00+03:00"],
            id="two due times in a gap are one",
        ),
        pytest.param(
            "Australia/Lord_Howe",
            "2024-10-06",
            "15 2 * * *",
            ["2024-10-06T02:30:00+11:00", "2024-10-07T02:15:00+11:00"],
            id="half an hour is left out",
        ),
        pytest.param(
            "Australia/Lord_Howe",
            "2024-04-07",
            "*/20 1 * * *",
            [
                "2024-04-07T01:00:00+11:00",
                "2024-04-07T01:20:00+11:00",
                "2024-04-07T01:40:00+11:00",
                "2024-04-07T01:40:00+10:30",
                "2024-04-08T01:00:00+10:30",
            ],
            id="half an hour comes twice",
        ),
    ],
)
def test_a_known_change(name: str, day: str, text: str, expected: list[str]) -> None:
    """The due times around a change of the clock are these."""
    schedule = parse(text, name)
    due = datetime.fromtimestamp(_after(name, day) - 1, UTC)
    for wanted in expected:
        following = schedule.next(due)
        assert following is not None
        assert following.isoformat() == wanted
        due = following


def test_a_gap_on_the_due_date_every_year_ends_the_search() -> None:
    """A job that dst=skip leaves out year after year is still found in the year that has it."""
    schedule = parse("30 0 22 3 *", "Asia/Tehran", dst="skip")
    after = datetime(2015, 3, 23, tzinfo=UTC)
    due = schedule.next(after)
    assert due is not None
    assert due.isoformat() == "2016-03-22T00:30:00+04:30"


def _leaping_every_march_1() -> ZoneInfo:
    """A zone that goes from 02:00 to 03:00 on each 1 March, and back on a day in October."""
    counts = pack(">4sc15x6I", b"TZif", b"2", 0, 0, 0, 0, 1, 4)
    kind = pack(">iBB", 0, 0, 0) + b"AAA\0"
    return ZoneInfo.from_file(
        BytesIO(2 * (counts + kind) + b"\nAAA0BBB,J60/2,J300/2\n"), key="Leap"
    )


def test_a_search_among_leaps_ends() -> None:
    """A job whose every due time is leapt over is never due, and finding that out ends."""
    zone = _leaping_every_march_1()
    fixed, frequent = parse_cron("30 2 1 3 *", ""), parse_cron("* 2 1 3 *", "")
    assert next_once(fixed, zone, 0, run_leapt=False) is None
    assert next_elapsed(frequent, zone, 0) is None
    assert next_once(fixed, zone, 0, run_leapt=True) == _after("UTC", "1970-03-01T02:00")
