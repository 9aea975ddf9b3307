"""The contract of the executor port, which ships as `tocsin executor check`, on every executor."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tocsin.execution import executor_entry_points
from tocsin.executors.checking.bench import Bench
from tocsin.executors.checking.check import Check
from tocsin.executors.checking.onlooker import Onlooker
from tocsin.executors.checking.sight import Sight
from tocsin.executors.checking.static_checks import STATIC
from tocsin.executors.checking.subject import Subject
from tocsin.executors.checking.suite import RUN, run_check
from tocsin.executors.checking.verdict import Result, Verdict

DEADLINE_S = 60.0
POINTS = {
    name: point.value
    for name, point in executor_entry_points().items()
    if point.value.startswith("tocsin.")
}
CANNOT = {
    ("http", "cancel-of-resisting"): "a connection is closed at once",
    ("nats", "cancel-of-resisting"): "a connection is closed at once",
    ("nats", "huge-output"): "a reply is one message, which a server bounds",
}
"""Which checks an executor has no case for, and why."""


class Seen(NamedTuple):
    """An executor, and what was found by looking at it."""

    subject: Subject
    results: dict[str, Result]


@pytest.fixture(scope="module", params=sorted(POINTS))
def seen(request: pytest.FixtureRequest) -> Iterator[Seen]:
    """Each in-tree executor in turn, with what its specimen needs."""
    with Onlooker(POINTS[request.param], os.environ, DEADLINE_S) as onlooker:
        results = {result.check: result for result in onlooker.results()}
        assert onlooker.subject is not None, results
        yield Seen(onlooker.subject, results)


@pytest.mark.parametrize("check", STATIC, ids=lambda check: check.name)
def test_what_it_is(seen: Seen, check: Check[Sight]) -> None:
    """What can be told without running it."""
    check_result(seen, seen.results[check.name])


@pytest.mark.parametrize("check", RUN, ids=lambda check: check.name)
def test_what_it_does(seen: Seen, check: Check[Bench]) -> None:
    """What it does in a real host."""
    check_result(seen, run_check(check, seen.subject, os.environ, DEADLINE_S))


def check_result(seen: Seen, result: Result) -> None:
    """Nothing but what is known to be without a case is left out."""
    expected = Verdict.LEFT_OUT if (seen.subject.name, result.check) in CANNOT else Verdict.PASSED
    assert result.verdict is expected, str(result)
