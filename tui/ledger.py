"""The runs that are known, sorted the ways the screens ask for them.

It follows a view's runs by what changed between two of them, so that an update costs a look at
each run and not a new sorting of all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from tocsin.instants import SECOND_US
from tocsin.model import TERMINAL, Run, RunState

from .durations import Usual, usual_of

BUCKET_US: Final = 300 * SECOND_US
"""Runs that are over are found by the five minutes in which they ended."""


class Ledger:
    """Runs by job, and by when they ended."""

    def __init__(self) -> None:
        self.version = 0
        """Grows with each change."""
        self.active: dict[str, Run] = {}
        """Those that are not over, by id."""
        self._seen: Mapping[str, Run] = {}
        self._by_job: dict[str, dict[str, Run]] = {}
        self._sorted: dict[str, list[Run]] = {}
        self._usual: dict[str, Usual | None] = {}
        self._latest: dict[str, Run | None] = {}
        self._ended: dict[int, dict[str, Run]] = {}

    def follow(self, runs: Mapping[str, Run]) -> None:
        """Take over what changed."""
        before = self._seen
        if runs is before:
            return
        self._seen = runs
        self.version += 1
        kept = 0
        for run_id, run in runs.items():
            old = before.get(run_id)
            kept += old is not None
            if old is not run:
                if old is not None:
                    self._drop(old)
                self._add(run)
        if kept < len(before):
            for run_id, run in before.items():
                if run_id not in runs:
                    self._drop(run)

    def of(self, job: str) -> list[Run]:
        """The runs of a job, oldest first."""
        found = self._sorted.get(job)
        if found is None:
            runs = self._by_job.get(job, {})
            found = self._sorted[job] = [runs[run_id] for run_id in sorted(runs)]
        return found

    def usual(self, job: str) -> Usual | None:
        """How long the job's runs take; None while none has succeeded."""
        if job not in self._usual:
            self._usual[job] = usual_of(self._by_job.get(job, {}).values())
        return self._usual[job]

    def latest(self, job: str) -> Run | None:
        """The newest run of a job that is no skip."""
        if job not in self._latest:
            runs = reversed(self.of(job))
            self._latest[job] = next((r for r in runs if r.state is not RunState.SKIPPED), None)
        return self._latest[job]

    def ended(self, from_us: int, to_us: int) -> Iterator[Run]:
        """The runs that ended in [from, to), in no order."""
        for bucket in range(from_us // BUCKET_US, to_us // BUCKET_US + 1):
            for run in self._ended.get(bucket, {}).values():
                if from_us <= ended_us(run) < to_us:
                    yield run

    def _add(self, run: Run) -> None:
        self._by_job.setdefault(run.job, {})[run.id] = run
        self._forget(run.job)
        if run.state in TERMINAL:
            self._ended.setdefault(ended_us(run) // BUCKET_US, {})[run.id] = run
        else:
            self.active[run.id] = run

    def _drop(self, run: Run) -> None:
        self._by_job[run.job].pop(run.id, None)
        self._forget(run.job)
        if run.state in TERMINAL:
            self._ended[ended_us(run) // BUCKET_US].pop(run.id, None)
        else:
            self.active.pop(run.id, None)

    def _forget(self, job: str) -> None:
        self._sorted.pop(job, None)
        self._usual.pop(job, None)
        self._latest.pop(job, None)


def ended_us(run: Run) -> int:
    """When a run that is over ended; of a skip when it was due."""
    return run.finished_us or run.due_us or run.created_us
