"""The coordinator in one line."""

from __future__ import annotations

from datetime import UTC

from msgspec.structs import replace

from tests.unit.cli.test_shapes import RUN
from tocsin.coordinator.summary import in_one_line
from tocsin.instants import SECOND_US
from tocsin.model import Agent, AgentState, RunState


def test_agents_runs_and_what_is_due() -> None:
    """Those that were struck off do not count; queued runs are told apart."""
    states = [AgentState.UP, AgentState.UP, AgentState.DOWN, AgentState.REVOKED]
    agents = [Agent(id=str(n), key="k", name="n", state=state) for n, state in enumerate(states)]
    runs = [replace(RUN, state=state) for state in (RunState.RUNNING, RunState.QUEUED)]
    due_us = 1_767_225_600 * SECOND_US
    assert in_one_line(agents, runs, due_us, "", UTC) == (
        "2 of 3 agents up, 1 running, 1 queued, next due 2026-01-01 00:00:00"
    )
    assert in_one_line([], [], None, "disk full", UTC) == (
        "the store cannot be written (disk full), 0 of 0 agents up, 0 running, nothing due"
    )
