"""Which agents a run could go to at this moment and, in words, why it cannot go to the others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from tocsin.instants import Now, to_rfc3339
from tocsin.model import Agent, AgentState, Job, SkipReason
from tocsin.targeting import PIN, Demand, demand_of, has_tags

from . import pauses
from .fires import Barred
from .state import State

HOSTS_MAX: Final = 20
"""The most hosts that a record names; the others are counted."""


class Verdict(NamedTuple):
    """Whether one agent could take a run at this moment; `why` goes on after "it is"."""

    agent: str
    fits: bool
    why: str


def verdicts(state: State, demand: Demand, now: Now) -> list[Verdict]:
    """What is to be said of each agent, by name; those that were revoked come last."""
    agents = sorted(
        state.fleet.known.values(), key=lambda a: (a.state is AgentState.REVOKED, a.name)
    )
    pin = dict(demand[1]).get(PIN)
    if pin is not None:
        agents = [agent for agent in agents if agent.id in pin]
    return [_verdict(state, agent, demand, now) for agent in agents]


def _verdict(state: State, agent: Agent, demand: Demand, now: Now) -> Verdict:
    why = _mismatch(agent, demand)
    if not why:
        hindrance = _hindrance(state, agent, demand[0], now)
        why = hindrance.why if hindrance is not None else ""
    session = state.sessions.get(agent.id)
    if why:
        return Verdict(agent.name, fits=False, why=why)
    if session is None:
        return Verdict(agent.name, fits=False, why="away for a moment, and expected back")
    if session.draining:
        return Verdict(agent.name, fits=False, why="about to end")
    slots = session.agent.slots
    if session.free <= 0:
        return Verdict(agent.name, fits=False, why=f"busy: all {slots} slots are taken")
    why = f"free: {session.busy} of {slots} slots are taken"
    return Verdict(agent.name, fits=True, why=why)


def _mismatch(agent: Agent, demand: Demand) -> str:
    """Why an agent is not one of those that are asked for; '' when it is."""
    if agent.state is AgentState.REVOKED:
        return _with_reason("revoked", agent.reason)
    executor, tags = demand
    for key, globs in tags:
        if not has_tags(agent, (executor, ((key, globs),))):
            wanted = " or ".join(f'"{glob}"' for glob in globs)
            if key == "name":
                return f"not named {wanted}"
            value = agent.tags.get(key)
            if value is None:
                return f"not tagged {key}={wanted}"
            return f'tagged {key}="{value}", not {wanted}'
    able = executor in agent.executors or _broken(agent, executor) is not None
    return f"without executor {executor}" if _was_seen(agent) and not able else ""


def _broken(agent: Agent, executor: str) -> str | None:
    """Why an executor that an agent has cannot run anything there; None: it has none such."""
    for offer in agent.offers:
        if offer.name == executor and not offer.available:
            return offer.message
    return None


def _was_seen(agent: Agent) -> bool:
    """Whether it ever said what it offers."""
    return agent.last_seen_us is not None


def is_meant(agent: Agent, demand: Demand) -> bool:
    """Whether an agent is one of those that are asked for, whatever its state at this moment."""
    return not _mismatch(agent, demand)


class _Hindrance(NamedTuple):
    """Why an agent that is asked for gets no runs."""

    reason: SkipReason
    why: str
    facts: dict[str, Any] | None = None


def _hindrance(state: State, agent: Agent, executor: str, now: Now) -> _Hindrance | None:
    if agent.held is not None:
        return _Hindrance(SkipReason.NO_AGENT, _with_reason(agent.held, agent.reason))
    pause = pauses.of_agent(state, agent, now.wall_us)
    if pause is not None:
        barred = pauses.barred_by(pause)
        return _Hindrance(barred.reason, _with_reason("paused", pause.reason), barred.facts)
    broken = _broken(agent, executor)
    if broken is not None:
        why = _with_reason(f"without a working executor {executor}", broken)
        return _Hindrance(SkipReason.NO_AGENT, why)
    if agent.id in state.sessions or state.fleet.away.get(agent.id, now.steady_us) > now.steady_us:
        return None
    if agent.down_since_us is not None:
        return _Hindrance(SkipReason.NO_AGENT, f"down since {to_rfc3339(agent.down_since_us)}")
    if not _was_seen(agent):
        return _Hindrance(SkipReason.NO_AGENT, "down: it has never connected")
    return _Hindrance(SkipReason.NO_AGENT, "down")


def barred(state: State, agent: Agent, executor: str, now: Now) -> Barred | None:
    """Why one of the agents that are asked for gets no run of this fire; None: it does.

    An agent that went away a moment ago, or was there when the last coordinator ended, is waited
    for.
    """
    if agent.state is AgentState.REVOKED:
        hindrance = _Hindrance(SkipReason.NO_AGENT, _with_reason("revoked", agent.reason))
    else:
        found = _hindrance(state, agent, executor, now)
        if found is None:
            return None
        hindrance = found
    facts = hindrance.facts or {"because": f"host {agent.name} is {hindrance.why}"}
    return Barred(hindrance.reason, facts)


def all_paused(state: State, job: Job, now: Now) -> Barred | None:
    """That the agents of a job are paused, when but for that one of them could be had."""
    if not pauses.of_some_agents(state):
        return None
    demand, found = demand_of(job), None
    for agent in state.fleet.known.values():
        if is_meant(agent, demand):
            hindrance = barred(state, agent, job.executor, now)
            if hindrance is None:
                return None
            if hindrance.reason is SkipReason.PAUSED:
                found = hindrance
    return found


def _with_reason(what: str, reason: str) -> str:
    return f"{what}: {reason}" if reason else what


def hosts_in_words(found: Iterable[Verdict]) -> dict[str, Any]:
    """What a record says of the agents that did not take its run, as keys of its facts."""
    unfit = [verdict for verdict in found if not verdict.fits]
    words: dict[str, Any] = {"hosts": {v.agent: v.why for v in unfit[:HOSTS_MAX]}}
    if len(unfit) > HOSTS_MAX:
        words["more_hosts"] = len(unfit) - HOSTS_MAX
    return words
