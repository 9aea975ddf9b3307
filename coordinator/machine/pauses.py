"""Maintenance: which due times a pause lets pass, and which agents it keeps runs from.

A pause of jobs concerns due times by their own instant, however late they are decided; so it is
kept behind its end until no job has a due time without a record before that. A pause of agents
concerns placement at the moment, and is dropped at its end.
"""

from __future__ import annotations

import heapq
from typing import Any, Final

from msgspec.structs import replace

from tocsin.instants import Now, to_rfc3339
from tocsin.messages.client_answers import Done
from tocsin.model import Agent, JobRow, Pause, Scope, SkipReason
from tocsin.pausing import AGENT_SCOPES, is_over, pauses_agent, pauses_job, scope_text

from .commands import DropPause, Reply, SavePause
from .events import PausesEnded, PausesStarted
from .fires import Barred
from .state import State

SYSTEM: Final = "tocsin"
"""Who resumes a job when its pause has come to its end."""
_EVER_US: Final = -(1 << 62)


def of_job(state: State, row: JobRow) -> list[Pause]:
    """The pauses that some due times of a job fall into; its own one first."""
    found = []
    if row.paused:
        own = Pause(
            id="",
            scope=Scope.JOB,
            value=row.job.name,
            reason=row.pause_reason,
            by=row.paused_by,
            since_us=_EVER_US,  # what was due before it has its record
            until_us=row.pause_until_us,
        )
        found.append(own)
    if state.pauses:
        found += [pause for pause in state.pauses.values() if pauses_job(pause, row.job)]
    return found


def of_agent(state: State, agent: Agent, now_us: int) -> Pause | None:
    """The pause that keeps runs from an agent at this moment."""
    for pause in state.pauses.values():
        if pauses_agent(pause, agent) and not is_over(pause, now_us):
            return pause
    return None


def holds(state: State, agent: Agent) -> bool:
    """Whether an agent is kept from runs until a pause is dropped, which is at its end."""
    return any(pauses_agent(pause, agent) for pause in state.pauses.values())


def of_some_agents(state: State) -> bool:
    """Whether any pause is of agents."""
    return any(pause.scope in AGENT_SCOPES for pause in state.pauses.values())


def barred_by(pause: Pause) -> Barred:
    """What the record of a due time says that fell into a pause."""
    facts: dict[str, Any] = {
        "because": f"{scope_text(pause) if pause.id else 'the job is'} paused",
        "scope": f"{pause.scope} {pause.value}".rstrip(),
        "reason": pause.reason,
        "by": pause.by,
        "until": "" if pause.until_us is None else to_rfc3339(pause.until_us),
        "pause": pause.id,
    }
    return Barred(SkipReason.PAUSED, {key: value for key, value in facts.items() if value})


# What people ask for.


def on_started(state: State, event: PausesStarted, now: Now) -> None:
    """Begin pauses."""
    begun = [
        replace(pause, id=state.new_id(), by=event.by, since_us=now.wall_us)
        for pause in event.pauses
    ]
    for pause in begun:
        state.pauses[pause.id] = pause
        state.commands.append(SavePause(pause))
    state.stir()
    state.commands.append(Reply(event.asker, Done([pause.id for pause in begun])))


def on_ended(state: State, event: PausesEnded, now: Now) -> None:
    """End pauses that are not over; the others are passed by."""
    ended = []
    for pause_id in event.pause_ids:
        pause = state.pauses.get(pause_id)
        if pause is not None and not is_over(pause, now.wall_us):
            state.pauses[pause_id] = pause = replace(pause, until_us=now.wall_us)
            state.commands.append(SavePause(pause))
            ended.append(pause_id)
    drop_passed(state, now)
    state.commands.append(Reply(event.asker, Done(ended)))


# What time does.


def drop_passed(state: State, now: Now) -> None:
    """Forget pauses that are over and concern no due time any more."""
    for pause in list(state.pauses.values()):
        if not is_over(pause, now.wall_us):
            continue
        if pause.scope in AGENT_SCOPES:
            state.stir()
        elif state.due and pause.until_us is not None and state.due[0][0] < pause.until_us:
            continue
        del state.pauses[pause.id]
        state.commands.append(DropPause(pause.id))


def deadline_us(state: State) -> int | None:
    """When the next pause of one job, or of agents, comes to its end, on the wall clock."""
    ends = [state.resumes[0][0]] if state.resumes else []
    if state.pauses:
        pauses = state.pauses.values()
        ends += [p.until_us for p in pauses if p.until_us is not None and p.scope in AGENT_SCOPES]
    return min(ends, default=None)


def note_end(state: State, row: JobRow) -> None:
    """Wake up when the pause of a job comes to its end."""
    if row.paused and row.pause_until_us is not None:
        heapq.heappush(state.resumes, (row.pause_until_us, row.id))


def ended_by(state: State, now_us: int, count: int) -> list[tuple[int, int]]:
    """(end, job id) of pauses of one job that are over; each is named once."""
    ended: list[tuple[int, int]] = []
    while state.resumes and state.resumes[0][0] <= now_us and len(ended) < count:
        ended.append(heapq.heappop(state.resumes))
    return ended


def may_resume(row: JobRow, now_us: int) -> bool:
    """Whether a job's own pause is over, and every due time by now has its record."""
    if not row.paused or row.pause_until_us is None or row.pause_until_us > now_us:
        return False
    return row.next_due_us is None or row.next_due_us > now_us


def resumed(row: JobRow) -> JobRow:
    """A job without a pause of its own."""
    return replace(row, paused=False, pause_reason="", paused_by="", pause_until_us=None)
