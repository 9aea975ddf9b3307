"""The jobs of an hour as rows of a table."""

from __future__ import annotations

from datetime import tzinfo
from typing import Final

from .hour import HourDetail, JobOfHour
from .widgets.columns import Cell, Column
from .words import local, took

_BESIDE_SHOWN: Final = 3
HOUR_COLUMNS: Final = (
    Column(title="AT", width=8),
    Column(title="JOB", width=16, flex=3),
    Column(title="USUAL", width=6, right=True),
    Column(title="TARGET", width=12, flex=2, rank=2),
    Column(title="RUNS BESIDE", width=14, flex=3, rank=1),
)


def job_cells(
    job: JobOfHour, detail: HourDetail, target: str, zone: tzinfo | None
) -> tuple[Cell, ...]:
    """The cells of `HOUR_COLUMNS`."""
    begins = job.begins
    times = f" x{len(begins)}" if len(begins) > 1 else ""
    usual = took(job.usual_s) if job.usual_s is not None else "?"
    others = detail.overlaps(job, _BESIDE_SHOWN + 1)
    more = ", …" if len(others) > _BESIDE_SHOWN else ""
    overlaps = ", ".join(others[:_BESIDE_SHOWN]) + more
    at = f"{local(job.begins[0].at_us, zone):%H:%M:%S}"
    texts = (at, f"{job.row.job.name}{times}", usual, target, overlaps or "-")
    return tuple(Cell(text) for text in texts)
