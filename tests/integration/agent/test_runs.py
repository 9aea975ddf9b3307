"""What an agent does with its orders when nothing goes wrong."""

from __future__ import annotations

import pytest

from tocsin.execution import Status

from .coordinator import Coordinator, order


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
