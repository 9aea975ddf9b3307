"""What clients ask for: definitions changed, jobs paused, runs wanted or unwanted."""

from __future__ import annotations

import heapq
from typing import Final

from msgspec.structs import replace

from tocsin.instants import Now
from tocsin.messages.client_answers import Done, JobChange, SharedChange
from tocsin.messages.client_answers import JobsPut as JobsPutAnswer
from tocsin.model import Job, JobRow, Trigger

from . import dependencies, incidents, pauses, runs
from .barriers import barrier
from .commands import (
    DropCalendar,
    DropJob,
    DropPool,
    FetchDue,
    MoveCursor,
    Reply,
    SaveCalendar,
    SaveJob,
    SavePool,
)
from .events import (
    CancelRequested,
    JobsDue,
    JobsPaused,
    JobsPut,
    JobsRemoved,
    RerunRequested,
    RunsRequested,
)
from .fires import LATE_US, next_due_us, owed
from .state import State

FETCH_MAX: Final = 200
"""The most jobs that fire in one step: the first of a herd start while the last are decided."""


def fetch_due(state: State, now: Now) -> None:
    """Ask for the rows of the jobs that are due."""
    due = pauses.ended_by(state, now.wall_us, FETCH_MAX)
    taken = set(due)
    while state.due and state.due[0][0] <= now.wall_us and len(due) < FETCH_MAX:
        entry = heapq.heappop(state.due)
        if entry not in taken:  # a row that was saved twice is on the heap twice
            taken.add(entry)
            due.append(entry)
    if due:
        state.commands.append(FetchDue(due))


def on_due(state: State, event: JobsDue, now: Now) -> None:
    """Fire what is owed, and move each cursor behind it."""
    for due_us, row in event.due:
        if row is None:
            continue  # removed since it was put on the heap
        if row.next_due_us == due_us:
            row = _serve(state, row, now)
            state.commands.append(MoveCursor(row))
            if row.next_due_us is not None:
                heapq.heappush(state.due, (row.next_due_us, row.id))
        elif row.pause_until_us != due_us:
            continue  # changed since then
        if pauses.may_resume(row, now.wall_us):
            _save(state, pauses.resumed(row), pauses.SYSTEM, now)


def _serve(state: State, row: JobRow, now: Now) -> JobRow:
    """Record what a job owes by now, or the first of it; the row behind that."""
    debt = owed(row, now.wall_us, barrier(state, row))
    for skip in debt.skips:
        runs.record_skip(state, row, incidents.explained(state, skip, now), now)
    for fire_us in debt.fires_us:
        late = now.wall_us - fire_us > LATE_US
        trigger = Trigger.CATCHUP if late else Trigger.SCHEDULE
        cause = incidents.cause(state, fire_us, now) if late else ""
        runs.begin(state, row, trigger, now, due_us=fire_us, cause=cause)
    return replace(row, next_due_us=debt.cursor_us)


def _settle(state: State, row: JobRow, now: Now) -> JobRow:
    """Record all that a job owes by now: what changes about it concerns later due times alone.

    A request may come before the tick of due times that passed while the coordinator was away.
    """
    while row.next_due_us is not None and row.next_due_us <= now.wall_us:
        row = _serve(state, row, now)
    return row


def _save(state: State, row: JobRow, by: str, now: Now) -> None:
    state.commands.append(SaveJob(replace(row, changed_us=now.wall_us, changed_by=by)))
    if row.next_due_us is not None:
        heapq.heappush(state.due, (row.next_due_us, row.id))


def on_put(state: State, event: JobsPut, now: Now) -> None:
    """Keep definitions. One that changes nothing about its schedule keeps its cursor."""
    _put_shared(state, event)
    for gone in event.removals:
        remove(state, gone, event.by, now)
    for job, row in event.puts:
        if row is not None and row.job == job:
            continue
        if row is None:
            version = event.last_versions.get(job.name, 0) + 1
            next_us = next_due_us(job, now.wall_us)
            new = JobRow(id=state.next_job_id, job=job, version=version, next_due_us=next_us)
            state.next_job_id += 1
        else:
            new = _changed(_settle(state, row, now), job, now)
        _save(state, new, event.by, now)
        dependencies.link(state, new)
        if new.id in state.held and dependencies.holds(state, job.name):
            runs.release(state, new.id, dependencies.consume(state, job.name), now)
    state.commands.append(Reply(event.asker, preview(event)))


