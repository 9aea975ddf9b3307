"""How long runs take, how late they begin, and how they end, in figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from tocsin.fires import jitter_us
from tocsin.instants import SECOND_US
from tocsin.model import JobRow, Run, RunState, Trigger

STRIP_COLUMNS: Final = 12
STRIP_US: Final = 300 * SECOND_US
HOUR_US: Final = STRIP_COLUMNS * STRIP_US
BROKEN: Final = frozenset(
    {RunState.FAILED, RunState.TIMED_OUT, RunState.LOST, RunState.REFUSED, RunState.CANCELLED}
)
"""Ends that are no success. A skip is no run."""
_BLOCKS: Final = " ▁▂▃▄▅▆▇█"


class Usual(msgspec.Struct, frozen=True):
    """How long a job's successful runs took, in seconds."""

    median_s: float
    p95_s: float
    count: int


class Delays(msgspec.Struct, frozen=True):
    """How much later than due and its jitter runs began, in seconds."""

    p50_s: float
    p95_s: float
    max_s: float
    worst: str
    """The job of the latest one."""


class Hour(msgspec.Struct, frozen=True):
    """The last sixty minutes."""

    ok: int = 0
    failed: int = 0
    lost: int = 0
    skipped: int = 0
    delays: Delays | None = None
    oks: tuple[int, ...] = (0,) * STRIP_COLUMNS
    """Successes by five minutes, oldest first."""
    fails: tuple[int, ...] = (0,) * STRIP_COLUMNS

    @property
    def runs(self) -> int:
        """Those that ran, or should have."""
        return self.ok + self.failed + self.lost


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value that `share` of them do not exceed (nearest rank); `ordered` is not empty."""
    return ordered[min(max(-int(-share * len(ordered) // 1) - 1, 0), len(ordered) - 1)]


def usual_of(runs: Iterable[Run]) -> Usual | None:
    """How long successful runs took; None without any."""
    spans = sorted(
        max(run.finished_us - run.started_us, 0) / SECOND_US
        for run in runs
        if run.state is RunState.SUCCEEDED
        and run.started_us is not None
        and run.finished_us is not None
    )
    if not spans:
        return None
    return Usual(percentile(spans, 0.5), percentile(spans, 0.95), len(spans))


def delay_s(run: Run, job: JobRow | None) -> float | None:
    """How much later than it was meant to a run began; None for one that is not by schedule."""
    if run.started_us is None or run.due_us is None or run.trigger is not Trigger.SCHEDULE:
        return None
    if run.attempt > 1:
        return None
    meant_us = run.due_us
    if job is not None:
        meant_us += jitter_us(job.job, run.agent if run.pin else "")
    return max(run.started_us - meant_us, 0) / SECOND_US


def last_hour(
    ended: Iterable[Run], active: Iterable[Run], jobs: Mapping[str, JobRow], now_us: int
) -> Hour:
    """What became of the runs that ended, or began, in the last sixty minutes."""
    counts = dict.fromkeys(("ok", "failed", "lost", "skipped"), 0)
    oks, fails = [0] * STRIP_COLUMNS, [0] * STRIP_COLUMNS
    late: list[tuple[float, str]] = []
    for run in ended:
        age_us = now_us - (run.finished_us or run.due_us or run.created_us)
        if not 0 <= age_us < HOUR_US:
            continue
        column = STRIP_COLUMNS - 1 - age_us // STRIP_US
        match run.state:
            case RunState.SUCCEEDED:
                counts["ok"] += 1
                oks[column] += 1
            case RunState.SKIPPED:
                counts["skipped"] += run.dues
            case state:
                counts["lost" if state is RunState.LOST else "failed"] += 1
                fails[column] += 1
        _note_delay(late, run, jobs)
    for run in active:
        _note_delay(late, run, jobs)
    return Hour(**counts, delays=_delays(late), oks=tuple(oks), fails=tuple(fails))


def bars(counts: Sequence[int]) -> str:
    """Counts as a strip of blocks, each as high as its share of the highest."""
    top = max(counts, default=0)
    if not top:
        return " " * len(counts)
    steps = len(_BLOCKS) - 1
    return "".join(_BLOCKS[-(-count * steps // top)] for count in counts)


def _note_delay(late: list[tuple[float, str]], run: Run, jobs: Mapping[str, JobRow]) -> None:
    seconds = delay_s(run, jobs.get(run.job))
    if seconds is not None:
        late.append((seconds, run.job))


def _delays(late: list[tuple[float, str]]) -> Delays | None:
    if not late:
        return None
    late.sort()
    spans = [seconds for seconds, _ in late]
    return Delays(percentile(spans, 0.5), percentile(spans, 0.95), *late[-1])
