"""What can be done to agents."""

from __future__ import annotations

from typing import Final

from tocsin.messages.client_link import (
    AcceptAgent,
    Ask,
    CordonAgents,
    DrainAgents,
    RevokeAgents,
    UncordonAgents,
    UndrainAgents,
)
from tocsin.messages.enrolment import fingerprint
from tocsin.model import Agent, AgentState, Role
from tocsin.tui.plain import one_line
from tocsin.tui.words import listed

from .action import Action, Noun, Place, Situation

_AGENTS: Final = frozenset({Place.AGENTS})


def _needs_agent(at: Situation) -> str:
    if at.offline or not at.agents:
        return at.offline or "there is no agent here"
    if _pending(at):
        return "it waits to be let in: a accepts it"
    return "it was revoked" if at.agents[0].state is AgentState.REVOKED else ""


def _pending(at: Situation) -> bool:
    return at.agent is not None and at.agent.state is AgentState.PENDING


def _held(at: Situation) -> bool:
    return bool(at.agents) and all(agent.held is not None for agent in at.agents)


def _names(at: Situation) -> list[str]:
    return [agent.name for agent in at.agents]


def _free(at: Situation) -> list[str]:
    return [agent.name for agent in at.agents if agent.held is None]


def _hold_again(at: Situation) -> Ask | None:
    """What held several agents may differ, and one question can tell only of one."""
    kinds = {(agent.held, agent.reason) for agent in at.agents}
    if len(kinds) != 1:
        return None
    held, reason = kinds.pop()
    if held is AgentState.DRAINING:
        return DrainAgents(_names(at), reason)
    return CordonAgents(_names(at), reason) if held is AgentState.CORDONED else None


def _free_again(at: Situation) -> Ask | None:
    names = _free(at)
    return UncordonAgents(names) if names else None


def _busy(agents: tuple[Agent, ...]) -> str:
    busy = sum(agent.busy for agent in agents)
    return f"{busy} runs under way there" if busy != 1 else "the run under way there"


def _drain_question(at: Situation) -> str:
    return (
        f"Drain {listed('agent', _names(at))}?\n\n"
        f"No new run is given to it, and {_busy(at.agents)} may come to an end.\n"
        "Jobs that only it can run get records that say so. U takes it back."
    )


def _revoke_question(at: Situation) -> str:
    return (
        f"Revoke {listed('agent', _names(at))}, for good?\n\n"
        f"Its key counts for nothing any more, at once; {_busy(at.agents)} is lost\n"
        "when it has been away for long enough. The host can only join anew."
    )


def _accept(at: Situation) -> Ask:
    assert at.agent is not None, "looked at before"
    return AcceptAgent(fingerprint(at.agent.key))


def _accept_question(at: Situation) -> str:
    agent = at.agent
    if agent is None:
        return ""
    return (
        f"Let in the host that calls itself {one_line(agent.name)}?\n\n"
        f"Its fingerprint must be: {fingerprint(agent.key)}\n"
        "Whoever holds that key is given runs, with what is in them."
    )


AGENTS: Final = (
    Action(
        id="accept",
        key="a",
        name="accept",
        help="let in the host that waits; asks first and shows its fingerprint",
        places=_AGENTS,
        takes=Noun.AGENT,
        needs=Role.ADMIN,
        shown=_pending,
        blocked=lambda at: at.offline,
        ask=_accept,
        question=_accept_question,
        command="tocsin agent accept FINGERPRINT",
    ),
    Action(
        id="drain",
        key="d",
        name="drain",
        help="give it no more runs and let it come to rest",
        places=_AGENTS,
        takes=Noun.AGENT,
        needs=Role.OPERATOR,
        shown=lambda at: not _held(at),
        blocked=_needs_agent,
        ask=lambda at: DrainAgents(_free(at)),
        undo=_free_again,
        question=_drain_question,
        command="tocsin agent drain AGENT",
    ),
    Action(
        id="undrain",
        key="d",
        name="give runs again",
        help="give it runs again, whether it was drained or cordoned",
        places=_AGENTS,
        takes=Noun.AGENT,
        needs=Role.OPERATOR,
        shown=_held,
        blocked=_needs_agent,
        ask=lambda at: UndrainAgents(_names(at)),
        undo=_hold_again,
        command="tocsin agent undrain AGENT",
    ),
    Action(
        id="cordon",
        key="c",
        name="cordon",
        help="give it no more runs; what it has goes on",
        places=_AGENTS,
        takes=Noun.AGENT,
        needs=Role.OPERATOR,
        shown=lambda at: not _held(at),
        blocked=_needs_agent,
        ask=lambda at: CordonAgents(_free(at)),
        undo=_free_again,
        command="tocsin agent cordon AGENT",
    ),
    Action(
        id="revoke",
        key="X",
        name="revoke",
        help="strike the agent off, for good; asks first",
        places=_AGENTS,
        takes=Noun.AGENT,
        needs=Role.ADMIN,
        blocked=lambda at: "" if _pending(at) and not at.offline else _needs_agent(at),
        ask=lambda at: RevokeAgents(_names(at)),
        question=_revoke_question,
        command="tocsin agent revoke AGENT",
    ),
)
