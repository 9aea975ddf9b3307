"""What pauses and blackouts say of due times and agents: a second opinion, in UTC alone."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Final

from tocsin.model import Agent, Job, Pause, Scope, SkipReason

from .evidence import Term
from .oracle import SECOND_US

DAYS: Final = ("Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed")
"""1970-01-01 was a Thursday."""
DAY_S: Final = 86_400
TODAY: Final = "2027-01-15"
"""The day on which the world begins; the calendar `today` has no other."""
TODAY_S: Final = 1_800_000_000
OF_AGENTS: Final = frozenset({Scope.AGENT, Scope.TAG})


def is_of_job(pause: Pause, job: Job) -> bool:
    """Whether a pause is of the job."""
    if pause.scope is Scope.ALL:
        return True
    if pause.scope is Scope.JOB:
        return fnmatchcase(job.name, pause.value)
    key, _, glob = pause.value.partition("=")
    return pause.scope is Scope.LABEL and fnmatchcase(job.labels.get(key, "\0"), glob)


def is_of_agent(pause: Pause, agent: Agent) -> bool:
    """Whether a pause is of the agent."""
    if pause.scope is Scope.AGENT:
        return fnmatchcase(agent.name, pause.value)
    key, _, glob = pause.value.partition("=")
    return pause.scope is Scope.TAG and fnmatchcase(agent.tags.get(key, "\0"), glob)


def is_paused(agent: Agent, pauses: Iterable[Pause], wall_us: int) -> bool:
    """Whether an agent is to get no runs at an instant."""
    return any(
        is_of_agent(pause, agent) and (pause.until_us is None or wall_us < pause.until_us)
        for pause in pauses
    )


def holds(pause: Pause, job: Job, due_us: int) -> bool:
    """Whether a due time of the job falls into a pause."""
    ended = pause.until_us is not None and due_us >= pause.until_us
    return is_of_job(pause, job) and pause.since_us <= due_us and not ended


def barred(term: Term, pauses: Iterable[Pause], due_us: int) -> str:
    """The reason for which a due time passes whatever its job's policies; '' when there is none."""
    own = term.paused and (term.pause_until_us is None or due_us < term.pause_until_us)
    if own or any(holds(pause, term.job, due_us) for pause in pauses):
        return SkipReason.PAUSED
    return SkipReason.BLACKOUT if is_blacked_out(term.job, due_us) else ""


def is_blacked_out(job: Job, due_us: int) -> bool:
    """Whether a due time is in one of its job's windows, `HH:MM` or `Fri HH:MM`, or calendars."""
    second = due_us // SECOND_US
    for entry in job.blackout:
        if entry.calendar:
            if entry.calendar == "today" and second // DAY_S == TODAY_S // DAY_S:
                return True
            continue
        weekly = " " in entry.start
        at = second % (7 * DAY_S if weekly else DAY_S)
        first, last = _place(entry.start), _place(entry.end)
        if first <= at < last or (last < first and (at >= first or at < last)):
            return True
    return False


def _place(text: str) -> int:
    day, _, time = text.rpartition(" ")
    hour, minute = time.split(":")
    return (DAYS.index(day) if day else 0) * DAY_S + int(hour) * 3600 + int(minute) * 60
