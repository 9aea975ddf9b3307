"""Other engines' own assertions, where their documented rules are ours."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice
from typing import Any

import pytest

from tests.unit.schedule.vectors import load, moment, zone_of
from tocsin.errors import ScheduleError
from tocsin.schedule import Schedule, parse

# Vectors that presume another rule than ours, with the rule.
_SIX_FIELDS_LITERAL = "cronsim leaves six-field expressions out of its rule for clock changes"
_OR_UNLESS_PLAIN_STAR = "a day field that starts with * means 'and' here, as in Debian"
_NTH_IS_AND = "croniter lets # mean 'and' with the day of month; neither field starts with * here"
_EXCEPTIONS = {
    "cronsim-044": _SIX_FIELDS_LITERAL,
    "cronsim-045": _SIX_FIELDS_LITERAL,
    "cronsim-046": _SIX_FIELDS_LITERAL,
    "croniter-000": _OR_UNLESS_PLAIN_STAR,
    "croniter-006": "asks croniter for 'and' between the day fields by an option",
    **{f"croniter-{number:03}": _NTH_IS_AND for number in (*range(8, 13), *range(14, 17))},
    "croniter-022": "31W needs a month with a 31st here, as plain 31 does; LW is in every month",
    "croniter-028": "W15 is croniter's own spelling of 15W",
    "robfig-next-013": _OR_UNLESS_PLAIN_STAR,
    "robfig-act-068": _OR_UNLESS_PLAIN_STAR,
}
# The rule for clock changes that each engine documents.
_DST = {
    "cronsim": "vixie",
    "croniter": "vixie",
    "robfig": "literal",
    "systemd": "skip",
    "quartz": "vixie",
}


def _vectors() -> list[Any]:
    return [
        pytest.param(vector, _DST[name], id=vector["id"])
        for name in _DST
        for vector in load(name)
        if vector["id"] not in _EXCEPTIONS
    ]


def _holds(vector: Any, schedule: Schedule) -> bool:
    if "at" in vector:
        at = moment(vector["at"])
        return (schedule.next(at - timedelta(microseconds=1)) == at) is vector["fires_at"]
    due, found = moment(vector["after"]), []
    for _ in vector.get("expected", vector.get("not_expected")):
        following = schedule.next(due)
        assert following is not None
        due = following
        found.append(due)
    if "not_expected" in vector:
        return found[0].date().isoformat() not in vector["not_expected"]
    # Texts, because two datetimes in different zones are never equal while a clock repeats itself.
    return [due.isoformat() for due in found] == [
        moment(text).isoformat() for text in vector["expected"]
    ]


@pytest.mark.parametrize(("vector", "dst"), _vectors())
def test_the_vector_holds(vector: Any, dst: str) -> None:
    """Due times are those that the engine's own tests assert; what is never due is refused."""
    if vector.get("none"):
        with pytest.raises(ScheduleError):
            parse(vector["expr"], zone_of(vector), dst=dst)
    else:
        assert _holds(vector, parse(vector["expr"], zone_of(vector), dst=dst))


@pytest.mark.parametrize(
    "vector",
    [
        pytest.param(vector, id=vector["id"])
        for name in _DST
        for vector in load(name)
        if vector["id"] in _EXCEPTIONS
    ],
)
def test_an_exception_really_differs(vector: Any) -> None:
    """A vector is left out only while it disagrees with our rules."""
    try:
        schedule = parse(vector["expr"], zone_of(vector))
    except ScheduleError:
        return
    assert not _holds(vector, schedule)


@pytest.mark.parametrize(
    "vector", [pytest.param(v, id=v["id"]) for v in load("k8s") if "by_enumeration" in v]
)
def test_walking_forward_misses_nothing(vector: Any) -> None:
    """The last due time before now is found by walking from the last one that ran."""
    schedule, now = parse(vector["expr"], zone_of(vector)), moment(vector["now"])
    last, due = None, schedule.next(moment(vector["expected_earliest"]))
    while due is not None and due <= now:
        last, due = due, schedule.next(due)
    expected = vector["by_enumeration"]
    assert last == (None if expected is None else moment(expected))


def test_each_exception_names_a_vector() -> None:
    """No exception outlives its vector."""
    ids = {vector["id"] for name in _DST for vector in islice(load(name), None)}
    assert ids.issuperset(_EXCEPTIONS)
