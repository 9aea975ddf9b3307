"""A coordinator and an agent that end with their test, and the hosts that agent started."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .coordinator import Coordinator
from .process import AgentProcess


@pytest.fixture
def coordinator() -> Iterator[Coordinator]:
    """A coordinator that nobody has dialled yet."""
    made = Coordinator()
    yield made
    made.close()


@pytest.fixture
def agent(coordinator: Coordinator, tmp_path: Path) -> Iterator[AgentProcess]:
    """An agent of that coordinator, not started."""
    made = AgentProcess(coordinator, tmp_path)
    yield made
    made.end()


@pytest.fixture
def up(agent: AgentProcess, coordinator: Coordinator) -> AgentProcess:
    """That agent, with an open session."""
    agent.start()
    coordinator.until(lambda: coordinator.beats)
    return agent
