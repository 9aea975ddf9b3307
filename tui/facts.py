"""What is known of one run, in the lines above its log and below."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import tzinfo
from typing import Final

from tocsin.instants import SECOND_US
from tocsin.model import TERMINAL, JobRow, Run, RunState
from tocsin.units import format_duration, format_size

from .plain import one_line
from .usual import Usual
from .widgets.columns import Cell
from .words import (
    GLYPH,
    began_us,
    counted,
    moment,
    run_tail,
    run_time,
    span,
    state,
    tone,
    took,
    why,
)

_WAIT_SHOWN_S: Final = 1.0
_BEFORE_MAX: Final = 8
_DONE, _TO_DO = "█", "░"


def headline(run: Run, job: JobRow | None) -> str:
    """State, run, job, try and agent."""
    tries = job.job.retry.limit + 1 if job is not None and job.version == run.job_version else 1
    tries = max(tries, run.attempt)
    nth = f"  try {run.attempt} of {tries}" if tries > 1 else ""
    where = f"  on {one_line(run.agent)}" if run.agent else ""
    return f"{GLYPH[run.state]} {state(run).upper()}  {run.job}{nth}{where}"


def bar(run: Run, known: Usual | None, now_us: int, width: int) -> list[Cell]:
    """How far it is, by what is usual; nothing where that cannot be told."""
    if known is None or run.state is not RunState.RUNNING or run.started_us is None:
        return []
    elapsed_s = (now_us - run.started_us) / SECOND_US
    done = min(round(elapsed_s / max(known.median_s, 1e-3) * width), width)
    late = "bad" if elapsed_s > known.high_s else "busy"
    return [Cell(_DONE * done, late), Cell(_TO_DO * (width - done), "quiet"), Cell("  ")]


def progress(run: Run, job: JobRow | None, known: Usual | None, now_us: int) -> str:
    """How long it has been going, what is usual, what ends it, and what it said at its end."""
    parts = [f"ran {run_time(run, now_us)}" if run.started_us is not None else "not started"]
    if known is not None and run.started_us is not None:
        parts[0] += f" of usual {took(known.median_s)}, p95 {took(known.high_s)}"
    if run.state not in TERMINAL and run.started_us is not None and job is not None:
        end_us = run.started_us + round(job.job.timeout_s * SECOND_US)
        parts.append(f"timeout in {span((end_us - now_us) / SECOND_US)}")
    if run.not_before_us is not None and run.not_before_us > now_us:
        parts.append(f"tried again in {span((run.not_before_us - now_us) / SECOND_US)}")
    if run.exit_code is not None:
        parts.append(f"exit {run.exit_code}")
    if run.cpu_us is not None:
        parts.append(f"cpu {run.cpu_us / SECOND_US:.1f}s")
    if run.peak_memory_bytes is not None:
        parts.append(f"mem {format_size(run.peak_memory_bytes)}")
    if run.reason:
        parts.append(one_line(run.reason))
    return "  ".join(parts)


def story(run: Run, now_us: int, zone: tzinfo | None) -> str:
    """The instants of a run in their order, the waits between them, and what made it."""
    begun_us = run.due_us if run.due_us is not None else run.created_us
    steps = [f"{'due' if run.due_us is not None else 'made'} {moment(begun_us, now_us, zone)}"]
    sent_us = run.dispatched_us if run.dispatched_us is not None else run.started_us
    if sent_us is not None and (sent_us - begun_us) / SECOND_US >= _WAIT_SHOWN_S:
        steps.append(f"waited {took((sent_us - begun_us) / SECOND_US)}")
    told = (("sent", run.dispatched_us), ("started", run.started_us), ("ended", run.finished_us))
    steps += [f"{word} {moment(at_us, now_us, zone)}" for word, at_us in told if at_us is not None]
    if run.state is RunState.QUEUED:
        steps.append(f"waiting {took((now_us - begun_us) / SECOND_US)}")
    elif run.state is RunState.RUNNING:
        steps.append("running")
    return f"{' → '.join(steps)}  {why(run)}"


def verdict(run: Run, job: JobRow | None) -> str:
    """What a run that did not succeed came to, and what can be done; empty for others."""
    match run.state:
        case RunState.FAILED:
            code = f" with {run.exit_code}" if run.exit_code else ""
            return f"its program ended{code}: the log tells why; R repeats it, e changes the job"
        case RunState.TIMED_OUT:
            limit = f" of {format_duration(job.job.timeout_s)}" if job is not None else ""
            return f"it was ended at its timeout{limit}: R repeats it, e gives the job more time"
        case RunState.CANCELLED:
            return "somebody had it killed: w tells who, R repeats it"
        case RunState.LOST:
            agent = one_line(run.agent) or "its agent"
            return f"{agent} was not heard any more, it may have run: w tells since when, R repeats"
        case RunState.REFUSED:
            agent = one_line(run.agent) or "its agent"
            return f"{agent} could not start it: {_reason(run)}; e changes the job, R repeats it"
        case RunState.SKIPPED:
            return f"this due time got no run ({_reason(run)}): w tells why, r runs it now"
        case _:
            return ""


def tries(run: Run, earlier: Sequence[Run], now_us: int, zone: tzinfo | None) -> list[Cell]:
    """The attempts of the run, when there were several."""
    if not earlier:
        return []
    cells = []
    for attempt in [*earlier, run]:
        at_us = attempt.started_us or attempt.dispatched_us
        when = f" {moment(at_us, now_us, zone)}" if at_us is not None else ""
        where = f" {one_line(attempt.agent)}" if attempt.agent else ""
        cells.append(_run_cell(f"try {attempt.attempt} ", attempt, f"{where}{when}", now_us))
    return _spaced(cells)


def before(run: Run, others: Iterable[Run], now_us: int, zone: tzinfo | None) -> list[Cell]:
    """The runs of the job before this one, newest first."""
    earlier = [other for other in others if other.job == run.job and other.id < run.id]
    earlier.sort(key=lambda other: other.id, reverse=True)
    cells = [
        _run_cell("", other, f" {moment(began_us(other), now_us, zone)}", now_us)
        for other in earlier[:_BEFORE_MAX]
    ]
    return [Cell("before  ", "quiet"), *_spaced(cells)] if cells else []


def beside(run: Run, group: Iterable[Run], now_us: int) -> list[Cell]:
    """The other runs of its fire, those first that did not succeed."""
    others = [other for other in group if other.id != run.id]
    others.sort(key=lambda other: (other.state is RunState.SUCCEEDED, other.slot))
    cells = [
        _run_cell("", other, f" {one_line(other.agent) or run_tail(other.id)}", now_us)
        for other in others
    ]
    head = Cell(f"with {counted(len(others), 'other')}  ", "quiet")
    return [head, *_spaced(cells)] if cells else []


def _run_cell(head: str, run: Run, tail: str, now_us: int) -> Cell:
    end = f" {run_time(run, now_us)}" if run.started_us is not None else ""
    if run.state not in {RunState.SUCCEEDED, RunState.RUNNING}:
        end = f" {state(run)}"
    return Cell(f"{head}{GLYPH[run.state]}{tail}{end}", tone(run.state))


def _spaced(cells: Sequence[Cell]) -> list[Cell]:
    spaced: list[Cell] = []
    for cell in cells:
        spaced += [Cell("  "), cell]
    return spaced[1:]


def _reason(run: Run) -> str:
    return one_line(run.reason) or "no reason given"
