"""The runs that are known, sorted the ways the screens ask for them.

It follows a view's runs by what changed between two of them, so that an update costs a look at
each run and not a new sorting of all. What is too much at once is taken in steps, the runs that
are not over and the newest ones first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import compress
from operator import is_not
from typing import Final

from tocsin.instants import SECOND_US
from tocsin.model import TERMINAL, Run, RunState

from .durations import Usual, usual_of
from .state import is_at_agent

BUCKET_US: Final = 300 * SECOND_US
"""Runs that are over are found by the five minutes in which they ended."""
_STEP_RUNS: Final = 200


class Ledger:
    """Runs by job, and by when they ended."""

    def __init__(self) -> None:
        self.version = 0
        """Grows with each change."""
        self.active: dict[str, Run] = {}
        """Those that are not over, by id."""
        self._seen: Mapping[str, Run] = {}
        self._left: list[Run] = []
        """Runs that are not taken yet, the next one last."""
        self._known: dict[str, Run] = {}
        self._by_job: dict[str, dict[str, Run]] = {}
        self._sorted: dict[str, list[Run]] = {}
        self._usual: dict[str, Usual | None] = {}
        self._latest: dict[str, Run | None] = {}
        self._ended: dict[int, dict[str, Run]] = {}

    @property
    def whole(self) -> bool:
        """Whether all runs have been taken."""
        return not self._left

    def follow(self, runs: Mapping[str, Run], at_once: int | None = None) -> None:
        """Take over what changed; of what is new so many runs, the others are for `steps`."""
        if runs is self._seen:
            return
        self._seen = runs
        self.version += 1
        known = self._known
        others = map(is_not, runs.values(), map(known.get, runs))
        changed = list(compress(runs.values(), others) if known else runs.values())
        if at_once is not None and len(changed) > at_once:
            # What is taken first comes last. Of runs that are over, skips alone have no end.
            open_ended = [run for run in changed if run.finished_us is None]
            changed = [run for run in changed if run.finished_us is not None] + open_ended
        self._left = changed
        self._take(len(changed) if at_once is None else at_once)
        if len(known) + len(self._left) > len(runs):
            for run_id in [run_id for run_id in known if run_id not in runs]:
                self._drop(known.pop(run_id))

    def steps(self) -> Iterator[None]:
        """Take what is left, some runs a step."""
        while self._left:
            self.version += 1
            self._take(_STEP_RUNS)
            yield

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
        """The newest run of a job that is no skip; while it waits, the one that goes on."""
        if job not in self._latest:
            newest_first = self.of(job)[::-1]
            found = next((r for r in newest_first if r.state is not RunState.SKIPPED), None)
            if found is not None and found.state is RunState.QUEUED:
                found = next(filter(is_at_agent, newest_first), found)
            self._latest[job] = found
        return self._latest[job]

    def since(self, from_us: int, now_us: int, jobs: Iterable[str]) -> dict[str, list[Run]]:
        """By job: its runs that ended from `from_us` until now, and those that are not over."""
        found: dict[str, list[Run]] = {job: [] for job in jobs}
        for run in (*self.ended(from_us, now_us + BUCKET_US), *self.active.values()):
            if run.job in found:
                found[run.job].append(run)
        for runs in found.values():
            runs.sort(key=_by_id)
        return found

    def ended(self, from_us: int, to_us: int) -> Iterator[Run]:
        """The runs that ended in [from, to), in no order."""
        for bucket in range(from_us // BUCKET_US, to_us // BUCKET_US + 1):
            for run in self._ended.get(bucket, {}).values():
                if from_us <= ended_us(run) < to_us:
                    yield run

    def _take(self, count: int) -> None:
        known = self._known
        taken = self._left[-count:]
        del self._left[-count:]
        for run in taken:
            old = known.get(run.id)
            if old is not None:
                self._drop(old)
            known[run.id] = run
            self._add(run)

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


def _by_id(run: Run) -> str:
    return run.id
