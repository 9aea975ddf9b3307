"""The first screen: what ran, what runs, what comes, and what needs attention."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from typing import Final

from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from tocsin.errors import LinkError, RequestError
from tocsin.messages.client_link import PAGE_ROWS_MAX
from tocsin.tui.actions.action import Place, Situation
from tocsin.tui.calendars import Calendars
from tocsin.tui.durations import HOUR_US
from tocsin.tui.messages import Said
from tocsin.tui.overview import (
    FIRES_TITLE,
    NO_ATTENTION,
    NO_FIRE,
    NO_JOBS,
    TIMELINE_KEYS,
    attention_title,
    has_bottom,
    has_legend,
    middle_height,
    pane_title,
)
from tocsin.tui.panorama import Panorama
from tocsin.tui.plain import fit, rule
from tocsin.tui.scene import Scene, nothing_yet
from tocsin.tui.slices import walk
from tocsin.tui.timeline import LEGEND, LEGEND_LINES, STEPS_S, Scale, first_step, scale_of
from tocsin.tui.widgets.columns import Cell
from tocsin.tui.widgets.one_line import OneLine
from tocsin.tui.widgets.pick_list import PickList
from tocsin.tui.widgets.prompt import Question

from .frame import Frame

PANES: Final = ("timeline", "attention", "fires")
_PAN_SHARE: Final = 6


class OverviewScreen(Frame):
    """The fleet around now."""

    PLACE = Place.OVERVIEW
    LEGEND = ("Timeline:", *LEGEND_LINES)

    def __init__(self) -> None:
        super().__init__()
        self._panorama = Panorama()
        self._calendars = Calendars()
        self._reckoning = self._asking_past = False
        self._step: int | None = None
        self._pan = 0
        self._zoomed = ""
        self._wanted = ""
        """A job that the cursor goes to as soon as it has a row."""
        self.doings = {
            **self.doings,
            "show": self._show,
            "pane": lambda _: self._next_pane(),
            "find_job": lambda _: self._find_job(),
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
        yield PickList(id="timeline", stays_first=False)
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
        self.set_focus(self._pane("timeline"))

    def on_resize(self) -> None:
        """More lines for what needs attention on a higher screen."""
        self._arrange()

    def on_said(self, message: Said) -> None:
        """Go to the job that came of it."""
        self._wanted = message.about or self._wanted

    def on_pick_list_moved(self, message: PickList.Moved) -> None:
        """Other keys may be valid for this line."""
        message.stop()
        self.draw_foot(self.stage.scene())

    def _arrange(self) -> None:
        zoomed = self._zoomed
        self.query_one("#middle").styles.height = (
            "1fr" if zoomed in {"attention", "fires"} else middle_height(self.size.height)
        )
        shows = {
            "timeline-title": zoomed in {"", "timeline"},
            "timeline": zoomed in {"", "timeline"},
            "others": zoomed in {"", "timeline"},
            "legend": zoomed == "timeline" or (not zoomed and has_legend(self.size.height)),
            "middle": zoomed != "timeline",
            "attention-pane": zoomed in {"", "attention"},
            "fires-pane": zoomed in {"", "fires"},
            "bottom": not zoomed and has_bottom(self.size.height),
        }
        for name, shown in shows.items():
            self.query_one(f"#{name}").display = shown

    # Drawing.

    def draw_body(self, scene: Scene) -> None:
        """All panes."""
        self._panorama.follow(scene)
        if self._calendars.due(scene):
            ask = self._calendars.ask(self.stage.session, self._forget)
            self.run_worker(ask, group="calendars")
        self._draw_timeline(scene)
        self._draw_attention(scene)
        self._draw_fires(scene)
        self._draw_hour(scene)
        self._draw_fleet(scene)
        self._look_further(scene)

    def crumb(self) -> str:
        """That there is more to see of one pane."""
        return "z shows all panes" if self._zoomed else ""

    def look(self, scene: Scene) -> Situation:
        """What the cursor of the pane with the keys is on."""
        name = next((name for name in PANES if self._pane(name).has_focus), "")
        pane = self._pane(name) if name else None
        # No key acts on what is not in sight.
        key = pane.cursor_key if pane is not None and pane.room else ""
        return self._panorama.situation(scene, name, key)

    def _draw_timeline(self, scene: Scene) -> None:
        pane, width = self._pane("timeline"), self._pane("timeline").text_width
        scale = self._scale(scene, width)
        under = self._wanted or pane.cursor_key
        drawn = self._panorama.timeline(scene, scale, width, pane.room, under)
        empty = nothing_yet(scene, NO_JOBS)
        pane.show(drawn.lines, head=[drawn.axis], empty=empty)
        if self._wanted and pane.move_to_key(self._wanted):
            self._wanted = ""
        self.query_one("#others", OneLine).say(Cell(" "), *drawn.others)
        self.query_one("#legend", OneLine).say(Cell(fit(f" {LEGEND}", self.size.width), "quiet"))
        self._load_past(scene, scale.span.from_us)
        self._title("timeline", self._panorama.timeline_title(scene, scale), TIMELINE_KEYS)

    def _scale(self, scene: Scene, width: int) -> Scale:
        step = first_step(width) if self._step is None else self._step
        return scale_of(width, step, self._pan, scene.now_us, scene.zone)

    def _draw_attention(self, scene: Scene) -> None:
        pane = self._pane("attention")
        lines = self._panorama.attention_lines(scene, pane.text_width)
        pane.show(lines, empty=nothing_yet(scene, NO_ATTENTION))
        self._title("attention", attention_title(self._panorama.attention(scene)), "")

    def _draw_fires(self, scene: Scene) -> None:
        pane = self._pane("fires")
        lines = self._panorama.fire_lines(scene, pane.text_width)
        pane.show(lines, empty=nothing_yet(scene, NO_FIRE))
        self._title("fires", FIRES_TITLE, "")

    def _draw_hour(self, scene: Scene) -> None:
        width, text = self.query_one("#hour-pane").size.width, self._panorama.hour_title(scene)
        self.query_one("#hour-title", OneLine).say(Cell(rule(text, "", width), "quiet"))
        for number, cells in enumerate(self._panorama.hour_lines(scene, width)):
            self.query_one(f"#hour-{number}", OneLine).say(*cells)

    def _draw_fleet(self, scene: Scene) -> None:
        width = self.query_one("#fleet-pane").size.width
        head, lines = self._panorama.fleet(scene, width)
        self.query_one("#fleet-title", OneLine).say(Cell(rule(head, "", width), "quiet"))
        for number, cells in enumerate(lines):
            self.query_one(f"#fleet-{number}", OneLine).say(*cells)

    def _title(self, name: str, text: str, right: str) -> None:
        here, widget = self._pane(name).has_focus, self.query_one(f"#{name}-title", OneLine)
        widget.say(pane_title(text, right, widget.size.width, here=here))

    # Looking further than a drawing does.

    def _load_past(self, scene: Scene, from_us: int) -> None:
        """Ask for what is in sight and not known, once all else is in sight."""
        from_us = min(from_us, scene.now_us - HOUR_US)
        view, session = scene.view, self.stage.session
        settled = view.whole and self._panorama.whole(scene) and not scene.connection.blocks()
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

    def _look_further(self, scene: Scene) -> None:
        if not self._reckoning and not self._panorama.whole(scene):
            self._reckoning = True

            async def reckon() -> None:  # no partial: Textual names a worker by all that it holds
                await self._reckon(scene)

            # First what is known already comes into sight.
            self.call_after_refresh(self.run_worker, reckon, group="forecast")

    async def _reckon(self, scene: Scene) -> None:
        try:
            await walk(self._panorama.steps(scene))
        finally:
            self._reckoning = False
        self.draw()

    def _forget(self) -> None:
        """Other calendars."""
        self._panorama.take_calendars(self._calendars.known)
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

    def _find_job(self) -> None:
        self.prompt(Question("/", lambda text: self.stage.go(Place.JOBS, text)))

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
