"""Shell runs a second through the whole system: captured, reported, durable."""

from __future__ import annotations

import statistics
import time

from tocsin.model import Job, Overlap, RunState

from .harness import Fleet, Size, scratch
from .limits import spawner
from .report import Goal, Result

TRUE = "/usr/bin/true"
SLOTS = 32


def run(size: Size) -> Result:
    """Rounds of ours and of bare posix_spawn, by turns."""
    count, rounds = size.pick(20, 1_500, 3_000), size.pick(1, 3, 7)
    ours: list[float] = []
    bare: list[float] = []
    job = Job(
        name="true",
        executor="shell",
        config={"command": TRUE, "unit": False},
        overlap=Overlap.ALLOW,
    )
    with scratch() as folder, Fleet(folder) as fleet:
        fleet.start_agents(1, slots=SLOTS)
        fleet.put([job])
        fleet.submit(["true"] * 20)
        fleet.until_idle()
        limit = spawner(folder)
        for _ in range(rounds):
            began_s = time.perf_counter()
            fleet.submit(["true"] * count)
            fleet.until_idle()
            ours.append(count / (time.perf_counter() - began_s))
            bare.append(limit.runs_a_second(TRUE, count))
        assert all(run.state is RunState.SUCCEEDED for run in fleet.runs(limit=100))
    ratio = statistics.median(one / other for one, other in zip(ours, bare, strict=True))
    return Result(
        {"runs_s": statistics.median(ours), "best": max(ours)},
        {"runs_s": statistics.median(bare), "best": max(bare), "what": limit.kind},
        {"runs_s": ratio},
        [Goal("shell runs/s over bare posix_spawn", ratio, 0.60, more_is_better=True)],
        f"runs of {TRUE} a second, one agent",
    )
