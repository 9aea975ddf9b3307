"""Nothing is lost and nothing starts twice, whoever dies and whenever."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from random import Random  # noqa: TID251 - seeded: a failure comes again

import pytest

from tocsin.execution import Order, Status

from .coordinator import Coordinator, order
from .process import AgentProcess

LINES = 200


def witnessed(run: str, witness: Path, seconds: float) -> Order:
    """A run that signs in a file when it starts, and prints at length."""
    command = (
        f'echo "$TOCSIN_RUN_ID" >> {witness}; sleep {seconds}; '
        f"for n in $(seq {LINES}); do echo $TOCSIN_RUN_ID $n; done"
    )
    return order(run, "shell", command=command)


@pytest.mark.parametrize("seed", range(3))
def test_kills_at_any_moment(
    agent: AgentProcess, coordinator: Coordinator, tmp_path: Path, seed: int
) -> None:
    """Each attempt starts exactly once, and each end and byte arrives, over ends of the agent."""
    chance = Random(seed)
    witness = tmp_path / "witness"
    coordinator.heartbeat_s = 0.2
    runs: list[Order] = []
    for batch in range(10):
        hellos = len(coordinator.hellos)
        agent.start(drain_s=0.0)
        if batch == 0 or chance.random() < 0.7:
            coordinator.until(lambda: len(coordinator.hellos) > hellos)  # noqa: B023 - used at once
        new = [witnessed(f"R{batch}x{n}", witness, chance.random() / 4) for n in range(10)]
        runs += new
        coordinator.dispatch(*new)
        coordinator.serve_for(chance.random() * 0.3)
        if chance.random() < 0.7:
            agent.kill()
        else:
            agent.signal(signal.SIGTERM)
            agent.await_exit()
    agent.start()
    coordinator.until_over()
    for run in runs:
        name = run.env["TOCSIN_RUN_ID"]
        assert coordinator.outcome(run.key).status is Status.SUCCEEDED
        expected = "".join(f"{name} {n}\n" for n in range(1, LINES + 1))
        assert coordinator.stdout(run.key).decode() == expected
    started = witness.read_text(encoding="ascii").split()
    assert sorted(started) == sorted(run.env["TOCSIN_RUN_ID"] for run in runs)
    assert not any(run.lost for run in coordinator.runs.values())
    coordinator.until(lambda: not os.listdir(agent.output))  # noqa: PTH208 - empty or not


def test_a_host_dies(up: AgentProcess, coordinator: Coordinator) -> None:
    """What ran in a host that crashes is lost, and says so; the next run has a fresh host."""
    doomed, later = order("DOOMED", run_for=60), order("LATER")
    coordinator.dispatch(doomed)
    coordinator.until(lambda: coordinator.runs[doomed.key].started_us)
    os.kill(up.host_pid("scripted"), signal.SIGKILL)
    coordinator.until_over()
    assert coordinator.outcome(doomed.key).status is Status.LOST
    assert "scripted" in coordinator.outcome(doomed.key).message
    assert "signal 9" in coordinator.outcome(doomed.key).message
    coordinator.dispatch(later)
    coordinator.until_over()
    assert coordinator.outcome(later.key).status is Status.SUCCEEDED


@pytest.mark.usefixtures("up")
def test_a_host_crashes_itself(coordinator: Coordinator) -> None:
    """A run that takes its host down is lost, with the output it gave."""
    run = order("CRASH", lines=2, crash=True)
    coordinator.dispatch(run)
    coordinator.until_over()
    assert coordinator.outcome(run.key).status is Status.LOST
    assert coordinator.stdout(run.key) == b"line 1\nline 2\n"


def test_a_host_dies_while_the_agent_is_away(
    up: AgentProcess, coordinator: Coordinator, tmp_path: Path
) -> None:
    """An attempt whose host is gone when the agent returns is lost, and not started again."""
    witness = tmp_path / "witness"
    run = witnessed("AWAY", witness, 60)
    coordinator.dispatch(run)
    coordinator.until(lambda: coordinator.runs[run.key].started_us)
    host = up.host_pid("shell")
    up.kill()
    os.kill(host, signal.SIGKILL)
    up.start()
    coordinator.until_over()
    assert coordinator.outcome(run.key).status is Status.LOST
    assert "while the agent was away" in coordinator.outcome(run.key).message
    assert witness.read_text(encoding="ascii").split() == ["AWAY"]


def test_a_run_outlives_its_agent(up: AgentProcess, coordinator: Coordinator) -> None:
    """A run goes on without the agent, and the next agent reports its end and all its output."""
    run = order("LONG", lines=20, interval="20ms", run_for="600ms")
    coordinator.dispatch(run)
    coordinator.until(lambda: coordinator.stdout(run.key))
    up.kill()
    up.start()
    coordinator.until_over()
    assert coordinator.outcome(run.key).status is Status.SUCCEEDED
    assert coordinator.stdout(run.key).count(b"\n") == 20
