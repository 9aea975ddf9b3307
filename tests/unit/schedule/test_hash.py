"""`H`: the spreading of jobs over time by their names."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.unit.schedule.enumeration import Field
from tocsin.errors import ScheduleError
from tocsin.schedule import parse
from tocsin.schedule.fields import DAY, HOUR, MINUTE, MONTH, SECOND, WEEKDAY, Kind, field_mask


def _values(text: str, kind: Kind, key: str) -> list[int]:
    mask = field_mask(text, kind, key)
    return [value for value in range(kind.top + 1) if mask >> value & 1]


@pytest.mark.parametrize(
    ("key", "text", "kind", "values"),
    [
        ("backup", "H", SECOND, [33]),
        ("backup", "H", MINUTE, [34]),
        ("backup", "H", HOUR, [8]),
        ("backup", "H", DAY, [28]),
        ("backup", "H", MONTH, [10]),
        ("backup", "H", WEEKDAY, [4]),
        ("backup", "H(0-29)", MINUTE, [4]),
        ("backup", "H/15", MINUTE, [4, 19, 34, 49]),
        ("backup", "H(10-50)/20", MINUTE, [24, 44]),
        ("report", "H", MINUTE, [31]),
        ("report", "H/6", HOUR, [1, 7, 13, 19]),
        ("report", "H(1-5)", WEEKDAY, [2]),
    ],
)
def test_a_hash_never_changes(key: str, text: str, kind: Kind, values: list[int]) -> None:
    """The same name and field give the same values in every release: a job does not move."""
    assert _values(text, kind, key) == values


def test_jobs_are_spread_evenly() -> None:
    """6,000 names fall on all sixty minutes, none of which gets twice its share."""
    count = Counter(_values("H", MINUTE, f"job-{number}")[0] for number in range(6000))
    assert len(count) == 60
    assert max(count.values()) < 200


@pytest.mark.parametrize(
    ("text", "kind", "allowed"),
    [
        ("H", DAY, Field("1-28", frozenset(range(1, 29)))),
        ("H(8-17)", HOUR, Field("8-17", frozenset(range(8, 18)))),
        ("H(5-7)", WEEKDAY, Field("5-7", frozenset([0, 5, 6]))),
        ("H/100", MINUTE, Field("*", frozenset(range(60)))),
    ],
)
def test_a_hash_stays_in_its_range(text: str, kind: Kind, allowed: Field) -> None:
    """Every name gets at least one value, and none outside the range."""
    for number in range(300):
        values = _values(text, kind, f"job-{number}")
        assert values
        assert allowed.values.issuperset(values)


def test_the_fields_of_one_job_are_independent() -> None:
    """Jobs that share a minute do not all share an hour."""
    hours = {
        _values("H", HOUR, f"job-{number}")[0]
        for number in range(2000)
        if _values("H", MINUTE, f"job-{number}") == [0]
    }
    assert len(hours) > 10


def test_a_key_without_a_hash_changes_nothing() -> None:
    """Jobs that share an expression share one schedule."""
    assert parse("5 4 * * *", key="a") is parse("5 4 * * *", key="b")
    assert parse("H 4 * * THU", key="a") != parse("H 4 * * THU", key="b")


def test_a_hash_needs_a_key() -> None:
    """Without a name there is nothing to spread by."""
    with pytest.raises(ScheduleError, match="H spreads jobs by their name"):
        parse("H * * * *")


@pytest.mark.parametrize("text", ["H(5)", "H()", "H(9-5)", "H(0-60)", "H(0-5", "H5", "H/0"])
def test_a_malformed_hash_is_refused(text: str) -> None:
    """The range of a hash is checked as any range."""
    with pytest.raises(ScheduleError, match="minute"):
        parse(f"{text} * * * *", key="job")
