"""The week that comes, hour by hour: how full it is, what is in an hour, what to spread."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, timedelta
from functools import cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from textual.widget import Widget

from tocsin.model import Agent, AgentState, JobRow
from tocsin.targeting import Demand, demand_of, matches
from tocsin.tui.actions.action import Place, Situation
from tocsin.tui.calendars import Calendars
from tocsin.tui.heat import (
    HeatMap,
    busiest,
    clock_note,
    detail_title,
    heat_map,
    metric_names,
    parts_lines,
)
from tocsin.tui.heat_csv import heat_csv
from tocsin.tui.hour import HourDetail, Spread
from tocsin.tui.hour_rows import HOUR_COLUMNS, job_cells
from tocsin.tui.ledger import Ledger
from tocsin.tui.load import DAYS, Load, Metric, Weight, hosts_of
from tocsin.tui.memo import Memo
from tocsin.tui.plain import fit, one_line, rule
from tocsin.tui.scene import Scene, nothing_yet
from tocsin.tui.slices import walk
from tocsin.tui.widgets.columns import Cell
from tocsin.tui.widgets.heat_map import HeatGrid
from tocsin.tui.widgets.one_line import OneLine
from tocsin.tui.widgets.table import CellsOf, Table
from tocsin.tui.words import local, took

from .frame import Frame

_LOW: Final = 27
"""A screen with fewer lines has less of the hour's parts."""
_RUNS_AT_ONCE: Final = 500
"""Of runs that come in a heap, so many are taken at once."""
_METRICS: Final = tuple(Metric)
_OWN: Final = "each job's own zone"


