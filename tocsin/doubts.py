"""What somebody should know of a job before it is saved: which hosts it is for, and what is odd."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tocsin.crowding import crowded
from tocsin.fires import Fire, schedules_of
from tocsin.model import Agent, AgentState, Job
from tocsin.targeting import demand_of, has_tags, matches

_GONE = frozenset({AgentState.REVOKED, AgentState.PENDING})


def hosts_of(job: Job, agents: Iterable[Agent]) -> list[str]:
    """The names of the agents that may run a job."""
    demand = demand_of(job)
    return sorted(one.name for one in agents if one.state not in _GONE and matches(one, demand))


def doubts_of(job: Job, after: list[Fire], agents: Iterable[Agent]) -> list[str]:
    """What is allowed and may not be meant; `after` are the next fires of the job."""
    return [*_of_time(job, after), *_of_hosts(job, agents)]


def _of_time(job: Job, after: list[Fire]) -> Iterator[str]:
    for schedule in schedules_of(job):
        yield from schedule.warnings
    if crowd := crowded(job):
        yield crowd
    if job.schedule and job.enabled and not after:
        yield "never due again"
    if after and all(fire.blackout for fire in after):
        yield f"the next {len(after)} due times are all in a blackout"


def _of_hosts(job: Job, agents: Iterable[Agent]) -> Iterator[str]:
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
