"""Whether a job's jitter is so long that due times get into each other's way."""

from __future__ import annotations

from typing import Final

from tocsin.instants import SECOND_US
from tocsin.model import Job, Overlap
from tocsin.schedule import parse
from tocsin.units import format_duration

# 2026-01-01T00:00:00Z: gaps are looked at from a fixed instant, so that what is said is stable.
_FROM_US: Final = 1_767_225_600 * SECOND_US
_GAPS_LOOKED_AT: Final = 50


def crowded(job: Job) -> str:
    """What to say of a job whose jitter outlasts the time between two due times; else nothing.

    A run that waits for its jitter counts as under way.
    """
    if not job.jitter_s or job.overlap not in {Overlap.SKIP, Overlap.REPLACE}:
        return ""
    gap_s = _shortest_gap_s(job)
    if gap_s is None or gap_s >= job.jitter_s:
        return ""
    verb = "skips the next ones" if job.overlap is Overlap.SKIP else "is replaced by the next"
    return (
        f"its jitter of {format_duration(job.jitter_s)} is longer than the "
        f"{format_duration(gap_s)} between its due times: a run that waits for it {verb}"
    )


def _shortest_gap_s(job: Job) -> float | None:
    gaps_us = []
    for text in job.schedule:
        schedule = parse(text, job.timezone, key=job.name, dst=job.dst)
        at_us = schedule.next_us(_FROM_US)
        for _ in range(_GAPS_LOOKED_AT):
            later_us = None if at_us is None else schedule.next_us(at_us)
            if at_us is None or later_us is None:
                break
            gaps_us.append(later_us - at_us)
            at_us = later_us
    return min(gaps_us) / SECOND_US if gaps_us else None
