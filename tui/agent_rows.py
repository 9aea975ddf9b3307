"""What the table shows of agents: columns, cells and the order of rows."""

from __future__ import annotations

from typing import Final

from tocsin.instants import SECOND_US
from tocsin.model import Agent, AgentState

from .plain import one_line
from .widgets.columns import Cell, Column
from .words import span

AGENT_COLUMNS: Final = (
    Column(title="", width=1),
    Column(title="AGENT", width=12, flex=3),
    Column(title="STATE", width=9),
    Column(title="SEEN", width=7),
    Column(title="SLOTS", width=10, rank=1),
    Column(title="EXECUTORS", width=13, flex=2, rank=3),
    Column(title="VER", width=7, rank=4),
    Column(title="TAGS", width=10, flex=3, rank=2),
)
BAR_CELLS: Final = 4
_HEARD_S: Final = 30
"""Who was heard so lately is there; the seconds since then would only flicker."""
_LOOKS: Final[dict[AgentState, tuple[str, str, str]]] = {
    AgentState.PENDING: ("?", "asks", "warn"),
    AgentState.DOWN: ("✗", "DOWN", "bad"),
    AgentState.DRAINING: ("◐", "draining", "warn"),
    AgentState.CORDONED: ("‖", "cordoned", "warn"),
    AgentState.UP: ("●", "up", "good"),
    AgentState.REVOKED: ("x", "revoked", "quiet"),
}
"""Glyph, word and tone, in the order in which somebody should look at them."""
_RANK: Final = {state: rank for rank, state in enumerate(_LOOKS)}
_BUSY_GLYPH: Final = "►"


def agent_cells(agent: Agent, now_us: int) -> tuple[Cell, ...]:
    """The cells of `AGENT_COLUMNS`; `busy` of the agent counts the runs that it has."""
    glyph, word, tone = look(agent)
    executors, broken = executor_words(agent)
    return (
        Cell(glyph, tone),
        Cell(one_line(agent.name)),
        Cell(word, tone),
        Cell(seen(agent, now_us), "bad" if agent.state is AgentState.DOWN else ""),
        Cell(f"{agent.busy}/{agent.slots} {bar(agent)}" if agent.slots else "-"),
        Cell(executors, "bad" if broken else ""),
        Cell(one_line(agent.version) or "-", "quiet"),
        Cell(tag_words(agent)),
    )


def look(agent: Agent) -> tuple[str, str, str]:
    """Glyph, word and tone of an agent."""
    glyph, word, tone = _LOOKS[agent.state]
    if agent.state is AgentState.UP and agent.busy:
        return _BUSY_GLYPH, word, "busy"
    return glyph, word, tone


def seen(agent: Agent, now_us: int) -> str:
    """How long ago it was heard, or for how long it has been away."""
    at_us = agent.down_since_us or agent.last_seen_us
    if agent.state is AgentState.PENDING:
        at_us = agent.last_seen_us
    if at_us is None:
        return "never" if agent.state is AgentState.DOWN else "-"
    age_s = (now_us - at_us) / SECOND_US
    away = agent.state in {AgentState.DOWN, AgentState.REVOKED}
    return "now" if age_s < _HEARD_S and not away else span(age_s)


def bar(agent: Agent) -> str:
    """How many of its slots are taken, as a bar."""
    taken = min(agent.busy, agent.slots)
    filled = -(-taken * BAR_CELLS // agent.slots) if agent.slots else 0
    return "█" * filled + "·" * (BAR_CELLS - filled)


def executor_words(agent: Agent) -> tuple[str, bool]:
    """How many of its executors work, or which do not; and whether any does not."""
    broken = [one_line(offer.name) for offer in agent.offers if not offer.available]
    if broken:
        return f"✗ {' '.join(broken)}", True
    count = len(agent.offers) or len(agent.executors)
    return (f"{count} ok" if count else "-"), False


def tag_words(agent: Agent) -> str:
    """Its tags as they are written in a target."""
    return one_line(" ".join(f"{key}={value}" for key, value in sorted(agent.tags.items())))


def by_state(agent: Agent) -> tuple[int, float, str]:
    """Who asks to be let in first, then who is down; those that are up by how full they are."""
    load = agent.busy / agent.slots if agent.slots else 0.0
    return _RANK[agent.state], -load, agent.name


def by_load(agent: Agent) -> tuple[float, str]:
    """The fullest first."""
    return (-agent.busy / agent.slots if agent.slots else 1.0), agent.name


def by_seen(agent: Agent) -> tuple[int, str]:
    """The longest unheard first."""
    return agent.down_since_us or agent.last_seen_us or 0, agent.name
