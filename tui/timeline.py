"""The timeline: past runs, what runs now, and the fires to come, in cells around the now-line.

Pure: from values to rows of cells. Columns are as wide as `STEPS_S` says and are numbered from
1970 on, so that what is drawn moves by whole columns and counts of columns can be kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from itertools import groupby
from typing import Final

import msgspec

from tocsin.instants import SECOND_US, to_us
from tocsin.model import TERMINAL, JobRow, Pause, Run, RunState

from .durations import BROKEN, Usual
from .forecast import NO_FIRES, Fires, Span
from .ledger import ended_us
from .pause_times import passes, pause_times, without
from .plain import fit
from .widgets.columns import Cell
from .words import job_glyph, local, span

STEPS_S: Final = (10, 30, 60, 120, 180, 300, 600, 900, 1800, 3600, 7200)
"""How many seconds a column may stand for."""
REACH_S: Final = 3 * 3600
"""What is shown at first, all in all."""
LATE_US: Final = 5 * SECOND_US
"""A due time without a record is late from then on."""
_PAST_SHARE: Final = 3
"""One part in three lies before now."""
_LABEL_MIN: Final = 18
_LABEL_MAX: Final = 32
_LABEL_SHARE: Final = 5
_TICKS_S: Final = (60, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)
_TICK_CELLS: Final = 9
_MANY: Final = 10
NOW_LINE: Final = "│"

# What covers what where several things fall into one column.
_RANK: Final = {
    " ": 0,
    "s": 1,
    "‖": 1,
    "·": 1,
    "◇": 1,
    "█": 2,
    "○": 3,
    "►": 4,
    "!": 5,
    "?": 6,
    "x": 7,
}
_PAST: Final = {
    RunState.SUCCEEDED: ("█", "good"),
    RunState.SKIPPED: ("s", "quiet"),
    RunState.LOST: ("?", "bad"),
    RunState.CANCELLED: ("x", "warn"),
}
_FAILED: Final = ("x", "bad")
_SIGNS: Final = (
    "█ ok", "x failed", "? lost", "s skip", "► runs", "· usual end",
    "○ waits", "! late", "◇ 2-9 # fires", "‖ paused",
)  # fmt: skip
LEGEND: Final = "  ".join(_SIGNS)
LEGEND_LINES: Final = ("  ".join(_SIGNS[:6]), "  ".join(_SIGNS[6:]))


class Scale(msgspec.Struct, frozen=True):
    """Which columns are in sight, and which of them is now."""

    column_us: int
    first: int
    width: int
    now_us: int
    zone: tzinfo | None = None

    @property
    def now(self) -> int:
        """The place of the now-line; outside of the plot when it was moved away."""
        return self.now_us // self.column_us - self.first

    @property
    def span(self) -> Span:
        """The columns as a span."""
        return Span(self.column_us, self.first, self.width)

    @property
    def ahead(self) -> Span:
        """The columns from now on."""
        first = max(self.first, self.first + self.now)
        return Span(self.column_us, first, max(self.first + self.width - first, 0))

    def place(self, at_us: int) -> int:
        """The place of an instant."""
        return at_us // self.column_us - self.first


def label_width(width: int) -> int:
    """How wide the names beside the plot are."""
    return max(min(width // _LABEL_SHARE, _LABEL_MAX), _LABEL_MIN)


def first_step(width: int) -> int:
    """The step by which a screen of this width reaches far enough."""
    plot = max(width - label_width(width), 1)
    fitting = (i for i, step_s in enumerate(STEPS_S) if step_s * plot >= REACH_S)
    return next(fitting, len(STEPS_S) - 1)


def scale_of(width: int, step: int, pan: int, now_us: int, zone: tzinfo | None) -> Scale:
    """The columns of a screen `width` cells wide; `pan` is by how many they were moved."""
    plot = max(width - label_width(width), 1)
    column_us = STEPS_S[step] * SECOND_US
    first = now_us // column_us - plot // _PAST_SHARE + pan
    return Scale(column_us, first, plot, now_us, zone)


def is_late(row: JobRow, now_us: int) -> bool:
    """Whether a job is due, and there is no record of it."""
    due_us = row.next_due_us
    if due_us is None or row.paused or not row.job.enabled:
        return False
    return due_us + LATE_US < now_us


class _Plot:
    """One row of cells that is being filled."""

    def __init__(self, width: int) -> None:
        self.cells: list[tuple[str, str]] = [(" ", "")] * width

    def put(self, place: int, char: str, tone: str) -> None:
        """Show this, unless what stands there counts more."""
        if not 0 <= place < len(self.cells):
            return
        if _RANK.get(char, 0) >= _RANK.get(self.cells[place][0], 0):
            self.cells[place] = (char, tone)

    def fill(self, begin: int, end: int, char: str, tone: str) -> None:
        """Show this from `begin` to `end`, both included."""
        for place in range(max(begin, 0), min(end, len(self.cells) - 1) + 1):
            self.put(place, char, tone)

    def join(self) -> list[Cell]:
        """The cells, those of one tone together."""
        return [
            Cell("".join(char for char, _ in group), tone)
            for tone, group in groupby(self.cells, key=lambda cell: cell[1])
        ]


class JobLine(msgspec.Struct, frozen=True):
    """What is known of a job that has a row of its own."""

    row: JobRow
    latest: Run | None = None
    runs: Sequence[Run] = ()
    """Those in sight, oldest first."""
    usual: Usual | None = None
    fires: Fires = NO_FIRES
    pauses: Sequence[Pause] = ()
    """Maintenance, of whichever jobs."""


def job_cells(line: JobLine, scale: Scale, width: int) -> tuple[Cell, ...]:
    """One job's row: its name, and its past and future."""
    row, late = line.row, is_late(line.row, scale.now_us)
    glyph, tone = ("!", "bad") if late else job_glyph(row, line.latest)
    note = " late" if late else (" paused" if row.paused else "")
    room = label_width(width) - len(note) - 3
    name = fit(row.job.name, room) if len(row.job.name) > room else row.job.name
    label = fit(f"{name}{note}", label_width(width) - 3)
    plot = _Plot(scale.width)
    _draw_future(plot, line, scale)
    for run in line.runs:
        _draw_run(plot, run, line.usual, scale)
    if late and row.next_due_us is not None:
        plot.fill(scale.place(row.next_due_us), scale.now - 1, "!", "bad")
    _draw_now(plot, scale)
    return (Cell(f"{glyph} ", tone), Cell(f"{label} "), *plot.join())


