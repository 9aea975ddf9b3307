"""One job after another: what follows from the end of a fire for the jobs that wait for it."""

from __future__ import annotations

from tocsin.instants import Now
from tocsin.model import JobRow, Run, Trigger

from . import dependencies, jobs, runs
from .barriers import barrier
from .events import FiresEnded
from .fires import is_within_life
from .state import State


def on_ended(state: State, event: FiresEnded, now: Now) -> None:
    """Fires may be over: let go who waited for that, and remove what was to run once."""
    rows = dict(event.rows)
    for members in event.fires:
        well = dependencies.succeeded(members)
        if well is None:
            continue
        first = members[0]
        for name in list(state.chains.dependents.get(first.job, ())):
            if dependencies.mark(state, name, members, now, well=well):
                _go(state, name, first.group, rows, now)
        row = rows.get(first.job_id)
        if well and row is not None and row.job.ephemeral and row.version == first.job_version:
            del rows[row.id]
            jobs.remove(state, row, "ephemeral", now)


def _go(state: State, name: str, cause: str, rows: dict[int, JobRow], now: Now) -> None:
    """Fire a job, or its due time that waits, when all that it comes after holds."""
    if not dependencies.holds(state, name):
        return
    condition = next(iter(state.chains.after[name].values()))
    if condition.job_id in state.held:
        dependencies.consume(state, name)
        runs.release(state, condition.job_id, cause, now)
        return
    row = rows.get(condition.job_id)
    if row is not None and not row.job.schedule:
        dependencies.consume(state, name)
        _fire(state, row, cause, now)


def _fire(state: State, row: JobRow, cause: str, now: Now) -> list[Run]:
    if not is_within_life(row.job, now.wall_us):
        return []
    bars = barrier(state, row)
    barred = None if bars is None else bars(now.wall_us)
    if barred is not None:
        return [runs.skip(state, row, Trigger.AFTER, barred, now, cause=cause)]
    return runs.begin(state, row, Trigger.AFTER, now, cause=cause)
