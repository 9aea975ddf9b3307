"""Runs by job and by their end, followed from one view to the next."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.tui.fleet import NOW_US, at, job, run
from tocsin.model import Run, RunState, Trigger
from tocsin.tui.durations import Usual, bars, delay_s, last_hour, percentile, usual_of
from tocsin.tui.ledger import Ledger


def ran(number: int, name: str = "etl", end_s: float = -60, took_s: float = 10, **more: Any) -> Run:
    """A run that ended so many seconds from now."""
    more = {"due_us": at(end_s - took_s), "started_us": at(end_s - took_s), **more}
    return run(number, name, finished_us=at(end_s), **more)


def by_id(*runs: Run) -> dict[str, Run]:
    """Runs as a view holds them."""
    return {one.id: one for one in runs}


def test_a_run_is_followed_through_its_life() -> None:
    """It is active, then over; what was reckoned from it is reckoned again."""
    ledger = Ledger()
    going = run(1, "etl", RunState.RUNNING, started_us=at(-20))
    ledger.follow(by_id(going))
    assert list(ledger.active) == [going.id]
    assert ledger.usual("etl") is None
    over = msgspec.structs.replace(going, state=RunState.SUCCEEDED, finished_us=at(0))
    ledger.follow(by_id(over))
    assert not ledger.active
    assert ledger.usual("etl") == Usual(20.0, 20.0, 1)
    assert list(ledger.ended(at(-1), at(1))) == [over]
    assert not list(ledger.ended(at(1), at(900)))


def test_runs_that_are_forgotten_are_gone() -> None:
    """The oldest leave a view that is full."""
    ledger = Ledger()
    one, other = ran(1), ran(2)
    ledger.follow(by_id(one, other))
    ledger.follow(by_id(other))
    assert ledger.of("etl") == [other]
    assert list(ledger.ended(at(-600), NOW_US)) == [other]


def test_a_heap_is_taken_in_steps() -> None:
    """What is not over is there at once, and a view that comes in between is not mixed up."""
    runs = [ran(number) for number in range(1, 900)]
    going = run(900, "etl", RunState.RUNNING, finished_us=None)
    ledger = Ledger()
    ledger.follow(by_id(going, *runs), 10)
    assert list(ledger.active) == [going.id]
    assert len(ledger.of("etl")) == 10
    next(ledger.steps())
    kept = by_id(*runs[100:], msgspec.structs.replace(going, state=RunState.LOST))
    ledger.follow(kept, 10)
    assert not ledger.whole
    list(ledger.steps())
    assert not ledger.active
    assert ledger.of("etl") == sorted(kept.values(), key=lambda one: one.id)


def test_runs_since() -> None:
    """Those that ended since then and those that are not over, of the jobs that are asked for."""
    ledger = Ledger()
    old, new, other = ran(1, end_s=-900), ran(2, end_s=-60), ran(3, "other")
    going = run(4, "etl", RunState.RUNNING, finished_us=None, started_us=at(-5_000))
    ledger.follow(by_id(old, new, other, going))
    assert ledger.since(at(-100), NOW_US, ["etl", "idle"]) == {"etl": [new, going], "idle": []}


def test_nothing_changes_without_a_new_view() -> None:
    """The version says whether to draw again."""
    ledger, runs = Ledger(), by_id(ran(1))
    ledger.follow(runs)
    before = ledger.version
    ledger.follow(runs)
    assert ledger.version == before


def test_runs_of_a_job_are_in_order_and_the_latest_is_no_skip() -> None:
    """However they came."""
    ledger = Ledger()
    runs = [ran(3, state=RunState.SKIPPED), ran(1), ran(2)]
    ledger.follow(by_id(*runs))
    assert [one.id for one in ledger.of("etl")] == sorted(one.id for one in runs)
    assert ledger.latest("etl") == runs[2]
    assert ledger.latest("other") is None


def test_the_latest_is_what_runs_and_not_what_waits() -> None:
    """A run in the queue hides nothing."""
    ledger, runs = Ledger(), [ran(1), run(2, "etl", RunState.RUNNING)]
    queued = run(3, "etl", RunState.QUEUED)
    ledger.follow(by_id(*runs, queued))
    assert ledger.latest("etl") == runs[1]
    ledger.follow(by_id(runs[0], queued))
    assert ledger.latest("etl") == queued


@pytest.mark.parametrize(
    ("values", "share", "found"),
    [([1.0], 0.95, 1.0), ([1, 2, 3, 4], 0.5, 2), (list(range(1, 101)), 0.95, 95), ([1, 9], 1, 9)],
)
def test_percentile(values: list[float], share: float, found: float) -> None:
    """By nearest rank."""
    assert percentile(values, share) == found


def test_only_successes_say_what_is_usual() -> None:
    """A failure is often quicker."""
    runs = [ran(i, took_s=i) for i in range(1, 6)] + [ran(9, state=RunState.FAILED, took_s=500)]
    assert usual_of(runs) == Usual(3.0, 5.0, 5)
    assert usual_of([ran(9, state=RunState.FAILED)]) is None


@pytest.mark.parametrize(
    ("more", "seconds"),
    [
        ({}, 0.5),
        ({"trigger": Trigger.MANUAL}, None),
        ({"attempt": 2}, None),
        ({"started_us": None}, None),
    ],
)
def test_delay(more: dict[str, Any], seconds: float | None) -> None:
    """Only a first attempt of a due time can be late."""
    one = ran(1, **{"due_us": at(-70.5), **more})
    assert delay_s(one, None) == seconds


def test_jitter_is_no_delay() -> None:
    """A run that begins when its jitter says is on time."""
    row = job(1, "etl", "0 * * * *", jitter_s=600.0)
    assert delay_s(ran(1, due_us=at(-700), started_us=at(-100)), row) != 600.0
    assert delay_s(ran(1, due_us=at(-700), started_us=at(-700)), row) == 0.0


def test_last_hour() -> None:
    """What ended in it, by five minutes; a skip stands for all its due times."""
    ended = [
        ran(1, end_s=-1), ran(2, end_s=-299), ran(3, end_s=-3599), ran(4, end_s=-3601),
        ran(5, end_s=-301, state=RunState.FAILED), ran(6, end_s=-400, state=RunState.LOST),
        ran(7, "late", end_s=-1, due_us=at(-552), started_us=at(-11)),
        run(8, "etl", RunState.SKIPPED, due_us=at(-10), dues=3),
    ]  # fmt: skip
    hour = last_hour(ended, [], {}, NOW_US)
    assert (hour.ok, hour.failed, hour.lost, hour.skipped, hour.runs) == (4, 1, 1, 3, 6)
    assert hour.oks == (1, *[0] * 10, 3)
    assert hour.fails == (*[0] * 10, 2, 0)
    assert hour.delays is not None
    assert (hour.delays.p50_s, hour.delays.max_s, hour.delays.worst) == (0.0, 541.0, "late")


@pytest.mark.parametrize(
    ("counts", "strip"), [([0, 0], "  "), ([1, 2, 4, 8], "▁▂▄█"), ([0, 100, 1], " █▁")]
)
def test_bars(counts: list[int], strip: str) -> None:
    """The highest is full, and what is there at all can be seen."""
    assert bars(counts) == strip
