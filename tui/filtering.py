"""What is typed behind `/`: words and `key:value`, all of which must hold; `!` turns one round.

A word is looked for in everything that is said of a row, a value in what the row says of that
key alone. Capitals count nowhere: names of jobs and hosts seldom differ by them alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from tocsin.model import Agent, JobRow, Run

from .words import WORD

HAY: Final = ""
"""The key under which a row says everything else."""

Facets = Mapping[str, str]
"""What a row says, by key."""


class Term(msgspec.Struct, frozen=True):
    """One condition."""

    key: str
    value: str
    inverse: bool


Filter = tuple[Term, ...]


def read(text: str) -> Filter:
    """The conditions in a text; an empty text has none."""
    return tuple(_term(word) for word in text.lower().split())


def holds(terms: Filter, facets: Facets) -> bool:
    """Whether a row meets all conditions."""
    return all(_holds(term, facets) is not term.inverse for term in terms)


def of_job(row: JobRow, latest: Run | None) -> Facets:
    """What a job says of itself."""
    job = row.job
    labels = " ".join(f"{key}={value}" for key, value in job.labels.items())
    state = "paused" if row.paused else "off" if not job.enabled else "on"
    last = latest.state if latest is not None else row.last_state
    last_word = "never ran" if last is None else WORD[last]
    hay = (job.name, job.description, *job.schedule, job.executor, labels, state, last_word)
    return {
        HAY: " ".join(hay).lower(),
        "name": job.name.lower(),
        "state": f"{state} {last_word}",
        "label": labels.lower(),
        "tag": labels.lower(),
        "executor": job.executor.lower(),
        "pool": job.pool.lower(),
    }


def of_run(run: Run) -> Facets:
    """What a run says of itself."""
    hay = (run.job, run.agent, run.id, WORD[run.state], run.reason, run.requested_by, run.trigger)
    return {
        HAY: " ".join(hay).lower(),
        "job": run.job.lower(),
        "state": WORD[run.state],
        "agent": run.agent.lower(),
        "by": run.requested_by.lower(),
        "trigger": run.trigger.lower(),
    }


def of_agent(agent: Agent) -> Facets:
    """What an agent says of itself."""
    tags = " ".join(f"{key}={value}" for key, value in agent.tags.items())
    executors = " ".join(agent.executors)
    hay = (agent.name, agent.state, tags, agent.version, executors, agent.reason)
    return {
        HAY: " ".join(hay).lower(),
        "name": agent.name.lower(),
        "state": agent.state,
        "tag": tags.lower(),
        "version": agent.version.lower(),
        "executor": executors.lower(),
    }


def _term(word: str) -> Term:
    inverse = word.startswith("!") and len(word) > 1
    plain = word[1:] if inverse else word
    key, colon, value = plain.partition(":")
    return Term(key, value, inverse) if colon and key else Term(HAY, plain, inverse)


def _holds(term: Term, facets: Facets) -> bool:
    if term.key in facets:
        return term.value in facets[term.key]
    return f"{term.key}:{term.value}" in facets[HAY]
