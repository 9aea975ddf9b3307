"""The panes of a job's screen as lines: each has a key, by which the screen knows what it is of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo
from itertools import zip_longest
from typing import Final
from zoneinfo import ZoneInfo

from tocsin.errors import ScheduleError
from tocsin.fires import Fire, jitter_us, next_fires
from tocsin.instants import SECOND_US
from tocsin.model import Calendar, DependencyOn, Job, JobRow, JobVersion, Pause, Run
from tocsin.pausing import pauses_job
from tocsin.units import format_duration

from .job_facts import in_english, paused_words
from .job_history import Failure, first_failure_after
from .pause_times import maintenance_words, passes, pause_times
from .plain import fit, one_line
from .versions import change_line
from .widgets.columns import Cell
from .words import (
    GLYPH,
    began_us,
    job_glyph,
    last,
    local,
    moment,
    run_tail,
    run_time,
    schedule,
    state,
    tone,
    until,
)

FIRES: Final = 5
_DAY_ALONE_US: Final = 6 * 86_400 * SECOND_US
"""Up to here the day of the week alone says which day."""
Row = tuple[str, tuple[Cell, ...]]
"""What a line is about, and what it says."""
_STATE_CELLS: Final = 24
_STATE_CELLS_LEAST: Final = 12
_ON: Final = {
    DependencyOn.SUCCESS: "succeeded",
    DependencyOn.FAILURE: "failed",
    DependencyOn.ANY: "is over",
}


def headline(row: JobRow, latest: Run | None, *, removed: bool) -> tuple[str, str]:
    """What the job is, in one line, and its colour."""
    job = row.job
    glyph, colour = job_glyph(row, latest)
    if removed:
        return f"✗ {job.name}   removed; its runs stay on record. V brings it back", "bad"
    labels = " ".join(f"{one_line(key)}={one_line(value)}" for key, value in job.labels.items())
    parts = [f"{glyph} {job.name}", schedule(row), in_english(job), f"v{row.version}"]
    parts += [one_line(job.description), labels]
    return "   ".join(part for part in parts if part), colour


def fire_rows(
    row: JobRow,
    calendars: Mapping[str, Calendar],
    pauses: Iterable[Pause],
    now_us: int,
    zone: tzinfo | None,
    width: int,
) -> list[Row]:
    """When it fires next, on its clock and on the user's, and what is to be said of that."""
    pauses = [pause for pause in pauses if pauses_job(pause, row.job)]
    rows: list[Row] = []
    paused = paused_words(row, zone) or ("" if row.job.enabled else "off: enabled is false")
    if paused:
        rows.append(_said(paused, width, "warn"))
    rows += [_said(maintenance_words(pause, zone), width, "warn") for pause in pauses]
    due_us = row.next_due_us
    if not paused and due_us is not None and due_us < now_us - 2 * SECOND_US:
        late = f"due {moment(due_us, now_us, zone)}, {until(due_us, now_us)}"
        rows.append(_said(late, width, "bad", f"fire {due_us}"))
    try:
        fires = next_fires(row.job, now_us, FIRES, calendars)
    except ScheduleError as error:
        return [*rows, _said(error.message, width, "bad")]
    job_zone, passing = ZoneInfo(row.job.timezone), pause_times(row, pauses)
    for number, fire in enumerate(fires, 1):
        mark = "‖" if passes(fire.at_us, passing) else " "
        rows += _fire_rows(f"{number}{mark}", fire, now_us, job_zone, zone, width)
    if not fires:
        rows.append(_said(_never(row.job), width, "quiet"))
    rows += [_said(text, width, "quiet") for text in _rules(row.job)]
    return rows


def trigger_rows(
    row: JobRow, jobs: Mapping[str, JobRow], latest: Mapping[str, Run], now_us: int, width: int
) -> list[Row]:
    """The jobs that it comes after, and those that come after it."""
    name = row.job.name
    rows: list[Row] = []
    for it in row.job.after:
        other = jobs.get(it.job)
        how = "not there" if other is None else last(other, latest.get(it.job), now_us)
        glyph, colour = ("?", "bad") if other is None else job_glyph(other, latest.get(it.job))
        text = f"after {glyph} {it.job} {_ON[it.on]}   last {how}"
        rows.append((it.job, (Cell(fit(text, width), colour),)))
    for other in jobs.values():
        for it in other.job.after:
            if it.job == name:
                glyph, _ = job_glyph(other, latest.get(other.job.name))
                text = f"{_ON[it.on]} → {glyph} {other.job.name}"
                rows.append((other.job.name, (Cell(fit(text, width)),)))
    return rows


