"""Requests about agents: checked, and turned into events."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tocsin.errors import RequestError
from tocsin.messages.client_link import (
    CordonAgents,
    DrainAgents,
    RevokeAgents,
    UncordonAgents,
    UndrainAgents,
)
from tocsin.model import DAY_S, Agent, AgentState
from tocsin.nearest import did_you_mean

from .gateway import ClientAsked
from .machine.events import AgentsHeld, AgentsRevoked
from .registry import Registry

REASON_MAX: Final = 1_000
"""The most characters of a reason."""
DEADLINE_S_MAX: Final = 366 * DAY_S

HoldAsk = CordonAgents | UncordonAgents | DrainAgents | UndrainAgents


def hold_agents(asked: ClientAsked, ask: HoldAsk, registry: Registry) -> AgentsHeld:
    """Agents are to take no runs, or to take them again.

    Raises:
        RequestError: there is no such agent, it was revoked, or the terms make no sense.
    """
    agents = _named(ask.names, registry.agents.values())
    for agent in agents:
        if agent.state is AgentState.REVOKED:
            raise RequestError(f"agent {agent.name} was revoked", "let it in anew to use it")
    ids = [agent.id for agent in agents]
    match ask:
        case CordonAgents():
            _check_reason(ask.reason)
            return AgentsHeld(asked.asker, asked.by, ids, AgentState.CORDONED, ask.reason)
        case DrainAgents():
            _check_reason(ask.reason)
            until_s = ask.deadline_s
            if until_s is not None and not 0 <= until_s <= DEADLINE_S_MAX:
                raise RequestError("the deadline of a drain is a span of at most a year")
            held = AgentState.DRAINING
            return AgentsHeld(asked.asker, asked.by, ids, held, ask.reason, until_s)
        case UncordonAgents() | UndrainAgents():
            return AgentsHeld(asked.asker, asked.by, ids, None)


def revoke_agents(asked: ClientAsked, ask: RevokeAgents, registry: Registry) -> AgentsRevoked:
    """Agents are to be struck off; their keys count for nothing from this moment on.

    Raises:
        RequestError: there is no such agent.
    """
    agents = _named(ask.names, registry.agents.values())
    _check_reason(ask.reason)
    for agent in agents:
        registry.strike_off(agent)
    ids = [agent.id for agent in agents]
    return AgentsRevoked(asked.asker, asked.by, ids, ask.reason, ask.lost_now)


def _named(names: Iterable[str], agents: Iterable[Agent]) -> list[Agent]:
    known = {agent.name: agent for agent in agents}
    found = []
    for name in dict.fromkeys(names):
        if name not in known:
            hint = did_you_mean(name, known)
            raise RequestError(f"there is no agent {name}", hint or "see: tocsin agent list")
        found.append(known[name])
    if not found:
        raise RequestError("no agent is named")
    return found


def _check_reason(reason: str) -> None:
    if len(reason) > REASON_MAX:
        raise RequestError(f"a reason has at most {REASON_MAX} characters")
