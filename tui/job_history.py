"""The runs of one job: how long they took, how they ended, and what they failed of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import tzinfo
from typing import Final

import msgspec
from rich.cells import cell_len

from tocsin.instants import SECOND_US
from tocsin.model import TERMINAL, JobVersion, Run, RunState

from .durations import BROKEN, bars, usual_of
from .plain import fit, one_line
from .widgets.columns import Cell
from .words import GLYPH, began_us, moment, run_tail, run_time, span, state, tone, took

LABEL_CELLS: Final = 8
FIGURES_CELLS: Final = 30
RUNS_MAX: Final = 500
"""More of one job are no history that anybody looks at one by one."""
_SAID_BY_CODE: Final = re.compile(r"exit (code|status) \d+")


class Strip(msgspec.Struct, frozen=True):
    """Three lines: durations, results, and what the cursor is on."""

    took: tuple[Cell, ...]
    result: tuple[Cell, ...]
    cursor: tuple[Cell, ...]


class Failure(msgspec.Struct, frozen=True):
    """Runs that failed of the same."""

    text: str
    count: int
    newest: Run


def runs_of(runs: Iterable[Run], job: str) -> tuple[Run, ...]:
    """The newest runs of a job, the newest last: ids are ULIDs, so they sort by time."""
    return tuple(
        sorted((run for run in runs if run.job == job), key=lambda run: run.id)[-RUNS_MAX:]
    )


def failures_only(runs: Iterable[Run]) -> tuple[Run, ...]:
    """Those that ended, and not well."""
    return tuple(run for run in runs if run.state in BROKEN)


def strip(runs: Sequence[Run], chosen: int, width: int, now_us: int, zone: tzinfo | None) -> Strip:
    """The newest runs that fit into a width, or those up to the chosen one where it is older."""
    if not runs:
        return Strip((), (Cell(" no runs yet", "quiet"),), ())
    room = max(width - LABEL_CELLS - FIGURES_CELLS, 1)
    end = len(runs) if chosen >= len(runs) - room else chosen + 1
    shown = runs[max(end - room, 0) : end]
    column = LABEL_CELLS + chosen - (end - len(shown))
    blocks = bars([_took_us(run, now_us) for run in shown])
    over, ended = figures(runs)
    return Strip(
        _line(" took", [Cell(blocks)], len(shown), over, width),
        _line(" result", _results(shown), len(shown), ended, width),
        _pointer(runs[chosen], column, width, now_us, zone),
    )


def figures(runs: Sequence[Run]) -> tuple[str, str]:
    """How long successes take, and how many of those that ended are one; empty without any."""
    usual = usual_of(runs)
    times = "" if usual is None else f"p50 {took(usual.median_s)}  p95 {took(usual.p95_s)}"
    ended = [run.state for run in runs if run.state is RunState.SUCCEEDED or run.state in BROKEN]
    if not ended:
        return times, ""
    share = 100 * ended.count(RunState.SUCCEEDED) / len(ended)
    return times, f"ok {share:.{0 if share in {0, 100} else 1}f}%, {_streak(ended)}"


def failures(runs: Iterable[Run]) -> list[Failure]:
    """Failed runs by exit and reason, the most frequent first."""
    found: dict[str, list[Run]] = {}
    for run in failures_only(runs):
        found.setdefault(cause(run), []).append(run)
    groups = [Failure(text, len(some), max(some, key=lambda run: run.id))
              for text, some in found.items()]  # fmt: skip
    groups.sort(key=lambda group: group.newest.id, reverse=True)
    groups.sort(key=lambda group: group.count, reverse=True)
    return groups


def cause(run: Run) -> str:
    """How a run ended, and why, said once."""
    ended, reason = state(run), one_line(run.reason)
    if not reason or reason in ended or _SAID_BY_CODE.fullmatch(reason):
        return ended
    return f"{ended}: {reason}"


def first_failure_after(version: JobVersion, runs: Iterable[Run]) -> str:
    """How long after a change its first failing run came; empty when none did."""
    of_it = [run for run in runs if run.job_version == version.version]
    good = 0
    for run in of_it:
        if run.state in BROKEN:
            after_s = max(began_us(run) - version.changed_us, 0) / SECOND_US
            before = f", {good} ok before it" if good else ""
            return f"first failing run came {span(after_s)} after v{version.version}{before}"
        good += run.state is RunState.SUCCEEDED
    return ""


def _took_us(run: Run, now_us: int) -> int:
    if run.started_us is None:
        return 0
    end_us = run.finished_us if run.finished_us is not None else now_us
    return max(end_us - run.started_us, 1)


def _results(runs: Sequence[Run]) -> list[Cell]:
    """One glyph a run; neighbours of one colour are one cell."""
    cells: list[Cell] = []
    for run in runs:
        colour = tone(run.state)
        if cells and cells[-1].tone == colour:
            cells[-1] = Cell(cells[-1].text + GLYPH[run.state], colour)
        else:
            cells.append(Cell(GLYPH[run.state], colour))
    return cells


def _line(
    label: str, cells: Sequence[Cell], used: int, figure: str, width: int
) -> tuple[Cell, ...]:
    room = max(width - LABEL_CELLS - used, 0)
    return (Cell(fit(label, LABEL_CELLS), "quiet"), *cells, Cell(fit(f"  {figure}", room)))


def _pointer(
    run: Run, column: int, width: int, now_us: int, zone: tzinfo | None
) -> tuple[Cell, ...]:
    """What the cursor is on, beside a mark below its run."""
    parts = [run_tail(run.id), moment(began_us(run), now_us, zone), cause(run)]
    if run.started_us is not None:
        word = "after" if run.state in TERMINAL else "for"
        parts.append(f"{word} {run_time(run, now_us)}")
    if run.agent:
        parts.append(f"on {one_line(run.agent)}")
    text = " ".join(parts)
    left, right, size = column - 1, width - column - 2, cell_len(text)
    if size <= left or (size > right and left >= right):
        line = f"{fit(text, left, right=size <= left)} ^"
    else:
        line = f"{' ' * column}^ {text}"
    return (Cell(fit(line, width), tone(run.state)),)


def _streak(ended: Sequence[RunState]) -> str:
    """How many of the last ones ended alike; `ended` is not empty."""
    good = ended[-1] is RunState.SUCCEEDED
    count = 0
    for one in reversed(ended):
        if (one is RunState.SUCCEEDED) is not good:
            break
        count += 1
    word = "ok" if good else "fails" if count > 1 else "fail"
    return f"streak: {count} {word}"
