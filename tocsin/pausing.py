"""What a pause is of: which jobs it lets pass, which agents get no runs, and in which words."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Final

from tocsin.model import Agent, Job, Pause, Scope

AGENT_SCOPES: Final = frozenset({Scope.AGENT, Scope.TAG})
"""Pauses of agents; the others are of jobs."""


def scope_fault(scope: Scope, value: str) -> str:
    """What is wrong with a scope; '' when nothing is."""
    if scope is Scope.ALL:
        return "a pause of all jobs has no value" if value else ""
    if scope in {Scope.LABEL, Scope.TAG}:
        key, equals, glob = value.partition("=")
        if not (key and equals and glob):
            return f"{value!r} is no {scope}: write key=value, where the value may be a glob"
    return "" if value else f"the {scope} needs a name, which may be a glob"


def pauses_job(pause: Pause, job: Job) -> bool:
    """Whether a pause lets due times of the job pass."""
    match pause.scope:
        case Scope.ALL:
            return True
        case Scope.JOB:
            return fnmatchcase(job.name, pause.value)
        case Scope.LABEL:
            return _has(job.labels, pause.value)
        case Scope.AGENT | Scope.TAG:
            return False


def pauses_agent(pause: Pause, agent: Agent) -> bool:
    """Whether a pause keeps runs from the agent."""
    match pause.scope:
        case Scope.AGENT:
            return fnmatchcase(agent.name, pause.value)
        case Scope.TAG:
            return _has({**agent.tags, "name": agent.name}, pause.value)
        case Scope.ALL | Scope.JOB | Scope.LABEL:
            return False


def _has(texts: dict[str, str], wanted: str) -> bool:
    key, _, glob = wanted.partition("=")
    return key in texts and fnmatchcase(texts[key], glob)


def is_over(pause: Pause, now_us: int) -> bool:
    """Whether a pause has come to its end, though it may still concern earlier due times."""
    return pause.until_us is not None and pause.until_us <= now_us


def scope_text(pause: Pause) -> str:
    """What a pause is of, in words that "paused" may follow: `jobs named db-* are`."""
    match pause.scope:
        case Scope.ALL:
            return "all jobs are"
        case Scope.JOB:
            return f"jobs named {pause.value} are"
        case Scope.LABEL:
            return f"jobs labelled {pause.value} are"
        case Scope.AGENT:
            return f"agents named {pause.value} are"
        case Scope.TAG:
            return f"agents tagged {pause.value} are"