def _draw_now(plot: _Plot, scale: Scale) -> None:
    """The now-line, which hides nothing that is bad."""
    if 0 <= scale.now < scale.width and _RANK.get(plot.cells[scale.now][0], 0) < _RANK["?"]:
        plot.cells[scale.now] = (NOW_LINE, "strong")


def _draw_run(plot: _Plot, run: Run, usual: Usual | None, scale: Scale) -> None:
    if run.state in TERMINAL:
        char, tone = _PAST.get(run.state, _FAILED)
        end_us = ended_us(run)
        begin_us = run.started_us if run.started_us is not None else end_us
        plot.fill(scale.place(begin_us), scale.place(end_us), char, tone)
        return
    last = scale.now - 1
    if run.started_us is None:
        begin = scale.place(run.due_us or run.created_us)
        plot.fill(begin, last, "○", "warn")
        return
    begin = scale.place(run.started_us)
    is_long = usual is not None and scale.now_us > run.started_us + usual.p95_s * SECOND_US
    plot.fill(begin, last, "►", "warn" if is_long else "busy")
    if usual is not None:
        usual_us = round(usual.median_s * SECOND_US)
        plot.fill(scale.now + 1, scale.place(run.started_us + usual_us), "·", "busy")


def _draw_future(plot: _Plot, line: JobLine, scale: Scale) -> None:
    passing = pause_times(line.row, line.pauses)
    for column in line.fires.barred:
        if column - scale.first >= scale.now:
            plot.put(column - scale.first, "s", "quiet")
    for column, times in line.fires.due.items():
        place = column - scale.first
        if place < scale.now:
            continue
        if passes(column * scale.column_us, passing):
            plot.put(place, "‖", "warn")
        else:
            plot.put(place, _times(times), "strong" if times > 1 else "")


def _times(times: int) -> str:
    if times == 1:
        return "◇"
    return str(times) if times < _MANY else "#"


