"""One job: how its runs went, when it fires next, how it is set up, and what it was before."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from textual.widget import Widget

from tocsin.errors import LinkError, RequestError
from tocsin.messages.client_answers import JobVersions
from tocsin.messages.client_link import GetJobVersions
from tocsin.model import JobRow
from tocsin.tui.actions.action import Flag, Place, Situation
from tocsin.tui.calendars import Calendars
from tocsin.tui.job_config import config_rows
from tocsin.tui.job_history import failures, strip
from tocsin.tui.job_known import JobKnown
from tocsin.tui.job_panes import (
    Row,
    change_rows,
    failure_rows,
    fire_rows,
    headline,
    run_rows,
    trigger_rows,
)
from tocsin.tui.plain import fit, rule
from tocsin.tui.scene import Scene, nothing_yet
from tocsin.tui.versions import with_before
from tocsin.tui.widgets.columns import Cell, LineOf
from tocsin.tui.widgets.one_line import OneLine
from tocsin.tui.widgets.pane_columns import Pane, PaneColumns
from tocsin.tui.widgets.pick_list import PickList
from tocsin.tui.widgets.run_strip import RunStrip

from .diff import DiffScreen
from .frame import Frame

HISTORY: Final = "history"
LEFT: Final = ("fires", "triggers", "fails")
RIGHT: Final = ("config", "changes", "runs")
VERSIONS_SHOWN: Final = 50
_FRAME_LINES: Final = 5
"""Header, tabs, headline, what was said, keys."""
_HISTORY_LINES: Final = 4


class JobScreen(Frame):
    """All that is known of a job."""

    PLACE = Place.JOB

    def __init__(self, name: str) -> None:
        super().__init__()
        self._known = JobKnown(name)
        self._versions_wrong = ""
        self._asked_for: tuple[int, bool] | None = None
        """The version of the job at which its versions and runs were asked for."""
        self._calendars = Calendars()
        self.doings = {
            **self.doings,
            "open": self._open,
            "pane": lambda _: self._next_pane(),
            "zoom": lambda _: self._zoom(),
            "fails_only": lambda _: self._switch_fails(),
            "diff": self._diff,
        }

    def body(self) -> Iterable[Widget]:
        """The headline and the history above, the panes below."""
        yield OneLine(id="headline")
        yield OneLine(id="history-title")
        yield RunStrip(id=HISTORY)
        yield PaneColumns(LEFT, RIGHT, id="job-panes")

    def on_mount(self) -> None:
        """The keys go to the history."""
        self.query_one(RunStrip).focus()

    def crumb(self) -> str:
        """Which job this is."""
        return f"Jobs > {self._known.name}"

    # Drawing.

    def draw_body(self, scene: Scene) -> None:
        """All that has room."""
        known, panes = self._known, self._panes
        known.follow(scene)
        self._ask_for_more(scene)
        row = known.row
        panes.display = row is not None
        if row is None:
            none = nothing_yet(scene, f"there is no job {known.name}")
            self.query_one("#headline", OneLine).say(Cell(fit(f" {none}", self.size.width), "bad"))
            return
        text, colour = headline(row, known.latest.get(known.name), removed=known.removed)
        self.query_one("#headline", OneLine).say(Cell(fit(f" {text}", self.size.width), colour))
        self._draw_history(scene)
        room = self.size.height - _FRAME_LINES - (0 if panes.zoomed else _HISTORY_LINES)
        panes.show(self._contents(scene, row), room)

    def look(self, scene: Scene) -> Situation:
        """The job, with the run, the due time or the version that the cursor is on."""
        known, here, key = self._known, self._panes.here, self._panes.cursor_key
        run = known.run
        if here in {"runs", "fails"}:
            run = scene.view.runs.get(key)
        flags = {Flag.VERSION} if here == "changes" else set[Flag]()
        chosen = here in {"runs", "fails"} or (not here and known.is_chosen)
        newest = known.versions[0].version if known.versions else 0
        return Situation(
            place=self.PLACE,
            jobs=() if known.row is None or known.removed else (known.row,),
            runs=(run,) if run is not None else (),
            at_us=int(key.split()[1]) if here == "fires" and key.startswith("fire ") else None,
            versions=with_before(
                known.versions, int(key.split()[0][1:]) if here == "changes" and key else newest
            ),
            flags=frozenset(flags | ({Flag.CHOSEN} if chosen and run is not None else set())),
        )

    def on_pick_list_moved(self, message: PickList.Moved) -> None:
        """Other keys may be valid for this line."""
        message.stop()
        self.draw_foot(self.stage.scene())

    def on_run_strip_stepped(self, message: RunStrip.Stepped) -> None:
        """Put the cursor on another run."""
        self._known.step(message.by)
        self.draw()

    @property
    def _panes(self) -> PaneColumns:
        return self.query_one(PaneColumns)

    def _draw_history(self, scene: Scene) -> None:
        known, width, box = self._known, self.size.width, self.query_one(RunStrip)
        title = self.query_one("#history-title", OneLine)
        title.display = box.display = not self._panes.zoomed
        told = strip(known.over, known.place, width, scene.now_us, scene.zone)
        box.show((told.took, told.result, told.cursor))
        count = len(known.runs)
        what = f"{len(known.over)} failed of {count}" if known.fails_only else str(count)
        text, here = f"History  {what} newest", box.has_focus
        keys = "← → move  enter run  F only fails" if here else ""
        line = rule(f"[{text}]" if here else text, keys, width)
        title.say(Cell(line, "strong" if here else "quiet"))

    def _contents(self, scene: Scene, row: JobRow) -> dict[str, Pane]:
        """What all panes show."""
        known, now_us, zone = self._known, scene.now_us, scene.zone
        widths = {name: self._panes.text_width(name) for name in self._panes.names}
        gone, fails = known.removed, failures(known.runs)
        calendars, agents = self._calendars.known, scene.view.agents.values()
        fires = (
            [] if gone else fire_rows(row, calendars, scene.pauses, now_us, zone, widths["fires"])
        )
        triggers = trigger_rows(row, scene.view.jobs, known.latest, now_us, widths["triggers"])
        changes = change_rows(known.versions, known.runs, now_us, zone, widths["changes"])
        runs = run_rows(reversed(known.over), now_us, zone, widths["runs"])
        none = "none failed" if known.fails_only else "no runs yet"
        return {
            "fires": _pane("Next fires", "enter why", fires, "it does not fire any more"),
            "triggers": _pane("Depends on, triggers", "enter job", triggers, "nothing"),
            "fails": _pane(
                "Fails, by cause", "enter newest",
                failure_rows(fails, now_us, zone, widths["fails"]), "no failures known",
            ),
            "config": _pane(
                f"Config v{row.version}", "e edit",
                config_rows(row.job, agents, widths["config"]), "",
            ),
            "changes": _pane(
                "Changes", "d diff  V revert", changes, self._versions_wrong or "not known yet"
            ),
            "runs": _pane("Runs", "enter run", runs, none),
        }  # fmt: skip

    # Asking for what is older than the snapshot.

    def _ask_for_more(self, scene: Scene) -> None:
        """Older runs and all versions: when the screen opens, and after each change of the job."""
        row = self._known.row
        if scene.connection.blocks() or not scene.view.whole:
            self._asked_for = None
            return
        if row is not None and row.job.blackout and self._calendars.due(scene):
            ask = self._calendars.ask(self.stage.session, self.draw)
            self.run_worker(ask, group="calendars", exclusive=True)
        wanted = row.version if row is not None else 0, self._known.removed
        if wanted != self._asked_for:
            self._asked_for = wanted
            self.run_worker(self._load(), group="load", exclusive=True)

    async def _load(self) -> None:
        try:
            await self.stage.session.load_runs(self._known.name)
            await self._load_versions()
        except LinkError:
            self._asked_for = None  # with the next drawing, as soon as there is a link
            return
        except RequestError as error:
            self.say(f"runs of {self._known.name}: {error.message}", failed=True)
        self.draw()

    async def _load_versions(self) -> None:
        ask = GetJobVersions(self._known.name, limit=VERSIONS_SHOWN)
        try:
            answer = await self.stage.session.ask(ask)
        except RequestError as error:
            self._versions_wrong = error.message
        else:
            if isinstance(answer, JobVersions):
                self._known.versions, self._versions_wrong = answer.rows, ""

    # Keys.

    def _open(self, at: Situation) -> None:
        """Open whatever the cursor is on."""
        key = self._panes.cursor_key
        match self._panes.here:
            case "triggers" if key:
                self.stage.open_job(key)
            case "fires" if at.at_us is not None:
                self.stage.open_why(at)
            case "changes":
                self._diff(at)
            case _ if at.run is not None:
                self._open_run(at)
            case _:
                self.say("open: there is no run here", failed=True)

    def _diff(self, at: Situation) -> None:
        if at.versions:
            scene, versions = self.stage.scene(), self._known.versions
            place = versions.index(at.versions[0])
            self.app.push_screen(DiffScreen(versions, place, scene.now_us, scene.zone))

    def _switch_fails(self) -> None:
        self._known.fails_only = not self._known.fails_only
        self.draw()

    def _next_pane(self) -> None:
        panes = self._panes
        order = panes.names if panes.zoomed else (HISTORY, *panes.names)
        here = panes.here or HISTORY
        name = order[(order.index(here) + 1) % len(order)]
        if name == HISTORY:
            self.query_one(RunStrip).focus()
        else:
            panes.zoomed = panes.zoomed and name
            panes.give_keys(name)
        self.draw()

    def _zoom(self) -> None:
        panes = self._panes
        here = panes.here or "runs"
        panes.zoomed = "" if panes.zoomed else here
        panes.give_keys(here)
        self.draw()


def _pane(title: str, keys: str, rows: Iterable[Row], empty: str) -> Pane:
    return Pane(title, keys, [LineOf(*row) for row in rows], empty)
