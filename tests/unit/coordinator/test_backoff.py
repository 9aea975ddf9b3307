"""How long a retry waits: the job's rule, and what the far side asked for."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.coordinator.machine.backoff import ASKED_S_MAX, delay_s, longest_s
from tocsin.execution import Status
from tocsin.instants import SECOND_US
from tocsin.model import Retry

from .bench import Bench, job

RETRY = Retry(limit=5, delay_s=10.0, max_delay_s=60.0, jitter=0.0)
FACTS: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}),
    st.floats().map(lambda asked: {"retry_after_s": asked}),
    st.integers(-5, 1 << 63).map(lambda asked: {"retry_after_s": asked}),
)
RETRIES = st.builds(
    Retry,
    delay_s=st.floats(0, 1e5),
    backoff=st.floats(1, 10),
    max_delay_s=st.floats(0, 6e5),
    jitter=st.floats(0, 1),
)


def refused(retry: Retry, **facts: Any) -> tuple[Bench, str]:
    """A bench whose one run was refused by the far side once, and the run's id."""
    bench = Bench()
    session = bench.hello()
    bench.put(job(schedule=[], retry=retry))
    (run,) = bench.request("backup")
    bench.report(session, bench.ended(f"{run.id}.1", Status.FAILED, None, **facts))
    return bench, run.id


@pytest.mark.parametrize(("attempt", "waits_s"), [(1, 10), (2, 20), (3, 40), (4, 60), (9999, 60)])
def test_it_grows_up_to_its_bound(attempt: int, waits_s: float) -> None:
    """Each wait is so many times the one before it."""
    assert delay_s(RETRY, attempt, {}, 0.5) == waits_s


@pytest.mark.parametrize(
    ("asked", "waits_s"),
    [
        (30, 30),
        (30.5, 30.5),
        (3, 10),
        (7200, ASKED_S_MAX),
        (1 << 63, ASKED_S_MAX),
        (-30, 10),
        (0, 10),
        (math.nan, 10),
        (math.inf, 10),
        (True, 10),
        ("30", 10),
        (None, 10),
        ([30], 10),
    ],
)
def test_what_was_asked_for_is_the_least(asked: Any, waits_s: float) -> None:
    """It makes the wait longer, never shorter; what is no time is no wish."""
    assert delay_s(RETRY, 1, {"retry_after_s": asked}, 0.5) == waits_s


def test_a_longer_bound_of_the_job_counts() -> None:
    """Who waits for a day by himself waits for a day when asked to."""
    patient = Retry(delay_s=1.0, max_delay_s=86_400.0, jitter=0.0)
    assert delay_s(patient, 1, {"retry_after_s": 80_000}, 0.5) == 80_000


def test_those_who_were_told_the_same_time_come_back_apart() -> None:
    """Never before it, and spread over the job's jitter."""
    spread = Retry(delay_s=10.0, jitter=0.5)
    waits = [delay_s(spread, 1, {"retry_after_s": 100}, chance / 4) for chance in range(5)]
    assert waits == [100, 112.5, 125, 137.5, 150]


@given(RETRIES, st.integers(1, 10_000), FACTS, st.floats(0, 1))
def test_no_wait_is_longer_than_the_longest(
    retry: Retry, attempt: int, facts: dict[str, Any], chance: float
) -> None:
    """Whatever an executor says."""
    assert 0 <= delay_s(retry, attempt, facts, chance) <= longest_s(retry, attempt, facts)


def test_a_retry_waits_as_its_server_asked() -> None:
    """The next attempt begins then, and not before."""
    bench, _ = refused(Retry(limit=1, delay_s=1.0, jitter=0.0), retry_after_s=90)
    bench.pass_time(89.9)
    assert len(bench.orders()) == 1
    bench.pass_time(0.1)
    assert len(bench.orders()) == 2


def test_it_waits_as_long_when_the_coordinator_restarts_meanwhile() -> None:
    """The time is on record, whatever the job's own bound is."""
    retry = Retry(limit=1, delay_s=1.0, max_delay_s=2.0, jitter=0.0)
    bench, run_id = refused(retry, retry_after_s=900)
    bench.restart(10)
    bench.hello()
    bench.pass_time(889.9)
    assert bench.runs[run_id].state == "queued"
    bench.pass_time(0.1)
    assert bench.runs[run_id].state == "dispatched"


@pytest.mark.parametrize(("facts", "waits_s"), [({}, 1.0), ({"retry_after_s": 900}, 900.0)])
def test_a_clock_that_was_set_back_makes_no_retry_wait_longer(
    facts: dict[str, Any], waits_s: float
) -> None:
    """By an hour, while the coordinator was down: it begins its wait anew, and no other."""
    bench, run_id = refused(Retry(limit=1, delay_s=1.0, jitter=0.0), **facts)
    bench.wall_us -= 3600 * SECOND_US
    bench.restart()
    bench.hello()
    bench.pass_time(waits_s - 0.1)
    assert bench.runs[run_id].state == "queued"
    bench.pass_time(0.1)
    assert bench.runs[run_id].state == "dispatched"


def test_a_retry_that_is_not_wanted_is_not_begun() -> None:
    """A server's wish is no reason to try again."""
    bench, run_id = refused(Retry(limit=0), retry_after_s=5)
    assert bench.runs[run_id].state == "failed"
