"""The first screen: what ran, what runs, what comes, and what needs attention."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Sequence
from functools import partial
from heapq import nsmallest
from typing import Final

from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from tocsin.errors import LinkError, RequestError
from tocsin.instants import SECOND_US
from tocsin.messages.client_link import PAGE_ROWS_MAX
from tocsin.model import JobRow
from tocsin.tui.actions.action import Place, Situation
from tocsin.tui.attention import Attention, Fleet, Item, Subject
from tocsin.tui.calendars import Calendars
from tocsin.tui.clock_changes import ClockNotes
from tocsin.tui.durations import HOUR_US, Hour, last_hour
from tocsin.tui.forecast import Forecast, Span
from tocsin.tui.ledger import Ledger
from tocsin.tui.memo import Memo
from tocsin.tui.overview import (
    ITEMS_MAX,
    NextFire,
    attention_title,
    fire_cells,
    fleet_lines,
    hour_lines,
    item_cells,
    next_fires,
)
from tocsin.tui.plain import fit, rule
from tocsin.tui.scene import Scene, known_from, nothing_yet
from tocsin.tui.slices import walk
from tocsin.tui.timeline import (
    LEGEND,
    STEPS_S,
    JobLine,
    Scale,
    axis_cells,
    first_step,
    interest,
    is_late,
    job_cells,
    others_cells,
    scale_of,
    title,
)
from tocsin.tui.widgets.columns import Cell
from tocsin.tui.widgets.one_line import OneLine
from tocsin.tui.widgets.pick_list import LineOf, PickList
from tocsin.tui.words import until

from .frame import Frame

PANES: Final = ("timeline", "attention", "fires")
_ROWS_MAX: Final = 100
_STEADY_US: Final = 3 * SECOND_US
"""What changes by the clock alone is looked at again after so long."""
_HOUR_STEADY_US: Final = 30 * SECOND_US
_RUNS_AT_ONCE: Final = 500
"""Of runs that come in a heap, so many are in the first drawing."""
_LARGE: Final = 2_000
"""A fleet with more jobs changes all the time, and is looked over by the clock alone."""
_LOW: Final = 28
"""A screen with fewer lines has no legend."""
_PAN_SHARE: Final = 6


class OverviewScreen(Frame):
    """The fleet around now."""

    PLACE = Place.OVERVIEW

    def __init__(self) -> None:
        super().__init__()
        self._ledger = Ledger()
        self._calendars = Calendars()
        self._notes = ClockNotes()
        self._attention = Attention()
        self._forecast: Forecast | None = None
        self._reckoning = self._asking_past = False
        self._noted: object = None
        """The jobs whose clock notes are known."""
        self._step: int | None = None
        self._pan = 0
        self._zoomed = ""
        self._chosen: Memo[list[str]] = Memo()
        self._items: Memo[list[Item]] = Memo()
        self._lines: Memo[list[LineOf]] = Memo()
        self._axis: Memo[tuple[Cell, ...]] = Memo()
        self._fires: Memo[list[NextFire]] = Memo()
        self._fire_lines: Memo[list[LineOf]] = Memo()
        self._fleet: Memo[tuple[str, list[tuple[Cell, ...]]]] = Memo()
        self._hour: Memo[Hour] = Memo()
        self._others: Memo[tuple[Cell, ...]] = Memo()
        self._item_lines: Memo[list[LineOf]] = Memo()
        self.doings = {
            **self.doings,
            "show": self._show,
            "pane": lambda _: self._next_pane(),
            "zoom": lambda _: self._zoom(),
            "zoom_out": lambda _: self._rescale(1),
            "zoom_in": lambda _: self._rescale(-1),
            "earlier": lambda _: self._move(-1),
            "later": lambda _: self._move(1),
            "now": lambda _: self._move(0),
        }

    # Layout.

    def body(self) -> Iterable[Widget]:
        """Timeline above; attention and next fires; the last hour and the fleet below."""
        yield OneLine(id="timeline-title")
        yield PickList(id="timeline")
        yield OneLine(id="others")
        yield OneLine(id="legend")
        with Horizontal(id="middle"):
            with Vertical(id="attention-pane"):
                yield OneLine(id="attention-title")
                yield PickList(id="attention")
            with Vertical(id="fires-pane"):
                yield OneLine(id="fires-title")
                yield PickList(id="fires")
        with Horizontal(id="bottom"):
            with Vertical(id="hour-pane"):
                yield OneLine(id="hour-title")
                for number in range(3):
                    yield OneLine(id=f"hour-{number}")
            with Vertical(id="fleet-pane"):
                yield OneLine(id="fleet-title")
                for number in range(3):
                    yield OneLine(id=f"fleet-{number}")

    def on_mount(self) -> None:
        """The keys go to the timeline."""
        self._arrange()
        self._pane("timeline").focus()

    def on_resize(self) -> None:
        """More lines for what needs attention on a higher screen."""
        self._arrange()

    def on_pick_list_moved(self, message: PickList.Moved) -> None:
        """Other keys may be valid for this line."""
        message.stop()
        self.draw_foot(self.stage.scene())

    def _arrange(self) -> None:
        zoomed = self._zoomed
        self.query_one("#middle").styles.height = (
            "1fr" if zoomed in {"attention", "fires"} else max(self.size.height // 5, 4)
        )
        shows = {
            "timeline-title": zoomed in {"", "timeline"},
            "timeline": zoomed in {"", "timeline"},
            "others": zoomed in {"", "timeline"},
            "legend": zoomed == "timeline" or (not zoomed and self.size.height >= _LOW),
            "middle": zoomed != "timeline",
            "attention-pane": zoomed in {"", "attention"},
            "fires-pane": zoomed in {"", "fires"},
            "bottom": not zoomed,
        }
        for name, shown in shows.items():
            self.query_one(f"#{name}").display = shown

    # Drawing.

    def draw_body(self, scene: Scene) -> None:
        """All panes."""
        self._ledger.follow(scene.view.runs, _RUNS_AT_ONCE)
        if self._calendars.due(scene):
            ask = self._calendars.ask(self.stage.session, self._forget)
            self.run_worker(ask, group="calendars")
        self._draw_timeline(scene)
        self._draw_attention(scene)
        self._draw_fires(scene)
        self._draw_hour(scene)
        self._draw_fleet(scene)

    def crumb(self) -> str:
        """That there is more to see of one pane."""
        return "z shows all panes" if self._zoomed else ""

    def look(self, scene: Scene) -> Situation:
        """What the cursor of the pane with the keys is on."""
        view = scene.view
        pane = next((name for name in PANES if self._pane(name).has_focus), "")
        key = self._pane(pane).cursor_key if pane else ""
        job, run, agent = key, None, None
        if pane == "attention":
            item = next((one for one in self._found(scene) if _key(one) == key), None)
            job = item.name if item is not None and item.subject is Subject.JOB else ""
            if item is not None and item.subject is Subject.RUN:
                run = view.runs.get(item.id)
                job = item.name
            if item is not None and item.subject is Subject.AGENT:
                agent = view.agents.get(item.id)
        row = view.jobs.get(job)
        run = run or self._ledger.latest(job)
        return Situation(
            place=self.PLACE,
            jobs=(row,) if row is not None else (),
            runs=(run,) if run is not None else (),
            agents=(agent,) if agent is not None else (),
            at_us=row.next_due_us if row is not None and pane == "fires" else None,
        )

    def _changes(self, scene: Scene, turn: int) -> tuple[object, ...]:
        """What a look over the whole fleet depends on; the panes of a large one take turns."""
        if len(scene.view.jobs) > _LARGE and scene.view.whole:
            return (_beat(scene, turn),)
        return scene.view.jobs, self._ledger.version

    def _draw_timeline(self, scene: Scene) -> None:
        pane, width = self._pane("timeline"), self._pane("timeline").text_width
        scale = self._scale(scene, width)
        forecast = self._forecast_of(scene, scale)
        jobs = scene.view.jobs
        names = self._rows(scene, max(pane.room, 1))
        paused = " ".join(f"{pause.id} {pause.until_us}" for pause in scene.pauses)
        columns = forecast, forecast.whole, scale.first, scale.column_us, scale.now, width, paused
        rows = " ".join(names)
        late = "".join("!" if is_late(jobs[n], scene.now_us) else "." for n in names)
        # What runs may come to run for long.
        beat = _beat(scene, 0) if self._ledger.active else 0
        pane.show(
            self._lines.of(
                lambda: self._lines_of(scene, scale, names, width),
                jobs, self._ledger.version, *columns, rows, late, beat,
            ),
            head=[
                self._axis.of(
                    lambda: axis_cells(scale, width),
                    scene.now_us // (60 * SECOND_US), scene.zone, *columns[2:],
                )
            ],
            empty=nothing_yet(scene, "no jobs yet: n makes one, tocsin apply FILE brings some"),
        )  # fmt: skip
        others = self._others.of(
            lambda: self._others_of(scene, scale, names, width),
            *self._changes(scene, 0), *columns, rows,
        )  # fmt: skip
        self.query_one("#others", OneLine).say(
            Cell(" "), *(others if len(jobs) > len(names) else ())
        )
        self.query_one("#legend", OneLine).say(Cell(fit(f" {LEGEND}", self.size.width), "quiet"))
        self._load_past(scene, scale.span.from_us)
        known = known_from(scene, scale.span.from_us)
        self._title("timeline", f"{title(scale)}{known}", "- + zoom, ← → move, 0 now")

    def _lines_of(
        self, scene: Scene, scale: Scale, names: Sequence[str], width: int
    ) -> list[LineOf]:
        forecast, ledger, jobs = self._forecast, self._ledger, scene.view.jobs
        assert forecast is not None, "made before it is drawn"
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
        self, scene: Scene, scale: Scale, names: Sequence[str], width: int
    ) -> tuple[Cell, ...]:
        inside, forecast, jobs = set(names), self._forecast, scene.view.jobs
        assert forecast is not None, "made before it is drawn"
        shown = [JobLine(jobs[n], fires=forecast.of(jobs[n]), pauses=scene.pauses) for n in names]
        ended = self._ledger.ended(scale.span.from_us, scene.now_us)
        past = (run for run in ended if run.job not in inside)
        count = len(scene.view.jobs) - len(names)
        return others_cells(count, past, forecast.totals, shown, scale, width, whole=forecast.whole)

    def _scale(self, scene: Scene, width: int) -> Scale:
        step = first_step(width) if self._step is None else self._step
        return scale_of(width, step, self._pan, scene.now_us, scene.zone)

    def _rows(self, scene: Scene, room: int) -> list[str]:
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
        under = self._pane("timeline").cursor_key
        if under in jobs and under not in names:  # what somebody looks at does not vanish
            return [*names[: room - 1], under]
        return names

    def _draw_attention(self, scene: Scene) -> None:
        pane = self._pane("attention")
        found = self._found(scene)
        width = pane.text_width

        def make() -> list[LineOf]:
            return [LineOf(_key(item), item_cells(item, width)) for item in found[:ITEMS_MAX]]

        lines = self._item_lines.of(make, found, width)
        empty = nothing_yet(scene, "nothing: no failures, no late fires, all agents are there")
        pane.show(lines, empty=empty)
        self._title("attention", attention_title(found), "")

    def _found(self, scene: Scene) -> list[Item]:
        view, status = scene.view, scene.connection.status

        def make() -> list[Item]:
            notes = sorted(self._notes.found.values(), key=lambda note: (note.at_us, note.job))
            fleet = Fleet(view.jobs, view.agents, self._ledger, status, notes, scene.zone)
            return self._attention.items(fleet, scene.now_us)

        store = "" if status is None else status.store
        changes = *self._changes(scene, 1), _beat(scene, 1), view.agents, store
        return self._items.of(make, *changes, len(self._notes.found))

    def _draw_fires(self, scene: Scene) -> None:
        pane, jobs = self._pane("fires"), scene.view.jobs
        paused = " ".join(pause.id for pause in scene.pauses)
        fires = self._fires.of(
            lambda: next_fires(jobs.values(), scene.pauses), *self._changes(scene, 2), paused
        )
        now_us, zone, width = scene.now_us, scene.zone, pane.text_width

        def make() -> list[LineOf]:
            cells = (fire_cells(fire, now_us, zone, width) for fire in fires)
            return [LineOf(fire.names[0], c) for fire, c in zip(fires, cells, strict=True)]

        away = " ".join([until(fire.at_us, now_us) for fire in fires])
        today = now_us // (60 * SECOND_US)
        lines = self._fire_lines.of(make, fires, away, today, zone, width)
        pane.show(lines, empty=nothing_yet(scene, "no job is due"))
        self._title("fires", "Next fires", "")

    def _draw_hour(self, scene: Scene) -> None:
        ledger, now_us = self._ledger, scene.now_us

        def make() -> Hour:
            ended = ledger.ended(now_us - HOUR_US, now_us + 1)
            return last_hour(ended, ledger.active.values(), scene.view.jobs, now_us)

        hour = self._hour.of(make, *self._changes(scene, 0), now_us // _HOUR_STEADY_US)
        width = self.query_one("#hour-pane").size.width
        text = f"Last 60 min{known_from(scene, now_us - HOUR_US)}"
        self.query_one("#hour-title", OneLine).say(Cell(rule(text, "", width), "quiet"))
        for number, cells in enumerate(hour_lines(hour, width)):
            self.query_one(f"#hour-{number}", OneLine).say(*cells)

    def _draw_fleet(self, scene: Scene) -> None:
        agents = scene.view.agents
        head, lines = self._fleet.of(lambda: fleet_lines(agents), agents)
        width = self.query_one("#fleet-pane").size.width
        self.query_one("#fleet-title", OneLine).say(Cell(rule(head, "", width), "quiet"))
        for number, cells in enumerate(lines):
            self.query_one(f"#fleet-{number}", OneLine).say(*cells)

    def _title(self, name: str, text: str, right: str) -> None:
        here, widget = self._pane(name).has_focus, self.query_one(f"#{name}-title", OneLine)
        line = rule(f"[{text}]" if here else text, right if here else "", widget.size.width)
        widget.say(Cell(line, "strong" if here else "quiet"))

    # Looking back, and ahead.

    def _load_past(self, scene: Scene, from_us: int) -> None:
        """Ask for what is in sight and not known, once all else is in sight."""
        from_us = min(from_us, scene.now_us - HOUR_US)
        view, session = scene.view, self.stage.session
        settled = view.whole and scene.view.jobs is self._noted and not scene.connection.blocks()
        wanted = view.since_us is not None and view.since_us > from_us
        if settled and wanted and view.has_room(PAGE_ROWS_MAX) and not self._asking_past:
            self._asking_past = True
            self.run_worker(self._ask_past(session.load_since(from_us)), group="past")

    async def _ask_past(self, asking: Awaitable[None]) -> None:
        try:
            await asking
        except RequestError:
            return  # it is not asked again; the title says how far back runs are known
        except LinkError:
            pass  # the header tells of it
        self._asking_past = False

    def _forecast_of(self, scene: Scene, scale: Scale) -> Forecast:
        """What holds the columns in sight; the rest of the fleet is reckoned in the background."""
        forecast = self._forecast
        wanted = scale.ahead
        if forecast is None or not forecast.span.holds(wanted):
            span = Span(wanted.column_us, wanted.first, wanted.count + scale.width)
            forecast = self._forecast = Forecast(span, self._calendars.known)
        forecast.follow(scene.view.jobs, scene.pauses)
        done = self._ledger.whole and forecast.whole and scene.view.jobs is self._noted
        if not self._reckoning and not done:
            self._reckoning = True
            # First what is known already comes into sight.
            reckon = partial(self.run_worker, self._reckon(scene), group="forecast")
            self.call_after_refresh(reckon)
        return forecast

    async def _reckon(self, scene: Scene) -> None:
        try:
            await walk(self._ledger.steps())
            while self._forecast is not None and not self._forecast.whole:
                await walk(self._forecast.steps())
            self._noted = scene.view.jobs
            await walk(self._notes.steps(scene.view.jobs, scene.now_us))
        finally:
            self._reckoning = False
        self.draw()

    def _forget(self) -> None:
        """Other calendars: all is to be reckoned again."""
        self._forecast = None
        self.draw()

    # Keys.

    def _show(self, at: Situation) -> None:
        run, agent = at.run, at.agent
        if agent is not None:
            self.stage.go(Place.AGENTS, f"name:{agent.name}")
        elif run is not None and (run.finished_us is None or self._pane("attention").has_focus):
            self.stage.open_run(run)
        elif at.job is not None:
            self.stage.open_job(at.job.job.name)

    def _next_pane(self) -> None:
        here = next((i for i, name in enumerate(PANES) if self._pane(name).has_focus), -1)
        name = PANES[(here + 1) % len(PANES)]
        if self._zoomed:
            self._zoomed = name
            self._arrange()
        self._pane(name).focus()

    def _zoom(self) -> None:
        here = next((name for name in PANES if self._pane(name).has_focus), PANES[0])
        self._zoomed = "" if self._zoomed else here
        self._arrange()
        self.call_after_refresh(self.draw)

    def _rescale(self, by: int) -> None:
        width = self._pane("timeline").text_width
        step = first_step(width) if self._step is None else self._step
        self._step = max(min(step + by, len(STEPS_S) - 1), 0)
        self._pan = 0
        self.draw()

    def _move(self, by: int) -> None:
        """A sixth of what is in sight; 0 goes back to now."""
        width = self._pane("timeline").text_width
        self._pan = self._pan + by * max(width // _PAN_SHARE, 1) if by else 0
        self.draw()

    def _pane(self, name: str) -> PickList:
        return self.query_one(f"#{name}", PickList)


def _beat(scene: Scene, turn: int) -> int:
    """Grows every few seconds, at another one for each turn."""
    return (scene.now_us + turn * SECOND_US) // _STEADY_US


def _key(item: Item) -> str:
    return f"{item.subject.value} {item.id} {item.weight}"
