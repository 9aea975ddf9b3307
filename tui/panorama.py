"""What the overview shows of a fleet, reckoned again only where something changed.

What costs too much for one drawing is left to `steps`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from heapq import nsmallest
from typing import Final

import msgspec

from tocsin.instants import SECOND_US
from tocsin.model import Calendar, JobRow, RunState

from .actions.action import Place, Situation
from .attention import Attention, Fleet, Item, Subject
from .clock_changes import ClockNotes
from .durations import HOUR_US, Hour, last_hour
from .forecast import Forecast, Span
from .ledger import Ledger
from .memo import Memo
from .overview import (
    HOUR_TITLE,
    ITEMS_MAX,
    NextFire,
    fire_cells,
    fleet_lines,
    hour_lines,
    item_cells,
    next_fires,
)
from .scene import Scene, known_from
from .timeline import (
    JobLine,
    Scale,
    axis_cells,
    interest,
    is_late,
    job_cells,
    others_cells,
    title,
)
from .widgets.columns import Cell, LineOf
from .words import until

Cells = tuple[Cell, ...]
_ROWS_MAX: Final = 100
_STEADY_US: Final = 3 * SECOND_US
"""What changes by the clock alone is looked at again after so long."""
_HOUR_STEADY_US: Final = 30 * SECOND_US
_RUNS_AT_ONCE: Final = 500
"""Of runs that come in a heap, so many are in the first drawing."""
_LARGE: Final = 2_000
"""A fleet with more jobs changes all the time, and is looked over by the clock alone."""


class Timeline(msgspec.Struct, frozen=True):
    """The rows of the jobs with most to see, what is above them, and what all others do."""

    axis: Cells
    lines: Sequence[LineOf]
    others: Cells


class Panorama:
    """The panes of the overview, each for the width that it has."""

    def __init__(self) -> None:
        self._ledger = Ledger()
        self._notes = ClockNotes()
        self._attention = Attention()
        self._calendars: Mapping[str, Calendar] = {}
        self._forecast: Forecast | None = None
        self._noted: object = None
        """The jobs whose clock notes are known."""
        self._chosen: Memo[list[str]] = Memo()
        self._items: Memo[list[Item]] = Memo()
        self._lines: Memo[list[LineOf]] = Memo()
        self._axis: Memo[Cells] = Memo()
        self._others: Memo[Cells] = Memo()
        self._item_lines: Memo[list[LineOf]] = Memo()
        self._fires: Memo[list[NextFire]] = Memo()
        self._fire_lines: Memo[list[LineOf]] = Memo()
        self._hour: Memo[Hour] = Memo()
        self._fleet: Memo[tuple[str, list[Cells]]] = Memo()

    def follow(self, scene: Scene) -> None:
        """Take over what has happened; before anything else is asked about this scene."""
        self._ledger.follow(scene.view.runs, _RUNS_AT_ONCE)

    def take_calendars(self, calendars: Mapping[str, Calendar]) -> None:
        """Know other calendars: all that lies ahead is to be reckoned again."""
        self._calendars = calendars
        self._forecast = None

    def whole(self, scene: Scene) -> bool:
        """Whether nothing is left to `steps`."""
        ahead = self._forecast is not None and self._forecast.whole
        return self._ledger.whole and ahead and scene.view.jobs is self._noted

    def steps(self, scene: Scene) -> Iterator[None]:
        """Reckon what no drawing has waited for."""
        yield from self._ledger.steps()
        while self._forecast is not None and not self._forecast.whole:
            yield from self._forecast.steps()
        self._noted = scene.view.jobs
        yield from self._notes.steps(scene.view.jobs, scene.now_us)

    # The panes.

    def timeline(self, scene: Scene, scale: Scale, width: int, room: int, under: str) -> Timeline:
        """Past and future of the jobs, in `room` rows; `under` is the job under the cursor."""
        forecast = self._forecast_of(scene, scale)
        jobs = scene.view.jobs
        names = self._rows(scene, max(room, 1), under)
        paused = " ".join(f"{pause.id} {pause.until_us}" for pause in scene.pauses)
        columns = forecast, forecast.whole, scale.first, scale.column_us, scale.now, width, paused
        rows = " ".join(names)
        late = "".join("!" if is_late(jobs[n], scene.now_us) else "." for n in names)
        # What runs may come to run for long.
        beat = _beat(scene, 0) if self._ledger.active else 0
        lines = self._lines.of(
            lambda: self._lines_of(scene, forecast, scale, names, width),
            jobs, self._ledger.version, *columns, rows, late, beat,
        )  # fmt: skip
        axis = self._axis.of(
            lambda: axis_cells(scale, width),
            scene.now_us // (60 * SECOND_US), scene.zone, *columns[2:],
        )  # fmt: skip
        others = self._others.of(
            lambda: self._others_of(scene, forecast, scale, names, width),
            *self._changes(scene, 0), *columns, rows,
        )  # fmt: skip
        return Timeline(axis, lines, others if len(jobs) > len(names) else ())

    def attention(self, scene: Scene) -> list[Item]:
        """What needs somebody's attention, the worst first."""
        view, status = scene.view, scene.connection.status

        def make() -> list[Item]:
            notes = sorted(self._notes.found.values(), key=lambda note: (note.at_us, note.job))
            fleet = Fleet(view.jobs, view.agents, self._ledger, status, notes, scene.zone)
            return self._attention.items(fleet, scene.now_us)

        store = "" if status is None else status.store
        changes = *self._changes(scene, 1), _beat(scene, 1), view.agents, store
        return self._items.of(make, *changes, len(self._notes.found))

    def attention_lines(self, scene: Scene, width: int) -> list[LineOf]:
        """That as lines."""
        found = self.attention(scene)

        def make() -> list[LineOf]:
            return [LineOf(_key(item), item_cells(item, width)) for item in found[:ITEMS_MAX]]

        return self._item_lines.of(make, found, width)

    def fire_lines(self, scene: Scene, width: int) -> list[LineOf]:
        """What is due next, by the first job of each instant."""
        jobs, now_us, zone = scene.view.jobs, scene.now_us, scene.zone
        paused = " ".join(pause.id for pause in scene.pauses)
        fires = self._fires.of(
            lambda: next_fires(jobs.values(), scene.pauses), *self._changes(scene, 2), paused
        )

        def make() -> list[LineOf]:
            cells = (fire_cells(fire, now_us, zone, width) for fire in fires)
            return [LineOf(fire.names[0], c) for fire, c in zip(fires, cells, strict=True)]

        away = " ".join([until(fire.at_us, now_us) for fire in fires])
        return self._fire_lines.of(make, fires, away, now_us // (60 * SECOND_US), zone, width)

    def timeline_title(self, scene: Scene, scale: Scale) -> str:
        """What the timeline spans, and from when on its past is known."""
        return f"{title(scale)}{known_from(scene, scale.span.from_us)}"

    def hour_title(self, scene: Scene) -> str:
        """What `hour_lines` are about, and from when on that is known."""
        return f"{HOUR_TITLE}{known_from(scene, scene.now_us - HOUR_US)}"

    def hour_lines(self, scene: Scene, width: int) -> list[Cells]:
        """The last sixty minutes."""
        ledger, now_us = self._ledger, scene.now_us

        def make() -> Hour:
            ended = ledger.ended(now_us - HOUR_US, now_us + 1)
            return last_hour(ended, ledger.active.values(), scene.view.jobs, now_us)

        hour = self._hour.of(make, *self._changes(scene, 0), now_us // _HOUR_STEADY_US)
        return hour_lines(hour, width)

    def fleet(self, scene: Scene, width: int) -> tuple[str, list[Cells]]:
        """The title of the fleet, and its lines."""
        agents = scene.view.agents
        # Agents say how busy they are with their next change only.
        active = self._ledger.active.values()
        used = sum(run.state is not RunState.QUEUED for run in active)
        return self._fleet.of(lambda: fleet_lines(agents, used, width), agents, used, width)

    def situation(self, scene: Scene, pane: str, key: str) -> Situation:
        """What the keys act on while the cursor of a pane is on the line of this key."""
        view = scene.view
        job, run, agent = key, None, None
        if pane == "attention":
            item = next((one for one in self.attention(scene) if _key(one) == key), None)
            job = item.name if item is not None and item.subject is Subject.JOB else ""
            if item is not None and item.subject is Subject.RUN:
                run = view.runs.get(item.id)
                job = item.name
            if item is not None and item.subject is Subject.AGENT:
                agent = view.agents.get(item.id)
        row = view.jobs.get(job)
        run = run or self._ledger.latest(job)
        return Situation(
            place=Place.OVERVIEW,
            jobs=(row,) if row is not None else (),
            runs=(run,) if run is not None else (),
            agents=(agent,) if agent is not None else (),
            at_us=row.next_due_us if row is not None and pane == "fires" else None,
        )

    # Their parts.

    def _changes(self, scene: Scene, turn: int) -> tuple[object, ...]:
        """What a look over the whole fleet depends on; the panes of a large one take turns."""
        if len(scene.view.jobs) > _LARGE and scene.view.whole:
            return (_beat(scene, turn),)
        return scene.view.jobs, self._ledger.version

    def _rows(self, scene: Scene, room: int, under: str) -> list[str]:
        """The jobs that have a row: those with most to see, in an order that stays."""
        jobs, ledger = scene.view.jobs, self._ledger

        def make() -> list[str]:
            def rank(row: JobRow) -> tuple[int, int]:
                return interest(row, ledger.latest(row.job.name), scene.now_us)

            candidates = (
                row for row in jobs.values()
                if row.job.schedule or ledger.latest(row.job.name) is not None
            )  # fmt: skip
            best = nsmallest(min(room, _ROWS_MAX), candidates, key=rank)
            best.sort(key=lambda row: (rank(row)[0], row.job.name))
            return [row.job.name for row in best]

        names = self._chosen.of(make, *self._changes(scene, 0), _beat(scene, 0), room)
        names = [name for name in names if name in jobs]
        if under in jobs and under not in names:  # what somebody looks at does not vanish
            return [*names[: room - 1], under]
        return names

    def _lines_of(
        self, scene: Scene, forecast: Forecast, scale: Scale, names: Sequence[str], width: int
    ) -> list[LineOf]:
        ledger, jobs = self._ledger, scene.view.jobs
        runs = ledger.since(scale.span.from_us, scene.now_us, names)
        lines = (
            JobLine(
                jobs[n],
                ledger.latest(n),
                runs[n],
                ledger.usual(n),
                forecast.of(jobs[n]),
                scene.pauses,
            )
            for n in names
        )
        return [LineOf(line.row.job.name, job_cells(line, scale, width)) for line in lines]

    def _others_of(
        self, scene: Scene, forecast: Forecast, scale: Scale, names: Sequence[str], width: int
    ) -> Cells:
        inside, jobs = set(names), scene.view.jobs
        shown = [JobLine(jobs[n], fires=forecast.of(jobs[n]), pauses=scene.pauses) for n in names]
        ended = self._ledger.ended(scale.span.from_us, scene.now_us)
        past = (run for run in ended if run.job not in inside)
        count = len(jobs) - len(names)
        return others_cells(count, past, forecast.totals, shown, scale, width, whole=forecast.whole)

    def _forecast_of(self, scene: Scene, scale: Scale) -> Forecast:
        """What holds the columns in sight."""
        forecast, wanted = self._forecast, scale.ahead
        if forecast is None or not forecast.span.holds(wanted):
            span = Span(wanted.column_us, wanted.first, wanted.count + scale.width)
            forecast = self._forecast = Forecast(span, self._calendars)
        forecast.follow(scene.view.jobs, scene.pauses)
        return forecast


def _beat(scene: Scene, turn: int) -> int:
    """Grows every few seconds, at another one for each turn."""
    return (scene.now_us + turn * SECOND_US) // _STEADY_US


def _key(item: Item) -> str:
    return f"{item.subject.value} {item.id} {item.weight}"