def others_cells(  # noqa: PLR0913 - one for each thing that is drawn
    count: int,
    past: Iterable[Run],
    totals: Mapping[int, int],
    shown: Iterable[JobLine],
    scale: Scale,
    width: int,
    *,
    whole: bool,
) -> tuple[Cell, ...]:
    """The row that stands for all other jobs: how many runs ended, and how many fires come."""
    counted = f"{count} other job{'s' * (count != 1)}"
    label = fit(counted if whole else f"{counted} …", label_width(width) - 1)
    plot = _Plot(scale.width)
    ends: dict[int, int] = {}
    for run in past:
        place = scale.place(ended_us(run))
        if run.state in BROKEN:
            plot.put(place, "x", "bad")
        elif run.state is not RunState.SKIPPED:
            ends[place] = ends.get(place, 0) + 1
    for place, times in ends.items():
        plot.put(place, str(times) if times < _MANY else "#", "good")
    ours: dict[int, int] = {}
    for line in shown:
        passing = pause_times(line.row, line.pauses)
        for column, times in without(line.fires.due, passing, scale.column_us).items():
            ours[column] = ours.get(column, 0) + times
    for place in range(max(scale.now + 1, 0), scale.width):
        column = scale.first + place
        left = totals.get(column, 0) - ours.get(column, 0)
        if left > 0:
            plot.put(place, str(left) if left < _MANY else "#", "")
    _draw_now(plot, scale)
    return (Cell(f"{label} ", "quiet"), *plot.join())


def axis_cells(scale: Scale, width: int) -> tuple[Cell, ...]:
    """The line of times above the rows, with now in its place."""
    chars = [" "] * scale.width
    now = f"NOW {local(scale.now_us, scale.zone):%H:%M}"
    at_now = min(max(scale.now - len(now) // 2, 0), max(scale.width - len(now), 0))
    shows_now = 0 <= scale.now < scale.width
    if shows_now:
        chars[at_now : at_now + len(now)] = now
    tick_s = next((s for s in _TICKS_S if s * SECOND_US >= _TICK_CELLS * scale.column_us), None)
    for at in _ticks(scale, tick_s or _TICKS_S[-1]):
        text = f"{at:%H:%M}" if at.hour or at.minute else f"{at:%a} {at.day}"
        place = scale.place(to_us(at))
        taken = chars[max(place - 1, 0) : place + len(text) + 1]
        if place >= 0 and place + len(text) <= scale.width and not any(c != " " for c in taken):
            chars[place : place + len(text)] = text
    return (Cell(" " * label_width(width) + "".join(chars), "quiet"),)


def _ticks(scale: Scale, tick_s: int) -> Iterable[datetime]:
    """Round times of the zone's clock in sight."""
    at = local(scale.span.from_us, scale.zone)
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    wall = timedelta(seconds=(at - midnight).total_seconds() // tick_s * tick_s)
    while True:
        shown = (midnight + wall).replace(fold=0)
        if to_us(shown) >= scale.span.to_us:
            return
        if local(to_us(shown), scale.zone).hour == shown.hour:  # else the clock leaps over it
            yield shown
        wall += timedelta(seconds=tick_s)


def title(scale: Scale) -> str:
    """How far the plot reaches."""
    back = (scale.now_us - scale.span.from_us) / SECOND_US
    ahead = (scale.span.to_us - scale.now_us) / SECOND_US
    if back < 0:
        return f"Timeline from in {span(-back)} to in {span(ahead)}"
    if ahead < 0:
        return f"Timeline from {span(back)} ago to {span(-ahead)} ago"
    return f"Timeline {span(back)} back, {span(ahead)} ahead"


def interest(row: JobRow, latest: Run | None, now_us: int) -> tuple[int, int]:
    """What a job's claim to a row of its own is: the lower, the more there is to see."""
    due_us = row.next_due_us if row.next_due_us is not None else 1 << 62
    if latest is not None and latest.state not in TERMINAL:
        return 0, latest.created_us
    if is_late(row, now_us):
        return 1, due_us
    known = latest.state if latest is not None else row.last_state
    if row.paused or not row.job.enabled:
        return 4, due_us
    if known in BROKEN:
        return 2, due_us
    return 3, due_us
