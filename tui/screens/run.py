"""One run: what is known of it, its output as it comes, and the runs beside and before it."""

from __future__ import annotations

from collections.abc import Iterable

from textual.widget import Widget

from tocsin.errors import LinkError, RequestError
from tocsin.messages.client_answers import RunsPage
from tocsin.messages.client_link import GetAttempts, GetGroup
from tocsin.model import Run
from tocsin.tui.actions.action import Place, Situation
from tocsin.tui.facts import bar, before, beside, headline, progress, story, tries, verdict
from tocsin.tui.plain import fit, rule
from tocsin.tui.scene import Scene
from tocsin.tui.usual import usual
from tocsin.tui.widgets.columns import Cell
from tocsin.tui.widgets.one_line import OneLine
from tocsin.tui.words import run_tail, tone

from .frame import Frame
from .run_log import RunLog

_FACTS = ("headline", "progress", "story")
_STRIP = ("strip-rule", "strip-tries", "strip-before", "strip-beside", "strip-verdict")
_BAR_SHARE = 3
"""The bar is as wide as this part of the screen."""


class RunScreen(Frame):
    """Facts and log of a run."""

    PLACE = Place.RUN

    def __init__(self, run: Run) -> None:
        super().__init__()
        self._run = run
        self._attempts: list[Run] = []
        self._group: list[str] = []
        self._asked_at = 0
        """The attempt at which was asked what else there is."""
        self._zoomed = False

    def body(self) -> Iterable[Widget]:
        """Three lines of facts, the log, and what there was besides."""
        yield from (OneLine(id=name) for name in _FACTS)
        log = RunLog(self.stage.session, self._run, lambda: self.stage.zone, self.prompt)
        self.doings = {**self.doings, **log.doings, "zoom": lambda _: self._zoom()}
        yield log
        yield from (OneLine(id=name) for name in _STRIP)

    def on_mount(self) -> None:
        """Begin to read."""
        self._log.pane.focus()

    def crumb(self) -> str:
        """Which run this is."""
        return f"{self._run.job} > {run_tail(self._run.id)}"

    def look(self, scene: Scene) -> Situation:
        """This run."""
        job = scene.view.jobs.get(self._run.job)
        return Situation(
            place=self.PLACE,
            jobs=(job,) if job is not None else (),
            runs=(self._run,),
            flags=self._log.flags,
            at_us=self._run.due_us,
        )

    def to_copy(self, at: Situation) -> str:
        """The line of the log that is pointed at."""
        return self._log.text or super().to_copy(at)

    def draw_body(self, scene: Scene) -> None:
        """The facts; the log draws itself when output arrives."""
        self._run = scene.view.runs.get(self._run.id, self._run)
        self._draw_facts(scene)
        self._draw_strip(scene)
        self._log.know(self._run, scene.connection.blocks())
        if self._asked_at != self._run.attempt and not scene.connection.blocks():
            self._asked_at = self._run.attempt
            self.run_worker(self._load(), group="load")

    def _draw_facts(self, scene: Scene) -> None:
        run, width = self._run, self.size.width
        job = scene.view.jobs.get(run.job)
        known = usual(run, scene.view.runs.values())
        identity = f"{run.id} "
        head = fit(f" {headline(run, job)}", width - len(identity))
        self._say_in("headline", [Cell(head, tone(run.state)), Cell(identity)])
        cells = bar(run, known, scene.now_us, width // _BAR_SHARE)
        room = width - 1 - sum(len(cell.text) for cell in cells)
        told = Cell(fit(progress(run, job, known, scene.now_us), room))
        self._say_in("progress", [Cell(" "), *cells, told])
        self._say_in("story", [Cell(fit(f" {story(run, scene.now_us, scene.zone)}", width))])

    def _draw_strip(self, scene: Scene) -> None:
        run, now_us, zone = self._run, scene.now_us, scene.zone
        runs = scene.view.runs
        group = [runs[run_id] for run_id in self._group if run_id in runs]
        ended = verdict(run, scene.view.jobs.get(run.job))
        parts = {
            "strip-tries": tries(run, self._attempts, now_us, zone),
            "strip-before": before(run, runs.values(), now_us, zone),
            "strip-beside": beside(run, group, now_us),
            "strip-verdict": [Cell(ended, tone(run.state))] if ended else [],
        }
        for name, cells in parts.items():
            self._say_in(name, [Cell(" "), *cells] if cells else [])
        title = rule("Tries and earlier runs", "", self.size.width)
        self._say_in("strip-rule", [Cell(title, "quiet")] if any(parts.values()) else [])

    def _say_in(self, name: str, cells: list[Cell]) -> None:
        """Say it, or give the line to the log where there is nothing to say."""
        line = self.query_one(f"#{name}", OneLine)
        shown = bool(cells) and not self._zoomed
        if line.display != shown:
            line.display = shown
        line.say(*cells)

    def _zoom(self) -> None:
        self._zoomed = not self._zoomed
        self.draw()

    async def _load(self) -> None:
        """Ask for other attempts, the other runs of the fire, and the job's earlier runs."""
        session, run = self.stage.session, self._run
        try:
            await session.load_runs(run.job)
            attempts = await session.ask(GetAttempts(run.id))
            group = await session.ask(GetGroup(run.id))
        except LinkError:
            self._asked_at = 0
            return
        except RequestError as error:
            self.say(f"run: {error.message}", failed=True)
            return
        if isinstance(attempts, RunsPage):
            self._attempts = attempts.rows
        if isinstance(group, RunsPage):
            session.add_runs(group.rows)
            self._group = [one.id for one in group.rows]
        self.draw()

    def on_run_log_moved(self) -> None:
        """Other keys may be valid now."""
        self.draw_foot(self.stage.scene())

    def go_back(self) -> None:
        """Forget what was looked for in the log; then close."""
        if not self._log.leave():
            super().go_back()

    @property
    def _log(self) -> RunLog:
        return self.query_one(RunLog)
