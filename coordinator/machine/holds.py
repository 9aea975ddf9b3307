"""What people order of agents: to take no runs, to come to rest, to be struck off.

An order is of the agent, not of its session: it holds through restarts of both sides until it is
taken back. Being revoked is never taken back; a host that joins again is let in anew.
"""

from __future__ import annotations

from msgspec.structs import replace

from tocsin.instants import SECOND_US, Now
from tocsin.messages.agent_link import Rejected
from tocsin.messages.client_answers import Done
from tocsin.model import Agent, AgentState, RunState

from . import runs
from .commands import Reply
from .eligibility import barred
from .ending import bar, finish_queued
from .events import AgentsHeld, AgentsRevoked
from .state import State
from .transitions import Cause

GONE = "its agent was revoked"


def restore(state: State, agent: Agent, now: Now) -> None:
    """Take up when a draining agent is to be at rest."""
    if agent.held is AgentState.DRAINING and agent.drain_until_us is not None:
        left_us = max(agent.drain_until_us - now.wall_us, 0)
        state.fleet.drains[agent.id] = now.steady_us + left_us


def on_held(state: State, event: AgentsHeld, now: Now) -> None:
    """Have agents take no runs, or take them again."""
    until_us, names = None, []
    if event.deadline_s is not None:
        until_us = now.wall_us + round(event.deadline_s * SECOND_US)
    for agent_id in event.agent_ids:
        agent = state.fleet.known[agent_id]
        names.append(agent.name)
        asked = (event.held, event.reason, until_us)
        if asked == (agent.held, agent.reason, agent.drain_until_us):
            continue
        state.fleet.drains.pop(agent_id, None)
        agent = replace(
            agent,
            held=event.held,
            reason=event.reason if event.held is not None else "",
            held_by=event.by if event.held is not None else "",
            drain_until_us=until_us,
        )
        session = state.sessions.get(agent_id)
        if session is not None and not session.draining:
            agent = replace(agent, state=event.held or AgentState.UP)
        state.keep_agent(agent)
        restore(state, agent, now)
    state.stir()
    state.commands.append(Reply(event.asker, Done(names)))


def end_drains(state: State, now: Now) -> None:
    """Cancel what still runs on agents that are to be at rest by now."""
    drains = state.fleet.drains
    for agent_id in [i for i, at_us in drains.items() if at_us <= now.steady_us]:
        del drains[agent_id]
        agent = state.fleet.known[agent_id]
        reason = f"host {agent.name} is drained, and its time is up"
        for active in state.runs_on(agent_id):
            runs.cancel(state, active.run.id, reason, now)


def on_revoked(state: State, event: AgentsRevoked, now: Now) -> None:
    """Strike agents off: nothing is sent to them any more, and nothing they say is heard."""
    names = []
    for agent_id in event.agent_ids:
        agent = state.fleet.known[agent_id]
        names.append(agent.name)
        if agent.state is not AgentState.REVOKED:
            _revoke(state, agent, event, now)
    state.commands.append(Reply(event.asker, Done(names)))


def _revoke(state: State, agent: Agent, event: AgentsRevoked, now: Now) -> None:
    if state.sessions.pop(agent.id, None) is not None:
        state.say(agent.id, Rejected("this agent was revoked"))
    state.outgoing.pop(agent.id, None)
    state.stir()
    fleet = state.fleet
    fleet.away.pop(agent.id, None)
    fleet.drains.pop(agent.id, None)
    gone = replace(
        agent,
        state=AgentState.REVOKED,
        held=None,
        reason=event.reason,
        held_by=event.by,
        drain_until_us=None,
        down_since_us=agent.down_since_us or now.wall_us,
    )
    state.keep_agent(gone)
    if event.lost_now:
        fleet.lost_at.pop(agent.id, None)
        for active in state.runs_on(agent.id):
            runs.lose(state, active, GONE, now)
    elif state.by_agent.get(agent.id):
        patience_us = round(state.policy.lost_after_s * SECOND_US)
        fleet.lost_at.setdefault(agent.id, now.steady_us + patience_us)
    _end_what_waits(state, gone, now)


def _end_what_waits(state: State, agent: Agent, now: Now) -> None:
    """No other agent may take the runs that are for this one alone.

    What waits for the jobs that its own comes after is looked at when it is let go.
    """
    for active in list(state.active.values()):
        run = active.run
        if run.pin != agent.id or run.state is not RunState.QUEUED or active.is_held:
            continue
        hindrance = barred(state, agent, active.job.executor, now)
        if active.run.attempt == 1 and hindrance is not None:
            bar(state, active, hindrance, now)
        else:
            finish_queued(state, active, Cause.GIVE_UP, GONE, now)
