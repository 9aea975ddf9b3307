"""What can be done to agents."""

from __future__ import annotations

import shlex
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
from tocsin.model import AgentState, Role, Run
from tocsin.tui.plain import one_line
from tocsin.tui.words import listed, run_tail

from .action import Action, Noun, Place, Situation

_AGENTS: Final = frozenset({Place.AGENTS})


def _needs_agent(at: Situation) -> str:
    if at.offline or not at.agents:
        return at.offline or "there is no agent here"
    states = {agent.state for agent in at.agents}
    if AgentState.PENDING in states:
        return "it waits to be let in: a accepts it"
    return "it was revoked" if AgentState.REVOKED in states else ""


def _pending(at: Situation) -> bool:
    return at.agent is not None and at.agent.state is AgentState.PENDING


def _acceptable(at: Situation) -> str:
    if len(at.agents) > 1:
        return "one at a time, as each fingerprint is to be compared"
    return at.offline


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


def _busy(runs: tuple[Run, ...]) -> str:
    match len(runs):
        case 0:
            return "no run is under way there"
        case 1:
            return f"the run of {one_line(runs[0].job)} that it has goes on to its end"
        case count:
            return f"the {count} runs that it has go on to their ends"


def _alone(at: Situation) -> str:
    """What follows for the jobs that nobody else could run."""
    if not at.alone:
        return "Every job that it may run has another agent that is up."
    return (
        f"No other agent that is up can run {listed('job', at.alone)}:\n"
        "their due times get records that say so."
    )


def _hold_question(verb: str, at: Situation) -> str:
    return (
        f"{verb} {listed('agent', _names(at))}?\n\n"
        f"No new run is given to it; {_busy(at.runs)}.\n"
        f"{_alone(at)}\nU takes it back."
    )


def _revoke_question(at: Situation) -> str:
    runs = listed("run", [f"{run.job} {run_tail(run.id)}" for run in at.runs])
    lost = f"What it runs is lost ten minutes later: {runs}." if runs else "It runs nothing now."
    return (
        f"Revoke {listed('agent', _names(at))}, for good?\n\n"
        f"Its key counts for nothing any more, at once.\n{lost}\n"
        f"{_alone(at)}\nThe host can only join anew; this cannot be undone."
    )


def _reason_option(at: Situation) -> str:
    return f"--reason {shlex.quote(at.text)}" if at.text else ""


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
        id="agent",
        key="enter",
        name="all of it",
        help="give what is known of the agent the whole screen, and back",
        places=_AGENTS,
        takes=Noun.AGENT,
        blocked=lambda at: "" if at.agents else "there is no agent here",
        command="tocsin agent show AGENT",
    ),
    Action(
        id="accept",
        key="a",
        name="accept",
        help="let in the host that waits; asks first and shows its fingerprint",
        places=_AGENTS,
        takes=Noun.AGENT,
        needs=Role.ADMIN,
        shown=_pending,
        blocked=_acceptable,
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
        question=lambda at: _hold_question("Drain", at),
        command="tocsin agent drain AGENT",
    ),
    Action(
        id="drain_because",
        key="P",
        name="drain, why",
        help="drain it, with a reason that its records then tell",
        places=_AGENTS,
        takes=Noun.AGENT,
        needs=Role.OPERATOR,
        shown=lambda at: not _held(at) and not _pending(at),
        blocked=_needs_agent,
        ask=lambda at: DrainAgents(_free(at), at.text),
        undo=_free_again,
        prompt="drain it because:",
        question=lambda at: _hold_question("Drain", at),
        command="tocsin agent drain AGENT",
        options=_reason_option,
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
        question=lambda at: _hold_question("Cordon", at),
        command="tocsin agent cordon AGENT",
    ),
    Action(
        id="cordon_because",
        key="C",
        name="cordon, why",
        help="cordon it, with a reason that its records then tell",
        places=_AGENTS,
        takes=Noun.AGENT,
        needs=Role.OPERATOR,
        shown=lambda at: not _held(at) and not _pending(at),
        blocked=_needs_agent,
        ask=lambda at: CordonAgents(_free(at), at.text),
        undo=_free_again,
        prompt="cordon it because:",
        question=lambda at: _hold_question("Cordon", at),
        command="tocsin agent cordon AGENT",
        options=_reason_option,
    ),
    Action(
        id="uncordon",
        key="c",
        name="give runs again",
        help="give it runs again, as d does",
        places=_AGENTS,
        takes=Noun.AGENT,
        needs=Role.OPERATOR,
        shown=_held,
        blocked=_needs_agent,
        ask=lambda at: UncordonAgents(_names(at)),
        undo=_hold_again,
        command="tocsin agent uncordon AGENT",
    ),
    Action(
        id="runs_there",
        key="o",
        name="its runs",
        help="list the runs of this agent",
        places=_AGENTS,
        takes=Noun.AGENT,
        blocked=lambda at: "" if at.agents else "there is no agent here",
    ),
    Action(
        id="revoke",
        key="X",
        name="revoke",
        help="strike the agent off, for good; asks first",
        places=_AGENTS,
        takes=Noun.AGENT,
        needs=Role.ADMIN,
        blocked=_needs_agent,
        ask=lambda at: RevokeAgents(_names(at)),
        question=_revoke_question,
        command="tocsin agent revoke AGENT",
    ),
)