def _put_shared(state: State, event: JobsPut) -> None:
    """Keep and forget calendars and pools."""
    for calendar, old_calendar in event.calendars:
        if calendar != old_calendar:
            state.calendars[calendar.name] = calendar
            state.commands.append(SaveCalendar(calendar))
    for pool, old_pool in event.pools:
        if pool != old_pool:
            state.pools[pool.name] = pool.slots
            state.stir()
            state.commands.append(SavePool(pool))
    for name in event.remove_calendars:
        state.calendars.pop(name, None)
        state.commands.append(DropCalendar(name))
    for name in event.remove_pools:
        state.pools.pop(name, None)
        state.stir()
        state.commands.append(DropPool(name))


def _changed(row: JobRow, job: Job, now: Now) -> JobRow:
    next_us = row.next_due_us
    if not _same_times(row.job, job):
        # A wall clock that stepped back may show a time whose due times have their records.
        next_us = next_due_us(job, max(now.wall_us, row.last_due_us or 0))
    return replace(row, job=job, version=row.version + 1, next_due_us=next_us)


def preview(event: JobsPut) -> JobsPutAnswer:
    """What `on_put` would do."""
    changes = []
    for job, row in event.puts:
        if row is None:
            version = event.last_versions.get(job.name, 0) + 1
            changes.append(JobChange(job.name, "create", version))
        elif row.job == job:
            changes.append(JobChange(job.name, "keep", row.version))
        else:
            changes.append(JobChange(job.name, "change", row.version + 1))
    changes += [JobChange(row.job.name, "remove", row.version + 1) for row in event.removals]
    return JobsPutAnswer(changes, _shared_changes(event))


def _shared_changes(event: JobsPut) -> list[SharedChange]:
    changes = []
    for kind, pairs in (("calendar", event.calendars), ("pool", event.pools)):
        for new, old in pairs:
            action = "create" if old is None else "keep" if old == new else "change"
            changes.append(SharedChange(kind, new.name, action))
    gone = [("calendar", event.remove_calendars), ("pool", event.remove_pools)]
    changes += [SharedChange(kind, name, "remove") for kind, names in gone for name in names]
    return changes


def _same_times(old: Job, new: Job) -> bool:
    return (
        old.schedule == new.schedule
        and old.timezone == new.timezone
        and old.dst == new.dst
        and old.enabled == new.enabled
        and old.starts_at_us == new.starts_at_us
        and old.expires_at_us == new.expires_at_us
    )


def on_removed(state: State, event: JobsRemoved, now: Now) -> None:
    """Delete jobs."""
    for row in event.rows:
        remove(state, row, event.by, now)
    names = [row.job.name for row in event.rows]
    state.commands.append(Reply(event.asker, Done(names)))


def remove(state: State, row: JobRow, by: str, now: Now) -> None:
    """Delete a job; what an agent was given goes on, what still waits is cancelled."""
    _settle(state, row, now)
    runs.cancel_queued(state, row.id, f"its job was removed by {by}", now)
    dependencies.unlink(state, row)
    state.commands.append(DropJob(replace(row, changed_us=now.wall_us), by))


def on_paused(state: State, event: JobsPaused, now: Now) -> None:
    """Pause or resume jobs."""
    reason, by, until_us = "", "", None
    if event.paused:
        reason, by, until_us = event.reason, event.by, event.until_us
    for row in event.rows:
        held = (row.paused, row.pause_reason, row.pause_until_us)
        if held == (event.paused, reason, until_us):
            continue
        row = replace(
            _settle(state, row, now),
            paused=event.paused,
            pause_reason=reason,
            paused_by=by,
            pause_until_us=until_us,
        )
        pauses.note_end(state, row)
        _save(state, row, event.by, now)
    names = [row.job.name for row in event.rows]
    state.commands.append(Reply(event.asker, Done(names)))


def on_requested(state: State, event: RunsRequested, now: Now) -> None:
    """Run jobs now."""
    ids = [
        run.id
        for row in event.rows
        for run in runs.begin(
            state, row, Trigger.MANUAL, now, by=event.by, params=event.params.get(row.job.name)
        )
    ]
    state.commands.append(Reply(event.asker, Done(ids)))


def on_rerun(state: State, event: RerunRequested, now: Now) -> None:
    """Repeat fires."""
    ids = [
        run.id
        for it in event.reruns
        for run in runs.begin(
            state,
            it.row,
            Trigger.RETRY,
            now,
            by=event.by,
            cause=it.group,
            params=it.params,
            pins=[pin for pin in it.pins if pin in state.fleet.known],
        )
    ]
    state.commands.append(Reply(event.asker, Done(ids)))


def on_cancel(state: State, event: CancelRequested, now: Now) -> None:
    """End runs."""
    reason = f"killed by {event.by}" if event.by else "killed"
    ids = [run_id for run_id in event.run_ids if runs.cancel(state, run_id, reason, now)]
    state.commands.append(Reply(event.asker, Done(ids)))
