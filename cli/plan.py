"""What applying jobs would change, compared with what the coordinator has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from tocsin.execution import Executor
from tocsin.jobfile.writing import job_to_file
from tocsin.model import Job, JobRow

from .fires import as_text, next_fires_us

FIRES_SHOWN: Final = 5


class Change(NamedTuple):
    """What would become of one job."""

    job: Job
    row: JobRow | None
    """The job as the coordinator has it."""
    executors: Mapping[str, type[Executor]]

    @property
    def action(self) -> str:
        """`create`, `change` or `keep`."""
        if self.row is None:
            return "create"
        return "keep" if self.row.job == self.job else "change"

    @property
    def changed(self) -> dict[str, tuple[object, object]]:
        """The keys of the job file that differ, each with its old and its new value."""
        old = flat(job_to_file(self.row.job, self.executors)) if self.row is not None else {}
        new = flat(job_to_file(self.job, self.executors))
        keys = [*old, *(key for key in new if key not in old)]
        return {key: (old.get(key), new.get(key)) for key in keys if old.get(key) != new.get(key)}

    def fires_us(self, after_us: int) -> tuple[list[int], list[int]]:
        """The next due instants before and after the change."""
        before = next_fires_us(self.row.job, after_us, FIRES_SHOWN) if self.row else []
        return before, next_fires_us(self.job, after_us, FIRES_SHOWN)


def compare(
    jobs: Iterable[Job], rows: Mapping[str, JobRow], executors: Mapping[str, type[Executor]]
) -> list[Change]:
    """The change of each job, in the order given."""
    return [Change(job, rows.get(job.name), executors) for job in jobs]


def plan_shape(changes: list[Change], untouched: list[str], now_us: int) -> dict[str, Any]:
    """A plan as JSON."""
    return {
        "changes": [_change_shape(change, now_us) for change in changes],
        "untouched": untouched,
    }


def _change_shape(change: Change, now_us: int) -> dict[str, Any]:
    before_us, after_us = change.fires_us(now_us)
    return {
        "name": change.job.name,
        "action": change.action,
        "version": None if change.row is None else change.row.version,
        "changed": {key: {"old": old, "new": new} for key, (old, new) in change.changed.items()},
        "next_before": as_text(before_us),
        "next_after": as_text(after_us),
    }


def flat(block: Mapping[str, Any], prefix: str = "") -> dict[str, object]:
    """Nested blocks as one, with dotted keys."""
    found: dict[str, object] = {}
    for key, value in block.items():
        if isinstance(value, Mapping) and value:
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found
