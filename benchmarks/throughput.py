"""No-op runs a second: submitted by clients in lists, dispatched, run, every end durable."""

from __future__ import annotations

import statistics
import time

from tocsin.model import RunState

from .harness import Fleet, Size, no_op, scratch
from .model import runs_a_second
from .report import Goal, Result

SLOTS = 4000
CLIENTS = 2


def run(size: Size) -> Result:
    """Rounds of ours and of the model, by turns."""
    count, rounds = size.pick(200, 10_000, 30_000), size.pick(1, 3, 5)
    ours: list[float] = []
    model: list[float] = []
    with scratch() as folder, Fleet(folder) as fleet:
        fleet.start_agents(1, slots=SLOTS)
        fleet.put([no_op("noop")])
        fleet.submit(["noop"] * 100)  # the executor's host is up from here on
        fleet.until_idle()
        for _ in range(rounds):
            began_s = time.perf_counter()
            fleet.submit_all("noop", count, CLIENTS)
            fleet.until_idle()
            ours.append(count / (time.perf_counter() - began_s))
            model.append(runs_a_second(folder, count))
        last = fleet.runs(limit=100)
        assert all(run.state is RunState.SUCCEEDED for run in last)
    rate, limit = statistics.median(ours), statistics.median(model)
    return Result(
        {"runs_s": rate, "best": max(ours)},
        {"runs_s": limit, "best": max(model), "what": "model: CURVE, msgpack, SQLite FULL"},
        {"runs_s": rate / limit},
        [Goal("no-op runs/s", rate, 20_000, more_is_better=True)],
        "no-op runs a second, one agent",
    )
