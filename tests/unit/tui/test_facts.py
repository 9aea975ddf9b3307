"""What is told of one run: how far it is, what it waited for, what it came to."""

from __future__ import annotations

import pytest

from tests.tui.fleet import BERLIN, JOBS, NOW_US, at, job, run
from tocsin.model import Retry, Run, RunState
from tocsin.tui.facts import bar, before, beside, headline, progress, story, tries, verdict
from tocsin.tui.usual import Usual, usual
from tocsin.tui.widgets.columns import Cell

ETL = next(row for row in JOBS if row.job.name == "etl-orders")


def _done(number: int, took_s: float, state: RunState = RunState.SUCCEEDED, **more: object) -> Run:
    began = at(-10_000 + number * 100)
    return run(number, "etl-orders", state, started_us=began,
               finished_us=began + round(took_s * 1e6), **more)  # fmt: skip


def _text(cells: list[Cell]) -> str:
    return "".join(cell.text for cell in cells)


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([], None),
        ([7.0], Usual(7.0, 7.0, 1)),
        ([1.0, 3.0], Usual(2.0, 3.0, 2)),
        ([float(n) for n in range(1, 21)], Usual(10.5, 20.0, 20)),
        ([float(n) for n in range(1, 101)], Usual(50.5, 96.0, 100)),
    ],
)
def test_usual(spans: list[float], expected: Usual | None) -> None:
    """The middle and the 95th of a hundred, of earlier runs of the job that succeeded."""
    runs = [_done(number, span) for number, span in enumerate(spans)]
    other = [run(0, "another", started_us=0, finished_us=9), _done(900, 1.0),
             _done(0, 99.0, RunState.FAILED)]  # fmt: skip
    assert usual(_done(500, 1.0), [*runs, *other]) == expected


@pytest.mark.parametrize(
    ("elapsed_s", "cells"),
    [(0, ("", "░" * 10)), (50, ("█" * 5, "░" * 5)), (150, ("█" * 10, "")), (300, ("█" * 10, ""))],
)
def test_bar(elapsed_s: float, cells: tuple[str, str]) -> None:
    """It is full at the usual, and turns red beyond what 19 of 20 took."""
    running = run(9, "etl-orders", RunState.RUNNING, started_us=at(-elapsed_s))
    done, to_do, _ = bar(running, Usual(100.0, 200.0, 9), NOW_US, 10)
    assert (done.text, to_do.text) == cells
    assert done.tone == ("bad" if elapsed_s > 200 else "busy")
    assert bar(running, None, NOW_US, 10) == []
    assert bar(_done(1, 1.0), Usual(100.0, 200.0, 9), NOW_US, 10) == []


def test_progress() -> None:
    """What ends it, what is usual, and what was measured."""
    running = run(9, "etl-orders", RunState.RUNNING, started_us=at(-851))
    told = progress(running, ETL, Usual(1080.0, 1440.0, 9), NOW_US)
    assert told == "ran 14m11s of usual 18m, p95 24m  timeout in 30m"
    over = _done(1, 8.0, RunState.FAILED, exit_code=3, cpu_us=1_500_000,
                 peak_memory_bytes=3 << 20, reason="exit status 3")  # fmt: skip
    assert progress(over, ETL, None, NOW_US) == "ran 8s  exit 3  cpu 1.5s  mem 3 MiB  exit status 3"
    waiting = run(9, "etl-orders", RunState.QUEUED, not_before_us=at(30))
    assert progress(waiting, ETL, None, NOW_US) == "not started  tried again in 30s"


@pytest.mark.parametrize(
    ("one", "told"),
    [
        (
            run(9, "j", RunState.RUNNING, due_us=at(-60), dispatched_us=at(-50),
                started_us=at(-49)),
            "due 14:02:22 → waited 10s → sent 14:02:32 → started 14:02:33 → running  by schedule",
        ),
        (
            run(9, "j", RunState.QUEUED, created_us=at(-60)),
            "made 14:02:22 → waiting 1m  by schedule",
        ),
        (
            run(9, "j", due_us=at(-60), dispatched_us=at(-60), started_us=at(-59),
                finished_us=at(-2)),
            "due 14:02:22 → sent 14:02:22 → started 14:02:23 → ended 14:03:20  by schedule",
        ),
    ],
)  # fmt: skip
def test_story(one: Run, told: str) -> None:
    """The instants, and the waits that are worth a word."""
    assert story(one, NOW_US, BERLIN) == told


@pytest.mark.parametrize("state", list(RunState))
def test_every_bad_end_has_a_verdict(state: RunState) -> None:
    """Whoever looks at a run that did not succeed reads what can be done."""
    one = run(9, "etl-orders", state, agent="web-1", reason="no such file")
    good = {RunState.SUCCEEDED, RunState.QUEUED, RunState.DISPATCHED, RunState.ACCEPTED,
            RunState.RUNNING}  # fmt: skip
    told = verdict(one, ETL)
    assert bool(told) == (state not in good)
    assert not told or any(key in told for key in ("R repeats", "r runs it now"))


def test_verdict_of_a_timeout_names_it() -> None:
    """The limit is the job's."""
    told = verdict(run(9, "etl-orders", RunState.TIMED_OUT), job(1, "x", timeout_s=90.0))
    assert told == "it was ended at its timeout of 1m30s: R repeats it, e gives the job more time"


def test_tries_and_what_was_before() -> None:
    """Attempts in their order, earlier runs newest first, each with its state and its span."""
    first = run(9, "etl-orders", RunState.FAILED, agent="etl-01", started_us=at(-900), exit_code=3)
    now = run(9, "etl-orders", RunState.RUNNING, agent="etl-03", started_us=at(-60), attempt=2)
    told = tries(now, [first], NOW_US, BERLIN)
    assert _text(told) == ("try 1 ✗ etl-01 13:48:22 failed, exit 3  try 2 ► etl-03 14:02:22 1m")
    assert tries(now, [], NOW_US, BERLIN) == []
    others = [_done(1, 5.0), _done(2, 7.0, RunState.TIMED_OUT), run(3, "another")]
    told = before(now, others, NOW_US, BERLIN)
    assert _text(told) == "before  ✗ 11:20:02 timed out  ● 11:18:22 5s"
    assert before(now, [now], NOW_US, BERLIN) == []


def test_other_hosts_of_the_fire() -> None:
    """Those that need a look come first."""
    mine = run(9, "j", RunState.RUNNING, group="g", slot=0)
    rest = [
        run(10, "j", RunState.SUCCEEDED, group="g", slot=1, agent="web-1", started_us=at(-9),
            finished_us=at(-5)),
        run(11, "j", RunState.FAILED, group="g", slot=2, agent="web-2", exit_code=1),
    ]  # fmt: skip
    assert _text(beside(mine, [mine, *rest], NOW_US)) == (
        "with 2 others  ✗ web-2 failed, exit 1  ● web-1 4s"
    )
    assert beside(mine, [mine], NOW_US) == []


def test_headline_counts_tries() -> None:
    """As many as its job allows, where that is known."""
    one = run(9, "j", RunState.RUNNING, attempt=2, agent="a")
    allowed = job(1, "j", retry=Retry(limit=3))
    assert headline(one, allowed) == "► RUNNING  j  try 2 of 4  on a"
    assert headline(one, None) == "► RUNNING  j  try 2 of 2  on a"
