"""What the tables show of jobs and runs: columns, cells and the order of rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Final

from tocsin.model import JobRow, Run

from .plain import one_line
from .widgets.columns import Cell, Column
from .words import (
    GLYPH,
    began_us,
    job_glyph,
    last,
    moment,
    next_due,
    run_tail,
    run_time,
    schedule,
    state,
    tone,
    zone_name,
)

JOB_COLUMNS: Final = (
    Column(title="", width=1),
    Column(title="JOB", width=14, flex=3),
    Column(title="SCHEDULE", width=13, flex=2, rank=3),
    Column(title="TZ", width=6, rank=5),
    Column(title="NEXT", width=10, rank=1),
    Column(title="AT", width=12, rank=4),
    Column(title="LAST", width=18, flex=1, rank=2),
    Column(title="LAST 12 RUNS", width=12, rank=6),
)
STRIP_RUNS: Final = 12
RUN_COLUMNS: Final = (
    Column(title="", width=1),
    Column(title="STATE", width=16, flex=2),
    Column(title="JOB", width=14, flex=3),
    Column(title="BEGAN", width=9, flex=1, rank=1),
    Column(title="TOOK", width=6, right=True, rank=2),
    Column(title="AGENT", width=8, flex=2, rank=3),
    Column(title="TRY", width=3, right=True, rank=5),
    Column(title="RUN", width=6, rank=4),
)


def job_cells(
    row: JobRow, latest: Run | None, now_us: int, zone: tzinfo | None, recent: Sequence[Run] = ()
) -> tuple[Cell, ...]:
    """The cells of `JOB_COLUMNS`."""
    glyph, colour = job_glyph(row, latest)
    due = next_due(row, now_us)
    at = "" if row.next_due_us is None or row.paused else moment(row.next_due_us, now_us, zone)
    return (
        Cell(glyph, colour),
        Cell(row.job.name),
        Cell(schedule(row)),
        Cell(zone_name(row), "quiet"),
        Cell(due, "bad" if due.endswith("LATE") else ""),
        Cell(at),
        Cell(last(row, latest, now_us), colour),
        Cell("".join(GLYPH[run.state] for run in recent).rjust(STRIP_RUNS)),
    )


def run_cells(run: Run, job: JobRow | None, now_us: int, zone: tzinfo | None) -> tuple[Cell, ...]:
    """The cells of `RUN_COLUMNS`."""
    colour = tone(run.state)
    tries = 1 + (job.job.retry.limit if job is not None else 0)
    return (
        Cell(GLYPH[run.state], colour),
        Cell(state(run), colour),
        Cell(run.job),
        Cell(moment(began_us(run), now_us, zone)),
        Cell(run_time(run, now_us)),
        Cell(one_line(run.agent) or "-", "" if run.agent else "quiet"),
        Cell(str(run.attempt) if tries > 1 or run.attempt > 1 else ""),
        Cell(run_tail(run.id), "quiet"),
    )
