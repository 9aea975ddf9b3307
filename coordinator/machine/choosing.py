"""Which of the agents that may take a run gets it, and why, in words for its record."""

from __future__ import annotations

from typing import Final, NamedTuple

from tocsin.model import Choose

from .fanout import rank_at_home
from .state import Active, Session, State

WINDOW: Final = 64
"""Among more candidates than this, a rotating window is compared: a choice has a bounded cost."""
_NAMED_MAX: Final = 3


class Choice(NamedTuple):
    """An agent, and why it is this one."""

    session: Session
    why: str


def choose(state: State, active: Active, agents: list[str]) -> Choice | None:
    """The agent for a run, by its job's rule; None when none has a free slot."""
    if not agents:
        return None
    if active.run.pin:
        session = state.sessions[agents[0]]
        return Choice(session, active.run.placed) if session.free > 0 else None
    choice = _by_rule(state, active, agents)
    if choice is None or not active.avoid:
        return choice
    session, why = choice
    return Choice(session, why + _failures(state, active, session.agent.id))


def _by_rule(state: State, active: Active, agents: list[str]) -> Choice | None:
    rule, count = active.job.target.choose, len(agents)
    if rule is Choose.STICKY:
        return _home(state, active, agents)
    state.turn += 1
    looked_at = _window(state, agents)
    free = [session for session in looked_at if session.free > 0]
    avoid = active.avoid
    others = ([s for s in free if s.agent.id not in avoid] or free) if avoid else free
    if not others:
        return None
    if count == 1:
        return Choice(others[0], "the only host that may take it")
    if len(free) == 1:
        return Choice(others[0], f"the only one with a free slot of {len(looked_at)}")
    if rule is Choose.RANDOM:
        return Choice(others[state.chance.randrange(len(others))], f"random of {len(others)}")
    least = min(others, key=_load)
    taken = f"{least.busy} of {least.agent.slots} slots taken"
    return Choice(least, f"least busy of {len(looked_at)}: {taken}")


def _home(state: State, active: Active, agents: list[str]) -> Choice | None:
    name = active.job.name
    some = [agent_id for agent_id in agents if agent_id not in active.avoid] or agents
    home = max(some, key=lambda agent_id: (rank_at_home(name, agent_id), agent_id))
    session = state.sessions[home]
    if session.free <= 0:
        return None
    return Choice(session, "sticky: its home" + (f" of {len(some)}" if len(some) > 1 else ""))


def _failures(state: State, active: Active, agent_id: str) -> str:
    """What is to be said of the agents on which it failed."""
    if agent_id in active.avoid:
        return "; it failed there before"
    known = state.fleet.known
    names = [known[i].name for i in active.avoid if i in known]
    more = f" and {len(names) - _NAMED_MAX} more" if len(names) > _NAMED_MAX else ""
    return f"; it failed on {', '.join(names[:_NAMED_MAX])}{more}"


def _load(session: Session) -> float:
    return session.busy / session.agent.slots


def _window(state: State, agents: list[str]) -> list[Session]:
    if len(agents) <= WINDOW:
        return [state.sessions[agent_id] for agent_id in agents]
    first = state.turn * WINDOW % len(agents)
    some = (agents + agents[:WINDOW])[first : first + WINDOW]
    window = [state.sessions[agent_id] for agent_id in some]
    if any(session.free > 0 for session in window):
        return window
    return [state.sessions[agent_id] for agent_id in agents]
