"""What agents offer: an executor that does not work on a host takes no runs there."""

from __future__ import annotations

from msgspec.structs import replace

from tocsin.execution import OFFERS_MAX
from tocsin.instants import Now

from . import agents
from .events import AgentOffers
from .state import State


def on_offers(state: State, event: AgentOffers, now: Now) -> None:
    """Take over what an agent says of its executors; runs that waited for one may go now."""
    session = agents.session_of(state, event.agent_id, event.session, now)
    if session is None:
        return
    offers = event.offers[:OFFERS_MAX]
    able = [offer.name for offer in offers if offer.available]
    agent = replace(session.agent, offers=offers, executors=able)
    if agent == session.agent:
        return
    if able != session.agent.executors:
        state.candidates.clear()
        state.waiting.stirred[event.agent_id] = None
    session.agent = agent
    state.keep_agent(replace(agent, busy=session.busy))
