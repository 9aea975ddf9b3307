"""What clients ask for: definitions changed, jobs paused, runs wanted or unwanted."""

from __future__ import annotations

import heapq
from typing import Final

from msgspec.structs import replace

from tocsin.instants import Now
from tocsin.messages.client_link import Done, JobChange
from tocsin.messages.client_link import JobsPut as JobsPutAnswer
from tocsin.model import Job, JobRow, Trigger

from . import runs
from .commands import DropJob, FetchDue, MoveCursor, Reply, SaveJob
from .events import CancelRequested, JobsDue, JobsPaused, JobsPut, JobsRemoved, RunsRequested
from .fires import LATE_US, next_due_us, owed
from .state import State

FETCH_MAX: Final = 2_000
"""The most jobs that fire in one step."""


def fetch_due(state: State, now: Now) -> None:
    """Ask for the rows of the jobs that are due."""
    due: list[tuple[int, int]] = []
    while state.due and state.due[0][0] <= now.wall_us and len(due) < FETCH_MAX:
        entry = heapq.heappop(state.due)
        if not due or due[-1] != entry:  # a row that was saved twice is on the heap twice
            due.append(entry)
    if due:
        state.commands.append(FetchDue(due))


def on_due(state: State, event: JobsDue, now: Now) -> None:
    """Fire what is owed, and move each cursor behind it."""
    for due_us, row in event.due:
        if row is None or row.next_due_us != due_us:
            continue  # removed or changed since it was put on the heap
        debt = owed(row, now.wall_us)
        for skip in debt.skips:
            runs.record_skip(state, row, skip, now)
        for fire_us in debt.fires_us:
            late = now.wall_us - fire_us > LATE_US
            trigger = Trigger.CATCHUP if late else Trigger.SCHEDULE
            runs.begin(state, row, trigger, now, due_us=fire_us)
        state.commands.append(MoveCursor(replace(row, next_due_us=debt.cursor_us)))
        if debt.cursor_us is not None:
            heapq.heappush(state.due, (debt.cursor_us, row.id))


def on_put(state: State, event: JobsPut, now: Now) -> None:
    """Keep definitions. One that changes nothing about its schedule keeps its cursor."""
    for job, row in event.puts:
        if row is not None and row.job == job:
            continue
        if row is None:
            next_us = next_due_us(job, now.wall_us)
            new = JobRow(id=state.next_job_id, job=job, version=1, next_due_us=next_us)
            state.next_job_id += 1
        elif _same_times(row.job, job):
            new = replace(row, job=job, version=row.version + 1)
        else:
            next_us = next_due_us(job, now.wall_us)
            new = replace(row, job=job, version=row.version + 1, next_due_us=next_us)
        new = replace(new, changed_us=now.wall_us, changed_by=event.by)
        state.commands.append(SaveJob(new))
        if new.next_due_us is not None:
            heapq.heappush(state.due, (new.next_due_us, new.id))
    state.commands.append(Reply(event.asker, preview(event)))


def preview(event: JobsPut) -> JobsPutAnswer:
    """What `on_put` would do."""
    changes = []
    for job, row in event.puts:
        if row is None:
            changes.append(JobChange(job.name, "create", 1))
        elif row.job == job:
            changes.append(JobChange(job.name, "keep", row.version))
        else:
            changes.append(JobChange(job.name, "change", row.version + 1))
    return JobsPutAnswer(changes)


def _same_times(old: Job, new: Job) -> bool:
    return (
        old.schedule == new.schedule
        and old.timezone == new.timezone
        and old.dst == new.dst
        and old.enabled == new.enabled
        and old.starts_at_us == new.starts_at_us
        and old.expires_at_us == new.expires_at_us
    )


def on_removed(state: State, event: JobsRemoved) -> None:
    """Delete jobs; what is under way goes on."""
    for row in event.rows:
        state.commands.append(DropJob(row, event.by))
    names = [row.job.name for row in event.rows]
    state.commands.append(Reply(event.asker, Done(names)))


def on_paused(state: State, event: JobsPaused, now: Now) -> None:
    """Pause or resume jobs."""
    for row in event.rows:
        changed = replace(
            row,
            paused=event.paused,
            pause_reason=event.reason if event.paused else "",
            changed_us=now.wall_us,
            changed_by=event.by,
        )
        if (changed.paused, changed.pause_reason) != (row.paused, row.pause_reason):
            state.commands.append(SaveJob(changed))
    names = [row.job.name for row in event.rows]
    state.commands.append(Reply(event.asker, Done(names)))


def on_requested(state: State, event: RunsRequested, now: Now) -> None:
    """Run jobs now."""
    ids = [
        run.id
        for row in event.rows
        for run in runs.begin(state, row, Trigger.MANUAL, now, by=event.by)
    ]
    state.commands.append(Reply(event.asker, Done(ids)))


def on_cancel(state: State, event: CancelRequested, now: Now) -> None:
    """End runs."""
    reason = f"killed by {event.by}" if event.by else "killed"
    ids = [run_id for run_id in event.run_ids if runs.cancel(state, run_id, reason, now)]
    state.commands.append(Reply(event.asker, Done(ids)))
