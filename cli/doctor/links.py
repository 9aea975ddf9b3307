"""Links: whether the coordinator answers this host's agent and commands, and what it says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from tocsin import __version__, clock
from tocsin.agent.config import AgentConfig
from tocsin.config import Context
from tocsin.errors import TocsinError
from tocsin.instants import SECOND_US
from tocsin.messages.client_answers import AgentsPage, Status
from tocsin.messages.client_link import GetStatus, ListAgents
from tocsin.model import Agent, AgentState
from tocsin.units import format_duration

from .finding import Finding, Findings, fault, fine, warning
from .here import Side

if TYPE_CHECKING:
    from tocsin.keys import KeyPair

ANSWER_S: Final = 5.0
SKEW_US: Final = 5 * SECOND_US
"""A clock that is off by more is worth a word."""
SKEW_US_MAX: Final = 60 * SECOND_US
"""And by more than this, due times are not kept."""
NAMES_SHOWN: Final = 5


def check_agent_link(side: Side) -> Findings:
    """The coordinator lets this host's agent in."""
    config = side.config
    if not isinstance(config, AgentConfig):
        return
    from tocsin.keys import read_keypair

    check = f"{side.title} link"
    try:
        own = read_keypair(config.key_file)
        why = why_not_admitted(config.endpoint, own, config.server_key)
    except TocsinError as error:
        yield fault(check, error.message, error.hint)
        return
    if why is None:
        yield fine(check, f"{config.endpoint} lets this host's agent in")
    else:
        yield fault(check, *why)


def why_not_admitted(endpoint: str, own: KeyPair, server_key: str) -> tuple[str, str] | None:
    """Why a coordinator does not let a key in, and what to do about it; None when it does.

    Raises:
        TocsinError: endpoint or key cannot be understood.
    """
    from tocsin import wire
    from tocsin.link import Dialer, Hub, Waiter
    from tocsin.session import probe

    hub, waiter = Hub(), Waiter()
    try:
        dialer = Dialer(hub, endpoint, own, server_key, bytes_max=wire.FRAME_BYTES_MAX)
        waiter.add(dialer)
        until_us = _steady_us() + round(ANSWER_S * SECOND_US)
        while not (dialer.connected or dialer.refused or dialer.failure):
            if _steady_us() >= until_us:
                break
            waiter.wait(until_steady_us=until_us)
        if dialer.connected:
            return None
        if dialer.refused:
            said = f"{endpoint} does not know this agent's key: it was revoked, or never let in"
            return said, "let this host in anew: tocsin agent token, there; tocsin agent join, here"
        closed = probe(endpoint)
        if closed:
            said = f"{endpoint}: {closed}"
            return said, "check that the coordinator runs, and that no firewall is between"
        said = f"what listens on {endpoint} has another key than {server_key[:16]}…"
        return said, "if the coordinator was set up anew, join again; else check endpoint"
    finally:
        hub.close()


def check_coordinator(context: Context, ours: Sequence[str], host: str) -> Findings:
    """It answers, its clock is ours, its store can be written, its agents are well.

    Args:
        context: how commands here reach it.
        ours: public keys of this host's agent.
        host: the name of this host.
    """
    from tocsin.session import Session

    try:
        with Session(context) as session:
            before_us = clock.now_us()
            status = session.answer(Status, GetStatus(), ANSWER_S)
            after_us = clock.now_us()
            agents = session.answer(AgentsPage, ListAgents(), ANSWER_S).rows
    except TocsinError as error:
        yield fault("coordinator", error.message, error.hint)
        return
    yield fine("coordinator", f"{context.endpoint} answers, as {status.you or 'nobody'}")
    yield judge_skew(status.now_us, before_us, after_us)
    yield judge_store(status.store)
    yield judge_versions(__version__, status.version, agents)
    mine = [agent for agent in agents if agent.key in ours]
    looked_at = mine if ours else [it for it in agents if it.state is not AgentState.REVOKED]
    yield from judge_identity(mine, host)
    yield from judge_agents(looked_at)
    yield from judge_executors(looked_at)