class ScheduleScreen(Frame):
    """The map of a week, and the hour under its cursor."""

    PLACE = Place.SCHEDULE

    def __init__(self) -> None:
        super().__init__()
        self._ledger = Ledger()
        self._calendars = Calendars()
        self._load: Load | None = None
        self._loaded: object = None
        """The versions of the jobs that the load is of."""
        self._detail: HourDetail | None = None
        self._spread: Spread | None = None
        self._weights: dict[str, Weight] = {}
        self._metric = 0
        self._week = 0
        self._own_zones = False
        self._map: Memo[HeatMap] = Memo()
        self._cells: Memo[CellsOf] = Memo()
        self._versions: Memo[tuple[object, ...]] = Memo()
        self.doings = {
            **self.doings,
            "pane": lambda _: self._next_pane(),
            "metric": lambda _: self._next_metric(),
            "zone": lambda _: self._next_zone(),
            "week_before": lambda _: self._go_weeks(self._week - 1),
            "week_after": lambda _: self._go_weeks(self._week + 1),
            "now": lambda _: self._go_weeks(0),
            "export": self._export,
            "list": lambda _: self._next_pane(),
        }

    def body(self) -> Iterable[Widget]:
        """The map, the hour in its parts, and its jobs."""
        yield OneLine(id="map-title")
        yield HeatGrid(id="map")
        yield OneLine(id="map-note")
        yield OneLine(id="clock-note")
        yield OneLine(id="detail-title")
        for number in range(3):
            yield OneLine(id=f"part-{number}")
        yield Table(HOUR_COLUMNS, id="hour-jobs")
        yield OneLine(id="idea")

    def on_mount(self) -> None:
        """The keys go to the map, and its cursor to the hour that is now."""
        grid = self._grid
        grid.hour = local(self.stage.scene().now_us, self.stage.zone).hour
        grid.focus()

    def on_heat_grid_moved(self, message: HeatGrid.Moved) -> None:
        """Look into another hour."""
        message.stop()
        self._look_into()
        self.draw()

    def on_table_moved(self, message: Table.Moved) -> None:
        """Other keys may be valid for this row."""
        message.stop()
        self.draw_foot(self.stage.scene())

    def look(self, scene: Scene) -> Situation:
        """The job under the cursor of the list, if the keys go there; how to spread the hour."""
        key = self._table.cursor_key if self._table.has_focus else ""
        row = scene.view.jobs.get(key)
        run = self._ledger.latest(row.job.name) if row is not None else None
        return Situation(
            place=self.PLACE,
            jobs=(row,) if row is not None else (),
            runs=(run,) if run is not None else (),
            spread=self._spread,
        )

    def crumb(self) -> str:
        """How much there is in the week."""
        load = self._load
        if load is None or not load.whole:
            return "reckoning …"
        return f"{self._grid.fires} fires" if load.jobs else ""

    # Drawing.

    def draw_body(self, scene: Scene) -> None:
        """The map and the hour."""
        self._ledger.follow(scene.view.runs, _RUNS_AT_ONCE)
        if not self._ledger.whole:
            self.run_worker(walk(self._ledger.steps()), group="ledger", exclusive=True)
        if self._calendars.due(scene):
            ask = self._calendars.ask(self.stage.session, self._forget)
            self.run_worker(ask, group="calendars")
        self._reload(scene)
        self._draw_map(scene)
        self._draw_hour(scene)

    def _draw_map(self, scene: Scene) -> None:
        load, width = self._load, self.size.width
        assert load is not None, "made before it is drawn"
        metric, slots = _METRICS[self._metric], _slots(scene.view.agents)
        zone = None if self._own_zones else scene.zone
        heat = self._map.of(
            lambda: heat_map(load.grid(zone, own_zones=self._own_zones), metric, slots, width),
            load, load.whole, metric.value, str(zone), self._own_zones, slots, width,
        )  # fmt: skip
        self._grid.show(heat, local(scene.now_us, scene.zone).date())
        where = _OWN if self._own_zones else _zone_name(scene)
        here, names = self._grid.has_focus, metric_names(heat, metric)
        text = rule(f"m: {names}  t: {where}", "[ ] weeks, 0 now" if here else "", width)
        self._one("map-title").say(Cell(text, "strong" if here else "quiet"))
        notes = [busiest(heat, metric, slots), _left_out(load)]
        if not scene.view.whole:
            notes = [nothing_yet(scene, "")]
        elif load.whole and not load.jobs:
            notes = ["no job fires in these seven days"]
        self._one("map-note").say(Cell(fit(f" {'   '.join(filter(None, notes))}", width), "quiet"))
        odd, line = clock_note(heat), self._one("clock-note")
        line.display = bool(odd)
        line.say(Cell(fit(f" {odd}", width), "quiet"))

    def _draw_hour(self, scene: Scene) -> None:
        detail, hour, width = self._detail, self._grid.cursor, self.size.width
        slots = _slots(scene.view.agents)
        title = detail_title(hour, detail, slots) if hour is not None else ""
        here = self._table.has_focus
        self._one("detail-title").say(
            Cell(rule(f"[{title}]" if here else title, "", width), "strong" if here else "quiet")
        )
        whole = detail is not None and detail.whole
        lines = parts_lines(detail.parts, slots, width) if detail is not None and whole else []
        for number in range(3):
            line = self._one(f"part-{number}")
            line.display = self.size.height >= _LOW or number == 1
            line.say(Cell(lines[number] if lines else "", "quiet" if number == 0 else ""))
        here_now = detail.here if detail is not None and detail.whole else {}

        def make() -> CellsOf:
            zone, agents = scene.zone, scene.view.agents

            @cache
            def cells(name: str) -> tuple[Cell, ...]:
                assert detail is not None, "there are rows"
                each = here_now[name]
                return job_cells(each, detail, _target(each.row, agents), zone)

            return cells

        cells = self._cells.of(make, detail, whole, str(scene.zone), scene.view.agents)
        wait = "" if whole or hour is None or not hour.quarters else "reckoning …"
        self._table.show(list(here_now), cells, empty=wait or "nothing starts in this hour")
        self._one("idea").say(Cell(fit(f" {self._idea()}", width), "warn"))

    def _idea(self) -> str:
        spread = self._spread
        if spread is None:
            return ""
        return (
            f"idea: jitter {took(spread.jitter_s)} for {len(spread.jobs)} jobs at "
            f"{local(spread.at_us, self.stage.zone):%H:%M:%S}: {spread.begins_before} → "
            f"{spread.begins_after} begin at once, slots {spread.slots_before} → "
            f"{spread.slots_after} · J shows it, then asks"
        )

    # Reckoning.

    def _reload(self, scene: Scene) -> None:
        """Begin anew where the jobs, the week or the calendars are others."""
        first = local(scene.now_us, scene.zone).date() + timedelta(days=DAYS * self._week)
        jobs = scene.view.jobs
        versions = self._versions.of(lambda: _versions_of(jobs), jobs)
        known = versions, first
        if self._load is not None and known == self._loaded:
            return
        self._loaded = known
        self._load = load = Load(first, self._calendars.known)
        self._detail, self._spread = None, None
        weigh = _weigher(self._ledger, scene.view.agents)
        self._weights = {}

        def weigh_and_keep(row: JobRow) -> Weight:
            weight = self._weights[row.job.name] = weigh(row)
            return weight

        self.run_worker(
            self._reckon(load.steps(jobs, weigh_and_keep)), group="load", exclusive=True
        )

    async def _reckon(self, steps: Iterator[None]) -> None:
        await walk(self._ledger.steps())  # how long runs take must be known by then
        await walk(steps)
        self.draw()
        self._look_into()

    def _look_into(self) -> None:
        """Reckon the hour under the cursor."""
        hour, load = self._grid.cursor, self._load
        self._detail, self._spread = None, None
        if hour is None or load is None or not load.whole or not hour.quarters:
            return
        detail = self._detail = HourDetail(hour.from_us, hour.to_us, self._calendars.known)
        jobs = self.stage.scene().view.jobs
        self.run_worker(self._fill(detail, jobs), group="hour", exclusive=True)

    async def _fill(self, detail: HourDetail, jobs: Mapping[str, JobRow]) -> None:
        await walk(detail.steps(jobs, self._weights))
        if detail is self._detail:
            self.draw()
        await walk(detail.look_for_spread())
        if detail is self._detail:
            self._spread = detail.spread
            self.draw()

    def _forget(self) -> None:
        """Other calendars: all is to be reckoned again."""
        self._loaded = None
        self.draw()

    # Keys.

    def _next_pane(self) -> None:
        (self._table if self._grid.has_focus else self._grid).focus()

    def _next_metric(self) -> None:
        self._metric = (self._metric + 1) % len(_METRICS)
        self.draw()

    def _next_zone(self) -> None:
        """Own zone, UTC, and each job by its own clock."""
        if self._own_zones:
            self._own_zones = False
        elif self.stage.zone is UTC:
            self._own_zones = True
            self.stage.switch_zone()
        else:
            self.stage.switch_zone()
        self.draw()
        self._look_into()

    def _export(self, at: Situation) -> None:
        """Save the week in a new file; one that is there is not written over."""
        load, scene = self._load, self.stage.scene()
        if load is None or not load.whole:
            self.say("CSV: the week is being reckoned", failed=True)
            return
        path = Path(at.text or f"tocsin-week-{load.first_day}.csv").expanduser()
        grid = load.grid(None if self._own_zones else scene.zone, own_zones=self._own_zones)
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(heat_csv(grid, _slots(scene.view.agents)))
        except OSError as error:
            self.say(f"CSV: {path}: {error.strerror}", failed=True)
        else:
            self.say(f"✓ saved the week to {path.absolute()}")

    def _go_weeks(self, week: int) -> None:
        if week == self._week:
            now = local(self.stage.scene().now_us, self.stage.zone)
            self._grid.go_to(0, now.hour)
        self._week = week
        self.draw()

    @property
    def _grid(self) -> HeatGrid:
        return self.query_one(HeatGrid)

    @property
    def _table(self) -> Table:
        return self.query_one("#hour-jobs", Table)

    def _one(self, name: str) -> OneLine:
        return self.query_one(f"#{name}", OneLine)