def failure_rows(
    groups: Iterable[Failure], now_us: int, zone: tzinfo | None, width: int
) -> list[Row]:
    """Causes of failures with how often each was one, and when last."""
    rows: list[Row] = []
    for group in groups:
        when = f"  {moment(began_us(group.newest), now_us, zone)} "
        head = f"{group.count:>3} x  "
        text = fit(group.text, max(width - len(head) - len(when), 0))
        cells = (Cell(head), Cell(text, tone(group.newest.state)), Cell(when, "quiet"))
        rows.append((group.newest.id, cells))
    return rows


def change_rows(
    versions: Sequence[JobVersion],
    runs: Sequence[Run],
    now_us: int,
    zone: tzinfo | None,
    width: int,
) -> list[Row]:
    """The versions, newest first, with what each changed and how soon its runs failed."""
    rows: list[Row] = []
    failed = first_failure_after(versions[0], runs) if versions else ""
    for version, before in zip_longest(versions, versions[1:]):
        key = f"v{version.version}"
        rows.append((key, (Cell(fit(change_line(version, before, now_us, zone), width)),)))
        if failed:
            rows.append((f"{key} failed", (Cell(fit(f"  {failed}", width), "warn"),)))
            failed = ""
    return rows


def run_rows(runs: Iterable[Run], now_us: int, zone: tzinfo | None, width: int) -> list[Row]:
    """Runs, in their order."""
    rows: list[Row] = []
    for run in runs:
        head = f"{run_tail(run.id)} {moment(began_us(run), now_us, zone):<9} "
        tail = f" {run_time(run, now_us):>6} {one_line(run.agent)}"
        room = max(width - len(head), 0)
        size = max(min(room - len(tail), _STATE_CELLS), min(room, _STATE_CELLS_LEAST))
        text = fit(f"{GLYPH[run.state]} {state(run)}", size)
        cells = (Cell(head), Cell(text, tone(run.state)), Cell(fit(tail, room - size)))
        rows.append((run.id, cells))
    return rows


def _fire_rows(
    number: str, fire: Fire, now_us: int, job_zone: ZoneInfo, zone: tzinfo | None, width: int
) -> list[Row]:
    there, here = local(fire.at_us, job_zone), local(fire.at_us, zone)
    day = f"{there.day} {there:%b}"
    day = f"{there:%a}" if fire.at_us - now_us < _DAY_ALONE_US else f"{there:%a} {day}"
    shown = f"{day} {there:%H:%M:%S %Z}"
    if there.utcoffset() != here.utcoffset():
        shown += f"   {here:%H:%M:%S %Z}"
    text = f"{number} {shown}   {until(fire.at_us, now_us)}"
    key = f"fire {fire.at_us}"
    passes_by = fire.blackout or number.endswith("‖")
    rows: list[Row] = [(key, (Cell(fit(text, width), "quiet" if passes_by else ""),))]
    notes = [f"skipped: {fire.blackout}" if fire.blackout else "", fire.clock]
    for place, note in enumerate(note for note in notes if note):
        rows.append((f"{key} {place}", (Cell(fit(f"   {one_line(note)}", width), "warn"),)))
    return rows


def _never(job: Job) -> str:
    if job.after:
        return "when what it comes after is over"
    return "never again" if job.schedule else "only when asked for"


def _rules(job: Job) -> list[str]:
    """What moves due times, or leaves them out."""
    rules = []
    if job.schedule and job.jitter_s:
        own = jitter_us(job) / SECOND_US
        rules.append(f"jitter 0..{format_duration(job.jitter_s)}: always +{format_duration(own)}")
    rules += [f"blackout {it.calendar or f'{it.start} - {it.end}'}" for it in job.blackout]
    if job.dst != "vixie":
        rules.append(f"dst {job.dst}")
    return rules


def _said(text: str, width: int, colour: str, key: str = "") -> Row:
    return key or text, (Cell(fit(one_line(text), width), colour),)
