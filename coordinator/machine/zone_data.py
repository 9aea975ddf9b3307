"""Other time zone data than before: due times of local clocks are other instants."""

from __future__ import annotations

import heapq

from msgspec.structs import replace

from tocsin.model import Job

from .commands import MoveCursor
from .events import ZonesChanged
from .fires import next_due_us
from .state import State


def on_changed(state: State, event: ZonesChanged) -> None:
    """Work the next due times out anew: later than the last record, and than the last change."""
    for row in event.rows:
        if not depends_on_zones(row.job):
            continue
        after_us = max(row.last_due_us or 0, row.changed_us)
        due_us = next_due_us(row.job, after_us)
        if due_us != row.next_due_us:
            state.commands.append(MoveCursor(replace(row, next_due_us=due_us)))
            if due_us is not None:
                heapq.heappush(state.due, (due_us, row.id))


def depends_on_zones(job: Job) -> bool:
    """Whether any due time of a job is read on another clock than UTC."""
    if job.timezone != "UTC":
        return bool(job.schedule)
    return any("TZ=" in text or text.lstrip().startswith("@calendar") for text in job.schedule)
