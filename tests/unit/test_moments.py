"""Instants as people write them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tocsin.errors import ConfigError
from tocsin.instants import to_us
from tocsin.moments import is_absolute, parse_moment

BERLIN = ZoneInfo("Europe/Berlin")


def berlin(text: str, fold: int = 0) -> int:
    """An instant on the clock of Berlin."""
    return to_us(datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=fold))


NOW_US = berlin("2026-11-24 01:00")


@pytest.mark.parametrize(
    ("text", "instant_us"),
    [
        ("2026-11-01T01:30:00Z", berlin("2026-11-01 02:30")),
        ("2026-11-01t01:30:00z", berlin("2026-11-01 02:30")),
        ("2026-11-01 02:30", berlin("2026-11-01 02:30")),
        ("2026-11-01 02:30:15", berlin("2026-11-01 02:30:15")),
        ("2026-11-01", berlin("2026-11-01 00:00")),
        ("00:30", berlin("2026-11-24 00:30")),
        ("01:00", berlin("2026-11-24 01:00")),
        ("2:30", berlin("2026-11-23 02:30")),
        ("today 02:30", berlin("2026-11-24 02:30")),
        ("Yesterday  02:30:05", berlin("2026-11-23 02:30:05")),
        ("tomorrow 02:30", berlin("2026-11-25 02:30")),
        ("2026-10-25 02:30", berlin("2026-10-25 02:30", fold=0)),
        ("2027-03-28 02:30", berlin("2027-03-28 03:00")),
    ],
)
def test_a_time_as_people_write_it(text: str, instant_us: int) -> None:
    """On the job's clock; twice shown is the first pass, leapt over is the end of the leap."""
    assert parse_moment(text, BERLIN, NOW_US) == instant_us


@pytest.mark.parametrize("text", ["", "noon", "25:00", "yesterday", "2026-13-01", "yesterday 2"])
def test_what_is_no_time_is_said_with_examples(text: str) -> None:
    """The hint shows how to write it."""
    with pytest.raises(ConfigError, match="is no time") as refused:
        parse_moment(text, BERLIN, NOW_US)

    assert "yesterday 02:30" in refused.value.hint


def test_only_a_time_with_an_offset_needs_no_zone() -> None:
    """The others are asked of the coordinator, for it knows the job's zone."""
    assert is_absolute("2026-11-01T01:30:00+01:00")
    assert not is_absolute("2026-11-01T01:30:00")
    assert not is_absolute("02:30")
