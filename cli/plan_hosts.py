"""Which hosts a job is for, and what else somebody should know before applying it."""

from __future__ import annotations

from collections.abc import Iterator

from tocsin.crowding import crowded
from tocsin.fires import Fire, schedules_of
from tocsin.model import Agent, AgentState, Job
from tocsin.targeting import demand_of, has_tags, matches

from .plan import Change, Plan

_GONE = frozenset({AgentState.REVOKED, AgentState.PENDING})


def hosts_of(job: Job | None, agents: list[Agent]) -> list[str]:
    """The names of the agents that may run a job."""
    if job is None:
        return []
    demand = demand_of(job)
    return sorted(one.name for one in agents if one.state not in _GONE and matches(one, demand))


def warnings_of(change: Change, plan: Plan, after: list[Fire]) -> list[str]:
    """What is odd about a job as it would be; `after` are its next fires."""
    job, row = change.job, change.row
    if job is None:
        return []
    said = [*_of_time(job, after), *_of_hosts(job, plan.held.agents)]
    if row is not None and row.paused:
        said.append("it is paused: its due times are skipped until it is resumed")
    if plan.prune is not None and not plan.prune.concerns(job):
        labels = ", ".join(f"{key}={value}" for key, value in plan.prune.labels.items())
        said.append(f"it has not the label {labels}: pruning will not see it")
    return said


def _of_time(job: Job, after: list[Fire]) -> Iterator[str]:
    for schedule in schedules_of(job):
        yield from schedule.warnings
    if crowd := crowded(job):
        yield crowd
    if job.schedule and job.enabled and not after:
        yield "never due again"
    if after and all(fire.blackout for fire in after):
        yield f"the next {len(after)} due times are all in a blackout"


def _of_hosts(job: Job, agents: list[Agent]) -> Iterator[str]:
    known = [one for one in agents if one.state not in _GONE]
    demand = demand_of(job)
    tagged = [one for one in known if has_tags(one, demand)]
    offering = [one for one in tagged if job.executor in one.executors]
    if not known:
        yield "there is no agent yet"
    elif not tagged:
        yield "no agent matches its target"
    elif not offering:
        yield f"none of {_agents(len(tagged))} that match offers executor {job.executor}"
    elif len(offering) < len(tagged):
        many = "offers" if len(offering) == 1 else "offer"
        yield f"{len(offering)} of {_agents(len(tagged))} {many} executor {job.executor}"
    if offering and job.target.agents != "all" and job.target.agents > len(offering):
        yield f"it asks for {job.target.agents} agents, and {len(offering)} can run it"


def _agents(count: int) -> str:
    return f"{count} agent{'s' * (count != 1)}"
