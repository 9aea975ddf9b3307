"""Spreading by name: `~` in a cron field, and a place within a span of time."""

from __future__ import annotations

import pytest

from tocsin.errors import ScheduleError
from tocsin.schedule import parse
from tocsin.schedule.fields import DAY, HOUR, MINUTE, MONTH, SECOND, WEEKDAY, Kind, field_mask
from tocsin.schedule.spread import spread_us

_FIELDS = (SECOND, MINUTE, HOUR, DAY, MONTH, WEEKDAY)


def _values(text: str, kind: Kind, key: str) -> list[int]:
    mask = field_mask(text, kind, key)
    return [value for value in range(kind.top + 1) if mask >> value & 1]


def test_a_tilde_is_the_sum_of_the_code_points_in_every_field() -> None:
    """Sum modulo the size of the field, days of the month at most 28: `backup` adds up to 630."""
    assert sum(map(ord, "backup")) == 630
    values = {kind.name: _values("~", kind, "backup") for kind in _FIELDS}
    assert values == {
        "second": [30],
        "minute": [30],
        "hour": [6],
        "day of month": [15],
        "month": [7],
        "weekday": [0],
    }
    assert _values("~", MINUTE, "ß") == [223 % 60]


@pytest.mark.parametrize(
    ("key", "text", "kind", "values"),
    [
        ("backup", "0~29", MINUTE, [4]),
        ("backup", "10~50/20", MINUTE, [24, 44]),
        ("backup", "~/15", MINUTE, [4, 19, 34, 49]),
        ("backup", "~29", MINUTE, [4]),
        ("backup", "50~", MINUTE, [54]),
        ("backup", "22~", HOUR, [22]),
        ("backup", "20~31", DAY, [22]),
        ("backup", "15~", DAY, [28]),
        ("backup", "jan~mar", MONTH, [1]),
        ("report", "1~5", WEEKDAY, [2]),
        ("backup", "~,45", MINUTE, [30, 45]),
        ("backup", "0~9,30~39", MINUTE, [4, 34]),
    ],
)
def test_a_tilde_in_a_range_never_changes(
    key: str, text: str, kind: Kind, values: list[int]
) -> None:
    """The same name and range give the same value in every release: a job does not move."""
    assert _values(text.upper(), kind, key) == values


@pytest.mark.parametrize(
    ("text", "hashed"),
    [("0~29", "H(0-29)"), ("~/15", "H/15"), ("10~50/20", "H(10-50)/20"), ("0~59", "H")],
)
def test_a_range_is_spread_as_by_h(text: str, hashed: str) -> None:
    """`a~b` and `~/n` are other spellings of `H(a-b)` and `H/n`."""
    for number in range(50):
        key = f"job-{number}"
        assert field_mask(text, MINUTE, key) == field_mask(hashed, MINUTE, key)


def test_a_spread_day_is_in_every_month() -> None:
    """No name gets the 29th or later, even from a range that has it."""
    days = {_values(text, DAY, f"job-{n}")[0] for n in range(500) for text in ("~", "1~31", "20~")}
    assert days == set(range(1, 29))


def test_the_words_say_what_it_came_to() -> None:
    """The description has the number and not the sign."""
    assert parse("~ ~ * * *", key="backup").describe() == "at 06:30 every day (UTC)"
    assert parse("0~29 2 * * *", key="backup").describe() == "at 02:04 every day (UTC)"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("9~5 * * * *", "minute '9~5': the range runs backwards"),
        ("0~60 * * * *", "minute '0~60': 60 is not a number from 0 to 59"),
        ("0~x * * * *", "minute '0~X': 'X' is not a number"),
        ("1~2~3 * * * *", "minute '1~2~3'"),
        ("~-5 * * * *", "minute '~-5'"),
        ("~/0 * * * *", "minute '~/0': the step '0'"),
        ("0 0 29~31 * *", "day of month '29~31': jobs are spread over days that every month has"),
    ],
)
def test_a_malformed_tilde_is_refused(text: str, message: str) -> None:
    """The range is checked as any range."""
    with pytest.raises(ScheduleError) as caught:
        parse(text, key="job")
    assert message in caught.value.message


def test_a_tilde_needs_a_key() -> None:
    """Without a name there is nothing to spread by."""
    with pytest.raises(ScheduleError, match="~ spreads jobs by their name"):
        parse("~ * * * *")


@pytest.mark.parametrize(
    ("key", "span_us", "place_us"),
    [
        ("", 0, 0),
        ("backup", 0, 0),
        ("backup", 999, 0),
        ("backup", -5, 0),
        ("backup", 1_000, 0),
        ("backup", 2_000, 0),
        ("backup", 300_000_000, 99_389_000),
        ("backup", 3_600_000_000, 1_192_678_000),
        ("backup\0web1", 300_000_000, 46_746_000),
        ("grüße", 86_400_000_000, 44_051_421_000),
    ],
)
def test_a_place_never_changes(key: str, span_us: int, place_us: int) -> None:
    """The same name and span give the same place in every release: a run does not move."""
    assert spread_us(key, span_us) == place_us


def test_places_are_spread_evenly_over_the_span() -> None:
    """10,000 names fall on each tenth of the span alike, in whole milliseconds inside it."""
    span_us = 300_000_000
    places = [spread_us(f"job-{number}", span_us) for number in range(10_000)]
    assert all(0 <= place < span_us and place % 1000 == 0 for place in places)
    tenths = [sum(place * 10 // span_us == tenth for place in places) for tenth in range(10)]
    assert min(tenths) > 900
    assert max(tenths) < 1100


def test_a_wider_span_keeps_the_order() -> None:
    """Who came first within five minutes comes first within an hour."""
    names = [f"job-{number}" for number in range(200)]
    short = sorted(names, key=lambda name: spread_us(name, 300_000_000_000))
    assert sorted(names, key=lambda name: spread_us(name, 3_600_000_000_000)) == short
