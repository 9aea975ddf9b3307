"""Which agents a job is for. Both the coordinator and those who look ahead judge by this rule."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Final

from tocsin.model import Agent, Job

Demand = tuple[str, tuple[tuple[str, tuple[str, ...]], ...]]
"""What a run asks of an agent: its executor, and the globs of each tag."""
PIN: Final = "@id"
"""The pseudo tag by which a run of a group is bound to one agent."""


def demand_of(job: Job, pin: str = "") -> Demand:
    """What the runs of a job ask of an agent; with `pin`, of that agent alone."""
    tags = [
        (key, (globs,) if isinstance(globs, str) else tuple(globs))
        for key, globs in sorted(job.target.tags.items())
    ]
    if pin:
        tags.append((PIN, (pin,)))
    return job.executor, tuple(tags)


def pin_of(demand: Demand) -> str:
    """The only agent that is asked for, by its id; '' when others may do."""
    tags = demand[1]
    return tags[-1][1][0] if tags and tags[-1][0] == PIN else ""


def matches(agent: Agent, demand: Demand) -> bool:
    """Whether an agent offers the executor and carries the tags that are asked for."""
    return demand[0] in agent.executors and has_tags(agent, demand)


def has_tags(agent: Agent, demand: Demand) -> bool:
    """Whether an agent carries the tags that are asked for, whatever it can execute."""
    for key, globs in demand[1]:
        if key == PIN:
            value: str | None = agent.id
        elif key == "name":
            value = agent.name
        else:
            value = agent.tags.get(key)
        if value is None or not any(fnmatchcase(value, glob) for glob in globs):
            return False
    return True