def _versions_of(jobs: Mapping[str, JobRow]) -> tuple[object, ...]:
    return tuple((row.id, row.version, row.paused) for row in jobs.values())


def _weigher(ledger: Ledger, agents: Mapping[str, Agent]) -> Callable[[JobRow], Weight]:
    """What a fire of a job costs."""
    up = [agent for agent in agents.values() if agent.state is AgentState.UP]

    @cache
    def fitting(demand: Demand) -> int:
        return sum(matches(agent, demand) for agent in up)

    def weigh(row: JobRow) -> Weight:
        usual = ledger.usual(row.job.name)
        alone = row.job.target.agents == 1
        hosts = 1 if alone else hosts_of(row.job, fitting(demand_of(row.job)))
        return Weight(hosts, None if usual is None else usual.median_s)

    return weigh


def _slots(agents: Mapping[str, Agent]) -> int:
    return sum(agent.slots for agent in agents.values() if agent.state is AgentState.UP)


def _zone_name(scene: Scene) -> str:
    if isinstance(scene.zone, ZoneInfo):
        return scene.zone.key
    return f"{local(scene.now_us, scene.zone):%Z}"


def _target(row: JobRow, agents: Mapping[str, Agent]) -> str:
    demand = demand_of(row.job)
    count = sum(matches(agent, demand) for agent in agents.values() if agent.state is AgentState.UP)
    tags = ",".join(f"{key}={'|'.join(globs)}" for key, globs in demand[1])
    return f"{one_line(tags) or 'any'} ({count})"


def _left_out(load: Load) -> str:
    parts = []
    if load.paused:
        parts.append(f"{load.paused} paused left out")
    if load.unknown:
        parts.append(f"{load.unknown} jobs of unknown length")
    return ", ".join(parts)
