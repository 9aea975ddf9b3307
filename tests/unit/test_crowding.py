"""Jitter that is longer than the time between due times."""

from __future__ import annotations

import pytest

from tocsin.crowding import crowded
from tocsin.model import Job, Overlap


def _job(schedule: list[str], jitter_s: float, overlap: Overlap = Overlap.SKIP) -> Job:
    return Job(
        name="a",
        executor="shell",
        config={"command": "x"},
        schedule=schedule,
        jitter_s=jitter_s,
        overlap=overlap,
    )


@pytest.mark.parametrize(
    ("schedule", "jitter_s", "gap"),
    [
        (["@every 1m"], 61.0, "1m"),
        (["0 9 * * *", "*/5 10 * * *"], 3600.0, "5m"),
        (["0 0 1 * *"], 86_400.0 * 40, "28d"),
    ],
)
def test_a_jitter_longer_than_the_shortest_gap_is_said(
    schedule: list[str], jitter_s: float, gap: str
) -> None:
    """The shortest of any of its schedules counts."""
    assert f"longer than the {gap} between" in crowded(_job(schedule, jitter_s))
    assert "skips the next" in crowded(_job(schedule, jitter_s))
    assert "is replaced by" in crowded(_job(schedule, jitter_s, Overlap.REPLACE))


@pytest.mark.parametrize(
    "job",
    [
        _job(["@every 1m"], 60.0),
        _job(["@every 1m"], 0.0),
        _job([], 60.0),
        _job(["@at 2030-01-01T00:00:00Z"], 60.0),
        _job(["@every 1m"], 600.0, Overlap.ALLOW),
        _job(["@every 1m"], 600.0, Overlap.QUEUE),
    ],
)
def test_a_jitter_that_hurts_nobody_is_not_mentioned(job: Job) -> None:
    """Short ones, lone due times, and runs that may overlap or wait."""
    assert crowded(job) == ""
