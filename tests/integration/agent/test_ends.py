"""How an agent process ends, and what it leaves."""

from __future__ import annotations

import os
import signal

import pytest

from tocsin.execution import Status

from .coordinator import Coordinator, order
from .process import AgentProcess


def test_it_ends_in_good_order(up: AgentProcess, coordinator: Coordinator) -> None:
    """SIGTERM waits for runs, says goodbye twice, and lets the hosts end."""
    run = order("LAST", run_for=0.5)
    coordinator.dispatch(run)
    coordinator.until(lambda: coordinator.runs[run.key].started_us)
    up.signal(signal.SIGTERM)
    assert up.await_exit() == 0
    coordinator.until(lambda: len(coordinator.byes) == 2)
    assert [bye.final for bye in coordinator.byes] == [False, True]
    assert coordinator.outcome(run.key).status is Status.SUCCEEDED
    coordinator.until(lambda: not (up.config.run_dir / "scripted.sock").exists())


@pytest.mark.parametrize(("signals", "code"), [(1, 0), (2, 1)])
def test_what_takes_longer_goes_on(
    agent: AgentProcess, coordinator: Coordinator, signals: int, code: int
) -> None:
    """A run that outlasts the wait, or a second signal, is found again by the next agent."""
    agent.start(drain_s=0.2 if signals == 1 else 60.0)
    coordinator.until(lambda: coordinator.beats)
    run = order("LONG", run_for=1.5, lines=1)
    coordinator.dispatch(run)
    coordinator.until(lambda: coordinator.runs[run.key].started_us)
    for sent in range(signals):
        agent.signal(signal.SIGINT)
        if sent == 0:
            coordinator.until(lambda: coordinator.byes)
    assert agent.await_exit() == code
    assert run.key in coordinator.open
    agent.start()
    coordinator.until_over()
    assert coordinator.outcome(run.key).status is Status.SUCCEEDED
    assert len({hello.spool for hello in coordinator.hellos}) == 1


def test_it_ends_without_a_coordinator(agent: AgentProcess, coordinator: Coordinator) -> None:
    """Nothing is waited for when nothing runs."""
    coordinator.close()
    agent.start()
    agent.await_log("agent.started")
    agent.signal(signal.SIGTERM)
    assert os.waitstatus_to_exitcode(os.waitpid(agent.pid, 0)[1]) == 0
    agent.pid = 0
    assert "agent.ended" in agent.log


def test_a_second_agent_is_kept_away(up: AgentProcess, coordinator: Coordinator) -> None:
    """On the same directory it ends with a message that names the first."""
    first = up.pid
    up.start()
    assert up.await_exit() == 2
    assert f"an agent with pid {first}" in up.log
    up.pid = first
    assert coordinator.hellos[0].session == coordinator.session
