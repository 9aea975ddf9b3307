"""How late a run starts: of many jobs due at once, of one alone, and of one that is asked for."""

from __future__ import annotations

import time

from tocsin import clock
from tocsin.instants import SECOND_US, to_datetime
from tocsin.model import Run

from .harness import Fleet, Size, no_op, scratch
from .limits import WakeUps
from .report import Goal, Result, median_of, spread

AGENTS = 10
SLOTS = 200
APART_S = 3
"""Between herds, so that one is over before the next is due."""


def run(size: Size) -> Result:
    """One fleet for all three."""
    with scratch() as folder, Fleet(folder) as fleet:
        fleet.start_agents(AGENTS if size is not Size.TINY else 2, slots=SLOTS)
        fleet.put([no_op("noop")])
        for _ in range(2):
            fleet.submit(["noop"] * 10 * AGENTS)  # every agent's host is up from here on
            fleet.until_idle()
        submit = _submit_lags_ms(fleet, size.pick(5, 150, 500))
        lone, bare, late = _lone_lags_ms(fleet, size.pick(2, 12, 60))
        herds, early = _herd_lags_ms(fleet, size.pick(20, 1000, 1000), size.pick(1, 3, 7))
    herd, one, timer = median_of(herds), spread(lone), spread(bare)
    started = spread(submit)
    return Result(
        {"herd": herd, "lone": one, "submit": started, "early": early + late},
        {"lone": timer, "what": "bare timerfd"},
        {"lone_p50": one["p50"] / timer["p50"]},
        [
            Goal("1,000 jobs due at once, 10 agents: due to start, p99 ms", herd["p99"], 50),
            Goal("a lone due job: due to start, p50 ms", one["p50"], 3),
            Goal("a lone due job: due to start, p99 ms", one["p99"], 15),
            Goal("started before its time, runs", early + late, 0),
            Goal("submit to start, p50 ms", started["p50"], 1),
        ],
        "ms",
    )


def _herd_lags_ms(fleet: Fleet, jobs: int, rounds: int) -> tuple[list[dict[str, float]], int]:
    first_us = _next_second_us(3 + jobs / 500)
    dues = [first_us + number * APART_S * SECOND_US for number in range(rounds)]
    schedule = [f"@at {to_datetime(due_us).strftime('%Y-%m-%dT%H:%M:%SZ')}" for due_us in dues]
    fleet.put([no_op(f"herd-{number}", schedule=schedule) for number in range(jobs)])
    assert clock.now_us() < first_us, "the jobs were not there in time"
    _sleep_until(dues[-1] + 2 * SECOND_US)
    fleet.until_idle()
    found = fleet.runs(limit=jobs * rounds)
    lags = [[_lag_ms(run) for run in found if run.due_us == due_us] for due_us in dues]
    assert all(len(herd) == jobs for herd in lags), [len(herd) for herd in lags]
    return [spread(herd) for herd in lags], sum(lag < 0 for herd in lags for lag in herd)


def _lone_lags_ms(fleet: Fleet, count: int) -> tuple[list[float], list[float], int]:
    """A job that is due each second; in between, a timerfd of our own each half second."""
    first_us = _next_second_us(1.5)
    wake_ups = WakeUps()
    fleet.put([no_op("lone", schedule=["@every 1s"])])
    bare = [
        wake_ups.lag_ms(first_us + number * SECOND_US + SECOND_US // 2) for number in range(count)
    ]
    fleet.put([no_op("lone", schedule=["@manual"])])
    wake_ups.close()
    lags = [_lag_ms(run) for run in fleet.runs("lone", limit=count)]
    return lags, bare, sum(lag < 0 for lag in lags)


def _submit_lags_ms(fleet: Fleet, count: int) -> list[float]:
    lags = []
    for _ in range(count):
        asked_us = clock.now_us()
        ids = fleet.submit(["noop"])
        (run,) = fleet.session.runs_over(ids)
        assert run.started_us is not None
        lags.append((run.started_us - asked_us) / 1e3)
        time.sleep(0.01)  # what is left of this one must not delay the next
    return lags


def _lag_ms(run: Run) -> float:
    assert run.started_us is not None, run
    assert run.due_us is not None
    return (run.started_us - run.due_us) / 1e3


def _next_second_us(after_s: float) -> int:
    return -(-(clock.now_us() + round(after_s * SECOND_US)) // SECOND_US) * SECOND_US


def _sleep_until(at_us: int) -> None:
    time.sleep(max((at_us - clock.now_us()) / SECOND_US, 0))
