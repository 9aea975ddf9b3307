"""What an agent does with its orders when nothing goes wrong."""

from __future__ import annotations

import os
import signal

import pytest

from tocsin.execution import Status

from .coordinator import Coordinator, order
from .process import AgentProcess


@pytest.mark.usefixtures("up")
def test_it_runs_what_it_is_given(coordinator: Coordinator) -> None:
    """Orders are run, and their ends and output reported."""
    good = order("GOOD", lines=3)
    bad = order("BAD", exit_code=4)
    shell = order("SHELL", "shell", command="echo out; echo err >&2; exit 3")
    coordinator.dispatch(good, bad, shell)
    coordinator.until_over()
    assert coordinator.outcome(good.key).status is Status.SUCCEEDED
    assert coordinator.stdout(good.key) == b"line 1\nline 2\nline 3\n"
    assert coordinator.outcome(bad.key).exit_code == 4
    assert coordinator.outcome(shell.key).exit_code == 3
    assert [bytes(stream) for stream in coordinator.runs[shell.key].output] == [b"out\n", b"err\n"]


@pytest.mark.usefixtures("up")
def test_it_says_who_it_is(coordinator: Coordinator) -> None:
    """The hello carries tags, slots and executors, and no attempts at first."""
    hello = coordinator.hellos[0]
    assert hello.slots == 1000
    assert {"scripted", "shell"} <= set(hello.executors)
    assert {"host", "os", "arch"} <= set(hello.tags)
    assert hello.attempts == []


def test_an_executor_that_does_not_load_is_refused(
    agent: AgentProcess, coordinator: Coordinator
) -> None:
    """The reason is what its host complained of; other executors go on."""
    agent.start(executors=["scripted", "nothing"])
    coordinator.until(lambda: coordinator.beats)
    bad, good = order("BAD", "nothing"), order("GOOD")
    coordinator.dispatch(bad, good)
    coordinator.until_over()
    assert coordinator.outcome(bad.key).status is Status.REFUSED
    assert "no executor is called 'nothing'" in coordinator.outcome(bad.key).message
    assert coordinator.outcome(good.key).status is Status.SUCCEEDED


def test_a_host_that_is_stuck_holds_up_its_own_runs_only(
    up: AgentProcess, coordinator: Coordinator
) -> None:
    """Heartbeats and other executors go on, and nothing is lost when it moves again."""
    first = order("FIRST")
    coordinator.dispatch(first)
    coordinator.until_over()
    host = up.host_pid("scripted")
    os.kill(host, signal.SIGSTOP)
    stuck = [order(f"STUCK{n}", line="x" * 10_000) for n in range(240)]
    other = order("OTHER", "shell", command="true")
    for n in range(0, 240, 80):
        coordinator.dispatch(*stuck[n : n + 80])
    coordinator.dispatch(other)
    coordinator.until(lambda: other.key not in coordinator.open)
    beats = coordinator.beats
    coordinator.until(lambda: coordinator.beats >= beats + 2)
    assert len(coordinator.open) == 240
    os.kill(host, signal.SIGCONT)
    coordinator.until_over()
    assert {coordinator.outcome(run.key).status for run in stuck} == {Status.SUCCEEDED}
