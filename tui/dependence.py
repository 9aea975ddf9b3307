"""What depends on agents: the runs that they have, and the jobs that only they could run now."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from tocsin.model import TERMINAL, Agent, AgentState, JobRow, Run, RunState
from tocsin.targeting import Demand, demand_of, matches

from .state import View

Demands = Mapping[Demand, Sequence[str]]
"""The names of jobs, by what they ask of an agent."""


def by_demand(jobs: Iterable[JobRow]) -> Demands:
    """The jobs that ask the same of agents, together: agents are then looked at once for all."""
    found: dict[Demand, list[str]] = {}
    for row in jobs:
        found.setdefault(demand_of(row.job), []).append(row.job.name)
    return found


def only_on(chosen: Collection[Agent], agents: Iterable[Agent], demands: Demands) -> list[str]:
    """The names of jobs that one of `chosen` could run, and no other agent that is up; sorted."""
    ids = {agent.id for agent in chosen}
    others = [other for other in agents if other.id not in ids and other.state is AgentState.UP]
    names: list[str] = []
    for demand, jobs in demands.items():
        here = any(matches(agent, demand) for agent in chosen)
        if here and not any(matches(other, demand) for other in others):
            names += jobs
    return sorted(names)


def under_way(runs: Iterable[Run]) -> dict[str, list[Run]]:
    """The runs that agents have, by the names of these."""
    found: dict[str, list[Run]] = {}
    for run in runs:
        if run.agent and run.state not in TERMINAL and run.state is not RunState.QUEUED:
            found.setdefault(run.agent, []).append(run)
    return found


def weight(view: View, agents: Collection[Agent]) -> tuple[tuple[Run, ...], tuple[str, ...]]:
    """What an order to agents concerns: the runs under way there, and the jobs without another."""
    had = under_way(view.runs.values())
    runs = tuple(run for agent in agents for run in had.get(agent.name, ()))
    alone = only_on(agents, view.agents.values(), by_demand(view.jobs.values()))
    return runs, tuple(alone)
