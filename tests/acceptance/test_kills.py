"""SIGKILL at random moments: nothing is lost, nothing happens twice.

The jobs themselves are the witnesses: each start appends one line to a file that Tocsin does not
know of.
"""

from __future__ import annotations

import random  # noqa: TID251 - the seed is fixed, the moments are not
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.fleet import Fleet, until
from tocsin.instants import SECOND_US, from_rfc3339

JOBS = 10
RUNS = 200
LINES = 40


def job_file(witness: Path) -> str:
    """Ten jobs, each due every second, that witness their start and print forty lines."""
    command = (
        f'echo "$TOCSIN_RUN_ID.$TOCSIN_ATTEMPT" >> {witness}; '
        f'for i in $(seq 1 {LINES // 2}); do echo "out $i"; echo "err $i" >&2; sleep 0.01; done'
    )
    jobs = [
        f"  job-{n}:\n"
        '    schedule: "* * * * * *"\n'
        "    overlap: allow\n"
        "    missed: {policy: all, within: 1h, limit: 1000}\n"
        f"    shell: '{command}'\n"
        for n in range(JOBS)
    ]
    return "jobs:\n" + "".join(jobs)


def kill_at_random(fleet: Fleet, who: list[str], dice: random.Random) -> None:
    """Kill members at random moments, and start them again, until there are enough runs."""
    while len(fleet.runs()) < RUNS:
        time.sleep(dice.uniform(0.1, 1.5))  # the moments are the test
        victims = [member for member in who if len(who) == 1 or dice.random() < 0.7]
        for member in victims:
            fleet.kill(member)
        time.sleep(dice.uniform(0.0, 0.5))
        for member in victims:
            fleet.start(member, "coordinator" if member == "coordinator" else "agent")
        until(lambda: fleet.call("status").returncode == 0, "the coordinator")


def settle(fleet: Fleet) -> list[dict[str, Any]]:
    """Let what is under way end; all runs."""
    fleet.until_agent("one", "up")
    names = [f"job-{n}" for n in range(JOBS)]
    assert fleet.call("job", "pause", *names).returncode == 0
    open_states = {"queued", "dispatched", "accepted", "running"}

    def over() -> bool:
        return not [run for run in fleet.runs() if run["state"] in open_states]

    until(over, "the runs to end")
    return [run for run in fleet.runs() if run["reason"] != "paused"]


def check(fleet: Fleet, runs: list[dict[str, Any]], witness: Path) -> None:
    """One record for each due time, one start for each run, every result, every line."""
    by_job: dict[str, list[int]] = {}
    for run in runs:
        by_job.setdefault(run["job"], []).append(from_rfc3339(run["due"]))
    assert len(by_job) == JOBS
    for dues in by_job.values():
        dues.sort()
        assert dues == list(range(dues[0], dues[-1] + 1, SECOND_US))
    assert Counter(run["state"] for run in runs) == {"succeeded": len(runs)}
    started = Counter(witness.read_text().split())
    assert started == Counter(f"{run['id']}.1" for run in runs)
    out = "".join(f"out {i}\n" for i in range(1, LINES // 2 + 1))
    err = "".join(f"err {i}\n" for i in range(1, LINES // 2 + 1))
    assert {run["output_bytes"] for run in runs} == {len(out) + len(err)}
    for run in runs[:: max(len(runs) // 10, 1)]:
        logs = fleet.call("run", "logs", run["id"])
        assert (logs.stdout, logs.stderr) == (out, err)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "who", [["coordinator"], ["one"], ["coordinator", "one"]], ids=["coordinator", "agent", "both"]
)
def test_kills_lose_nothing_and_repeat_nothing(
    fleet: Fleet, tmp_path: Path, who: list[str]
) -> None:
    """Two hundred runs, while coordinator, agent or both are killed again and again."""
    witness = tmp_path / "witness"
    fleet.apply(job_file(witness))

    kill_at_random(fleet, who, random.Random(len(who[0])))

    check(fleet, settle(fleet), witness)
