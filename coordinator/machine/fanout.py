"""Which agents a fire goes to when its job is for several: each gets a record of its own.

The members of a fire are ordered by the names of their hosts, so that people can predict them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from zlib import crc32

from tocsin.instants import Now
from tocsin.model import Agent, Choose, Job, SkipReason
from tocsin.targeting import Demand, demand_of

from .eligibility import barred, hosts_in_words, is_meant, verdicts
from .fires import Barred
from .state import State


class Member(NamedTuple):
    """One record of a fire: for which agent (None: for any), and why that gets no run."""

    agent: Agent | None
    barred: Barred | None = None


ALONE = [Member(None)]
"""A fire that goes to one agent, whichever has a slot."""


def members(state: State, job: Job, now: Now) -> list[Member]:
    """The records that a fire of a job comes to; at least one."""
    wanted = job.target.agents
    if wanted == 1:
        return ALONE
    demand = demand_of(job)
    meant = [agent for agent in state.fleet.known.values() if is_meant(agent, demand)]
    meant.sort(key=lambda agent: agent.name)
    if wanted == "all":
        everyone = [Member(agent, barred(state, agent, job.executor, now)) for agent in meant]
        return everyone or [Member(None, _missing(state, demand, "no host matches", now))]
    able = [agent for agent in meant if barred(state, agent, job.executor, now) is None]
    some = _chosen(state, job, able, wanted)
    found = [Member(agent) for agent in meant if agent.id in some]
    if len(found) < wanted:
        because = f"{len(found)} of {wanted} hosts are to be had"
        found.append(Member(None, _missing(state, demand, because, now)))
    return found


def chosen(state: State, job: Job, agent_ids: Sequence[str], now: Now) -> list[Member]:
    """The records of a fire that goes to these agents, whatever its job is for."""
    agents = [state.fleet.known[agent_id] for agent_id in agent_ids]
    return [Member(agent, barred(state, agent, job.executor, now)) for agent in agents]


def _missing(state: State, demand: Demand, because: str, now: Now) -> Barred:
    hosts = hosts_in_words(verdicts(state, demand, now))
    return Barred(SkipReason.NO_AGENT, {"because": because, **hosts})


def _chosen(state: State, job: Job, agents: list[Agent], count: int) -> set[str]:
    """The ids of so many of the agents, by the job's rule.

    Agents that are there go before those that are waited for, but a sticky job goes home.
    """

    def rank(agent: Agent) -> tuple[Any, ...]:
        match job.target.choose:
            case Choose.STICKY:
                return (-rank_at_home(job.name, agent.id), agent.name)
            case Choose.RANDOM:
                return (agent.id not in state.sessions, state.chance.random())
            case Choose.LEAST_BUSY:
                load = len(state.by_agent.get(agent.id, ())) / max(agent.slots, 1)
                return (agent.id not in state.sessions, load, agent.name)

    return {agent.id for agent in sorted(agents, key=rank)[:count]}


def rank_at_home(job: str, agent_id: str) -> int:
    """By how much an agent is the home of a sticky job: the highest one is."""
    return crc32(f"{job}@{agent_id}".encode())