def judge_skew(theirs_us: int, before_us: int, after_us: int) -> Finding:
    """How far the coordinator's clock is from ours, which was read before and after."""
    off_us = theirs_us - min(max(theirs_us, before_us), after_us)
    far = format_duration(abs(off_us) / SECOND_US)
    way = "ahead of" if off_us > 0 else "behind"
    said = f"the coordinator's clock is {far} {way} this host's"
    mend = (
        "set the clock that is wrong: timedatectl set-ntp true, and see timedatectl timesync-status"
    )
    if abs(off_us) > SKEW_US_MAX:
        return fault("clock", said, mend)
    if abs(off_us) > SKEW_US:
        return warning("clock", said, mend)
    return fine("clock", "the same as the coordinator's")


def judge_store(said: str) -> Finding:
    """Whether its store can be written."""
    if said == "ok":
        return fine("store", "can be written")
    mend = "on its host: check space and owner of its data, and its log; nothing is lost meanwhile"
    return fault("store", f"the coordinator cannot write: {said}", mend)


def judge_versions(own: str, theirs: str, agents: Sequence[Agent]) -> Finding:
    """Whether all are of the same version."""
    if own != theirs:
        said = f"this is tocsin {own}, the coordinator is {theirs}"
        return warning("versions", said, "upgrade the older one, the coordinator first")
    others = {
        agent.name: agent.version
        for agent in agents
        if agent.state not in {AgentState.REVOKED, AgentState.PENDING} and agent.version
        and agent.version != theirs
    }  # fmt: skip
    if others:
        said = f"the coordinator is {theirs}; {_names([f'{n} is {v}' for n, v in others.items()])}"
        return warning("versions", said, "upgrade these hosts, or restart their agents")
    return fine("versions", f"all are {own}")


_ABSENT: Final = {
    AgentState.PENDING: (
        warning, "not let in yet", "tocsin agent list, then: tocsin agent accept FINGERPRINT"
    ),
    AgentState.REVOKED: (fault, "struck off", "let them in anew: tocsin agent token"),
    AgentState.DOWN: (fault, "not connected", "on their hosts: tocsin doctor"),
}  # fmt: skip


def judge_agents(agents: Sequence[Agent]) -> Findings:
    """Whether agents are there."""
    for state, (judge, said, mend) in _ABSENT.items():
        names = [agent.name for agent in agents if agent.state is state]
        if names:
            yield judge("agents", f"{_names(names)}: {said}", mend)
    up = sum(agent.state not in _ABSENT for agent in agents)
    yield fine("agents", f"{up} of {len(agents)} connected")


def judge_identity(mine: Sequence[Agent], host: str) -> Findings:
    """Whether it is this host that is connected with the key of this host's agent."""
    for agent in mine:
        elsewhere = agent.tags.get("host", host)
        if agent.state not in _ABSENT and elsewhere != host:
            said = f"{elsewhere} is connected as {agent.name}, with the key that this host has too"
            mend = "one of them is a copy: let that one in anew, see tocsin doctor there"
            yield fault("machine", said, mend)


def judge_executors(agents: Sequence[Agent]) -> Findings:
    """Whether executors of agents that are up do not work."""
    broken: dict[tuple[str, str], list[str]] = {}
    for agent in agents:
        for offer in agent.offers:
            if not offer.available and agent.state is not AgentState.DOWN:
                broken.setdefault((offer.name, offer.message), []).append(agent.name)
    for (name, message), hosts in broken.items():
        mend = f"install what it needs, or switch it off: [executor.{name}] enabled = false"
        yield warning("executors", f"{name} does not work on {_names(hosts)}: {message}", mend)
    if not broken:
        yield fine("executors", "all work")


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + more


def _steady_us() -> int:
    return int(clock.monotonic_s() * SECOND_US)
