"""A job's runs side by side, and what they failed of."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from rich.cells import cell_len

from tests.tui.fleet import BERLIN, NOW_US, at, run
from tests.tui.history import VERSIONS, past_runs
from tocsin.model import Run, RunState
from tocsin.tui.job_history import (
    FIGURES_CELLS,
    LABEL_CELLS,
    cause,
    failures,
    failures_only,
    figures,
    first_failure_after,
    runs_of,
    strip,
)
from tocsin.tui.widgets.columns import Cell

PAST = past_runs()
RUNNING = run(9, "billing-sync", RunState.RUNNING, started_us=at(-5), agent="app-01")


def text(cells: tuple[Cell, ...]) -> str:
    """What is read."""
    return "".join(cell.text for cell in cells)


@pytest.mark.parametrize("width", [40, 60, 80, 100, 140, 200])
@pytest.mark.parametrize("chosen", [0, 1, 37, 58, 59])
def test_the_mark_stands_below_its_run(width: int, chosen: int) -> None:
    """However many runs fit, the one under the cursor is among them, above the mark."""
    told = strip(PAST, chosen, width, NOW_US, BERLIN)
    result, cursor = text(told.result), text(told.cursor)
    assert all(cell_len(text(line)) == width for line in (told.took, told.result, told.cursor))
    column = cursor.index("^")
    assert LABEL_CELLS <= column < width
    assert result[column] == ("✗" if chosen in {37, 58, 59} else "●")
    assert text(told.took)[column] in "▁▂▃▄▅▆▇█"


def test_an_older_run_is_the_last_in_sight() -> None:
    """Going back beyond the edge moves what is in sight."""
    told = strip(PAST, 10, LABEL_CELLS + FIGURES_CELLS + 5, NOW_US, BERLIN)
    assert text(told.cursor).index("^") == LABEL_CELLS + 4
    assert PAST[10].id[-6:] in text(told.cursor)


def test_a_run_under_way_grows() -> None:
    """Its bar is as high as it has taken so far."""
    told = strip([PAST[0], RUNNING], 1, 100, NOW_US, BERLIN)
    assert "for 5s" in text(told.cursor)
    assert text(told.result)[LABEL_CELLS + 1] == "►"


def test_without_runs() -> None:
    """A job that never ran says so."""
    assert "no runs yet" in text(strip((), -1, 80, NOW_US, BERLIN).result)


@pytest.mark.parametrize(
    ("states", "said"),
    [
        ("", ""),
        ("o", "ok 100%, streak: 1 ok"),
        ("ox", "ok 50.0%, streak: 1 fail"),
        ("oxx", "ok 33.3%, streak: 2 fails"),
        ("xxo", "ok 33.3%, streak: 1 ok"),
        ("xs", "ok 0%, streak: 1 fail"),
        ("oosr", "ok 100%, streak: 2 ok"),
    ],
)
def test_figures(states: str, said: str) -> None:
    """Skips and runs under way count neither as good nor as bad."""
    kinds = {
        "o": RunState.SUCCEEDED,
        "x": RunState.FAILED,
        "s": RunState.SKIPPED,
        "r": RunState.RUNNING,
    }
    runs = [run(number, "a", kinds[letter]) for number, letter in enumerate(states)]
    assert figures(runs)[1] == said


def test_times_are_those_of_successes() -> None:
    """The median, and what nineteen in twenty do not exceed."""
    runs = [
        run(n, "a", RunState.SUCCEEDED, started_us=at(0), finished_us=at(n)) for n in range(1, 101)
    ]
    assert figures(runs)[0] == "p50 50s  p95 1m35s"


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (run(1, "a", RunState.FAILED, exit_code=1, reason="exit code 1"), "failed, exit 1"),
        (
            run(1, "a", RunState.FAILED, exit_code=1, reason="no\x1b[31m db"),
            "failed, exit 1: no db",
        ),
        (run(1, "a", RunState.TIMED_OUT), "timed out"),
        (run(1, "a", RunState.SKIPPED, reason="paused"), "skipped: paused"),
        (run(1, "a", RunState.LOST, reason="its agent is away"), "lost: its agent is away"),
    ],
)
def test_cause_is_said_once(one: Run, said: str) -> None:
    """A reason that says what the state says already is left out."""
    assert cause(one) == said


def test_failures_are_grouped() -> None:
    """The most frequent cause first, each with its newest run."""
    other = run(8, "billing-sync", RunState.TIMED_OUT)
    groups = failures([*PAST, other])
    assert [(group.text, group.count) for group in groups] == [
        ("failed, exit 1: connection refused db-02:5432", 3),
        ("timed out", 1),
    ]
    assert groups[0].newest == PAST[59]
    assert [one.state for one in failures_only([*PAST, other])] == [RunState.FAILED] * 3 + [
        RunState.TIMED_OUT
    ]


def test_runs_of_a_job_are_in_order() -> None:
    """The newest is the last, and others have no place there."""
    assert runs_of([*reversed(PAST), run(1, "other")], "billing-sync") == tuple(PAST)


def test_how_soon_a_change_failed() -> None:
    """The first failing run of a version is told by how long after the change it came."""
    said = first_failure_after(VERSIONS[0], PAST)
    assert said == "first failing run came 1h57m after v3, 8 ok before it"
    assert first_failure_after(replace(VERSIONS[0], version=4), PAST) == ""
