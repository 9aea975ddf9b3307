"""Lines of the overview that must fit."""

from __future__ import annotations

import pytest

from tests.tui.fleet import agent
from tocsin.model import AgentState
from tocsin.tui.durations import Hour
from tocsin.tui.overview import fleet_lines, hour_lines
from tocsin.tui.widgets.columns import Cell


def text(line: tuple[Cell, ...]) -> str:
    """A line without its colours."""
    return "".join(cell.text for cell in line)


@pytest.mark.parametrize("width", [36, 42, 48, 60, 84])
def test_counts_keep_apart_and_stay_in_their_pane(width: int) -> None:
    """Less room is less space between them; only what has no room at all is cut, with a mark."""
    hour = Hour(ok=1860, failed=12, skipped=10)
    line = text(hour_lines(hour, width)[0])
    assert len(line) < width
    assert "runs 1872 " in line
    assert line.endswith("skipped 10") or (width < 48 and line.endswith("…"))


def test_the_fleet_keeps_to_its_pane() -> None:
    """As above."""
    states = [AgentState.UP, AgentState.DOWN, AgentState.PENDING]
    agents = {str(number): agent(str(number), state) for number, state in enumerate(states)}
    assert text(fleet_lines(agents, 0, 32)[1][1]) == " ● 1 up ✗ 1 down ? 1 to accept"
    assert text(fleet_lines(agents, 0, 60)[1][1]) == " ● 1 up   ✗ 1 down   ? 1 to accept"
