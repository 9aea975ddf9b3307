"""What Dkron and its engine assert of six fields, so that an imported job keeps its due times."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.unit.schedule.vectors import moment, section
from tocsin.errors import ScheduleError
from tocsin.schedule import Schedule, parse
from tocsin.schedule.schedule import PatternPlan

# A day field that starts with * means "and" here, as in Debian, and "or" there unless it is just *.
_OTHER_DAY_RULE = {"next-14", "activation-25"}


def _vectors(name: str) -> list[Any]:
    return [pytest.param(vector, id=vector["id"]) for vector in section("dkron", name)]


def _schedule(vector: Any) -> Schedule:
    return parse(vector["expr"], vector["tz"], dst="literal")


@pytest.mark.parametrize("vector", _vectors("next"))
def test_the_next_due_time_is_dkrons(vector: Any) -> None:
    """The same instant follows, with dst=literal, which is Dkron's rule; never is refused."""
    if vector["expected"] is None:
        with pytest.raises(ScheduleError, match="no year has a day"):
            _schedule(vector)
        return
    zone = ZoneInfo(vector["tz"])
    due = _schedule(vector).next(moment(vector["after"], zone))
    assert due is not None
    same = due.isoformat() == moment(vector["expected"], zone).astimezone(zone).isoformat()
    assert same is (vector["id"] not in _OTHER_DAY_RULE)


@pytest.mark.parametrize("vector", _vectors("activation"))
def test_a_job_is_due_when_dkrons_is(vector: Any) -> None:
    """Due, or not due, at one instant."""
    at = moment(vector["at"], ZoneInfo(vector["tz"]))
    due = _schedule(vector).next(at - timedelta(seconds=1)) == at
    assert (due is vector["fires_at"]) is (vector["id"] not in _OTHER_DAY_RULE)


@pytest.mark.parametrize("vector", _vectors("structure"))
def test_a_field_means_the_same_values(vector: Any) -> None:
    """Every field of an expression comes to the same numbers."""
    plan = parse(vector["expr"]).plan
    assert isinstance(plan, PatternPlan)
    pattern = plan.pattern
    masks = {
        "second": pattern.seconds,
        "minute": pattern.minutes,
        "hour": pattern.hours,
        "day_of_month": pattern.days.days,
        "month": pattern.months,
        "day_of_week": pattern.days.weekdays,
    }
    for name, mask in masks.items():
        assert [value for value in range(60) if mask >> value & 1] == vector[name]


@pytest.mark.parametrize("vector", _vectors("invalid"))
def test_what_dkron_refuses_is_refused(vector: Any) -> None:
    """A malformed expression raises ScheduleError."""
    with pytest.raises(ScheduleError):
        parse(vector["expr"])


@pytest.mark.parametrize("vector", _vectors("hash"))
def test_a_tilde_is_dkrons(vector: Any) -> None:
    """`~` comes to the number that Dkron makes of the job's name."""
    assert parse(vector["expr"], key=vector["job"]).plan == parse(vector["expanded"]).plan


@pytest.mark.parametrize("vector", _vectors("once"))
def test_at_is_dkrons(vector: Any) -> None:
    """A job that is due once is due at the same instant."""
    at = moment(vector["at"])
    assert parse(vector["expr"]).next(at - timedelta(seconds=1)) == at
