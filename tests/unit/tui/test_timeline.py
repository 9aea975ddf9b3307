"""The timeline: what stands in which column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from rich.cells import cell_len

from tests.tui.fleet import BERLIN, NOW_US, at, job, run
from tocsin.instants import from_rfc3339
from tocsin.model import JobRow, Pause, Run, RunState, Scope
from tocsin.tui.durations import Usual
from tocsin.tui.forecast import Fires, fires_in
from tocsin.tui.pause_times import of_jobs
from tocsin.tui.timeline import (
    STEPS_S,
    JobLine,
    Scale,
    axis_cells,
    first_step,
    interest,
    job_cells,
    others_cells,
    scale_of,
    title,
)
from tocsin.tui.widgets.columns import Cell

WIDTH = 80
MINUTE = STEPS_S.index(60)


def text(cells: Sequence[Cell]) -> str:
    """The cells of a row, one behind the other."""
    return "".join(cell.text for cell in cells)


def minutes(pan: int = 0) -> Scale:
    """A minute a column: 18 cells of names, 62 more of which 20 are past."""
    return scale_of(WIDTH, MINUTE, pan, NOW_US, BERLIN)


def plot(
    row: JobRow,
    *runs: Run,
    usual: Usual | None = None,
    scale: Scale | None = None,
    pauses: Sequence[Pause] = (),
) -> str:
    """What is drawn behind a job's name, from the now-line's column on either side."""
    scale = scale or minutes()
    latest = next((r for r in reversed(runs) if r.state is not RunState.SKIPPED), None)
    line = JobLine(row, latest, runs, usual, fires_in(row.job, scale.span, {}), pauses)
    drawn = text(job_cells(line, scale, WIDTH))
    assert cell_len(drawn) == WIDTH
    return drawn[WIDTH - scale.width :]


def past(row: JobRow, *runs: Run, **more: Any) -> str:
    """The last nine columns before now."""
    drawn = plot(row, *runs, **more)
    return drawn[minutes().now - 9 : minutes().now]


def future(row: JobRow, *runs: Run, **more: Any) -> str:
    """The first ten columns after now."""
    drawn = plot(row, *runs, **more)
    return drawn[minutes().now + 1 : minutes().now + 11]


ETL = job(1, "etl", "@manual")


@pytest.mark.parametrize(
    ("state", "more", "drawn"),
    [
        (RunState.SUCCEEDED, {"started_us": at(-330), "finished_us": at(-325)}, "   █     "),
        (RunState.SUCCEEDED, {"started_us": at(-330), "finished_us": at(-150)}, "   ████  "),
        (RunState.FAILED, {"started_us": at(-330), "finished_us": at(-325)}, "   x     "),
        (RunState.LOST, {"started_us": at(-330), "finished_us": at(-325)}, "   ?     "),
        (RunState.SKIPPED, {"due_us": at(-330)}, "   s     "),
        (RunState.RUNNING, {"started_us": at(-330)}, "   ►►►►►►"),
        (RunState.QUEUED, {"due_us": at(-330)}, "   ○○○○○○"),
    ],
)
def test_past(state: RunState, more: dict[str, Any], drawn: str) -> None:
    """A run stands from its start to its end."""
    assert past(ETL, run(1, "etl", state, **more)) == drawn


def test_a_failure_is_not_hidden_by_a_success() -> None:
    """Of two in a column the worse one shows."""
    ended = {"started_us": at(-330), "finished_us": at(-325)}
    runs = run(1, "etl", RunState.FAILED, **ended), run(2, "etl", RunState.SUCCEEDED, **ended)
    assert past(ETL, *runs) == "   x     "
    assert past(ETL, *reversed(runs)) == "   x     "


def test_a_run_is_drawn_to_its_usual_end() -> None:
    """Dots stand from now to when it usually is over."""
    going = run(1, "etl", RunState.RUNNING, started_us=at(-120))
    assert future(ETL, going, usual=Usual(480.0, 500.0, 9)) == "······    "
    assert future(ETL, going) == " " * 10


@pytest.mark.parametrize(
    ("schedule", "more", "drawn"),
    [
        ("*/5 * * * *", {}, " ◇    ◇   "),
        ("* * * * *", {}, "◇" * 10),
        ("*/20 * * * * *", {}, "3" * 10),
        ("@every 1s", {}, "#" * 10),
        ("*/5 * * * *", {"paused": True}, " ‖    ‖   "),
        ("*/5 * * * *", {"paused": True, "pause_until_us": at(240)}, " ‖    ◇   "),
        ("*/5 * * * *", {"enabled": False}, " " * 10),
    ],
)
def test_future(schedule: str, more: dict[str, Any], drawn: str) -> None:
    """Fires to come stand in their columns, as a count where there are several."""
    assert future(job(1, "etl", schedule, **more)) == drawn


@pytest.mark.parametrize(
    ("scope", "value", "since_s", "until_s", "drawn"),
    [
        (Scope.ALL, "", -60, None, " ‖    ‖   "),
        (Scope.JOB, "e*", -60, 240, " ‖    ◇   "),
        (Scope.LABEL, "team=data", 240, None, " ◇    ‖   "),
        (Scope.LABEL, "team=web", -60, None, " ◇    ◇   "),
        (Scope.AGENT, "*", -60, None, " ◇    ◇   "),
    ],
)
def test_maintenance_ahead(
    scope: Scope, value: str, since_s: float, until_s: float | None, drawn: str
) -> None:
    """What it will let pass has a glyph of its own, as far as it is of this job."""
    until_us = None if until_s is None else at(until_s)
    pause = Pause(id="p", scope=scope, value=value, since_us=at(since_s), until_us=until_us)
    row = job(1, "etl", "*/5 * * * *", labels={"team": "data"})
    assert future(row, pauses=of_jobs([pause])) == drawn


def test_a_late_job_is_marked_since_it_was_due() -> None:
    """Until a record comes."""
    row = job(1, "cert-renew", "54 12 * * *", -300)
    assert past(row) == "    !!!!!"
    assert text(job_cells(JobLine(row), minutes(), WIDTH)).startswith("! cert-renew late ")


def test_now_stands_where_it_is_until_the_view_is_moved() -> None:
    """A third of the plot is past; panned away, there is no now-line."""
    assert plot(ETL).index("│") == minutes().now == 20
    moved = minutes(pan=100)
    assert "│" not in plot(ETL, scale=moved)
    assert "NOW" not in text(axis_cells(moved, WIDTH))
    assert title(moved) == "Timeline from in 1h19m to in 2h21m"


def test_the_axis_has_round_times_of_the_zone() -> None:
    """And now, which no tick may touch."""
    axis = text(axis_cells(minutes(), WIDTH))
    assert cell_len(axis) == WIDTH
    assert axis.strip() == "13:50    NOW 14:03  14:10     14:20     14:30     14:40"


def test_the_axis_leaves_out_hours_that_do_not_exist() -> None:
    """On the night of summer time 02:00 is no time."""
    now_us = from_rfc3339("2026-03-29T00:30:00Z")
    axis = text(axis_cells(scale_of(WIDTH, STEPS_S.index(300), 0, now_us, BERLIN), WIDTH))
    assert "03:00" in axis
    assert "02:00" not in axis


def test_the_other_jobs_are_counted() -> None:
    """Without those that have a row of their own; a failure among them shows."""
    scale = minutes()
    here = scale.first + scale.now
    totals = {here + 1: 3, here + 2: 14, here + 3: 1}
    shown = [JobLine(job(1, "etl", "* * * * *"), fires=Fires({here + 1: 1, here + 3: 1}))]
    ended = [
        run(1, "a", finished_us=at(-120)), run(2, "b", finished_us=at(-125)),
        run(3, "c", RunState.FAILED, finished_us=at(-60)),
    ]  # fmt: skip
    drawn = text(others_cells(214, ended, totals, shown, scale, WIDTH, whole=True))
    assert cell_len(drawn) == WIDTH
    assert drawn.startswith("214 other jobs ")
    assert drawn[18 + scale.now - 2 : 18 + scale.now + 4] == "2x│2# "
    unfinished = text(others_cells(214, [], {}, [], scale, WIDTH, whole=False))
    assert unfinished.startswith("214 other jobs … ")


@pytest.mark.parametrize("width", range(80, 301, 20))
def test_any_width_is_filled_and_reaches_three_hours(width: int) -> None:
    """From the narrowest screen to the widest, at each zoom."""
    for step in range(len(STEPS_S)):
        scale = scale_of(width, step, 0, NOW_US, BERLIN)
        line = JobLine(job(1, "a" * 60, "*/5 * * * *", paused=True))
        assert cell_len(text(job_cells(line, scale, width))) == width
        assert cell_len(text(axis_cells(scale, width))) == width
    scale = scale_of(width, first_step(width), 0, NOW_US, BERLIN)
    assert scale.span.to_us - scale.span.from_us >= 3 * 3600 * 1_000_000


def test_wide_names_keep_the_columns() -> None:
    """A name of double width is cut by cells and not by letters."""
    assert (
        cell_len(text(job_cells(JobLine(job(1, "夜間バックアップ処理" * 3)), minutes(), WIDTH)))
        == 80
    )


def test_interest() -> None:
    """What runs comes first, then what is late, failed, due, and paused."""
    rows: list[tuple[JobRow, Run | None]] = [
        (job(1, "a", "* * * * *", 10), run(1, "a", RunState.RUNNING)),
        (job(2, "b", "* * * * *", -10), None),
        (job(3, "c", "* * * * *", 10, last_state=RunState.FAILED), None),
        (job(4, "d", "* * * * *", 10), None),
        (job(5, "e", "* * * * *", 20), None),
        (job(6, "f", "* * * * *", 5, paused=True), None),
    ]
    order = sorted(rows, key=lambda pair: interest(pair[0], pair[1], NOW_US))
    assert [row.job.name for row, _ in order] == list("abcdef")
