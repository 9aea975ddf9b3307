"""What somebody should know of a change before applying it."""

from __future__ import annotations

from tocsin.doubts import doubts_of
from tocsin.fires import Fire

from .plan import Change, Plan


def warnings_of(change: Change, plan: Plan, after: list[Fire]) -> list[str]:
    """What is odd about a job as it would be; `after` are its next fires."""
    job, row = change.job, change.row
    if job is None:
        return []
    said = doubts_of(job, after, plan.held.agents)
    if row is not None and row.paused:
        said.append("it is paused: its due times are skipped until it is resumed")
    if plan.prune is not None and not plan.prune.concerns(job):
        labels = ", ".join(f"{key}={value}" for key, value in plan.prune.labels.items())
        said.append(f"it has not the label {labels}: pruning will not see it")
    return said
