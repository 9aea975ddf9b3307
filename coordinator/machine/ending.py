"""How runs are over: what was waiting for that is told, and goes on at the end of the step."""

from __future__ import annotations

from msgspec.structs import replace

from tocsin.instants import Now
from tocsin.model import Run

from . import dependencies, rollout, transitions
from .commands import SaveRun
from .fires import Barred
from .state import Active, State
from .transitions import Cause


def over(state: State, active: Active, run: Run, *, is_end: bool = True) -> None:
    """A run is over for good; without `is_end`, jobs that come after its own are not told."""
    state.commands.append(SaveRun(run))
    state.remove(run)
    if is_end:
        dependencies.note_end(state, run, active.job)
    state.loosened[run.job_id] = None
    rolled = state.rolling.fires.get(run.group)
    if rolled is not None:
        rollout.note_end(rolled, run)
        state.rolling.touched[run.group] = None


def finish_queued(state: State, active: Active, cause: Cause, reason: str, now: Now) -> None:
    """A run is over that no agent has."""
    after = transitions.after(active.run.state, cause, active.run.id)
    assert after is not None
    run = replace(active.run, state=after, reason=reason, finished_us=now.wall_us)
    over(state, active, run)


def bar(state: State, active: Active, barred: Barred, now: Now) -> None:
    """A first attempt comes to nothing."""
    active.run = replace(active.run, facts=barred.facts, due_last_us=active.run.due_us)
    finish_queued(state, active, Cause.EXPIRE, barred.reason, now)
