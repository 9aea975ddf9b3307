"""One run: what is known of it, and its output as it comes."""

from __future__ import annotations

from collections.abc import Iterable

from textual.widget import Widget

from tocsin.model import Run
from tocsin.tui.actions.action import Place, Situation
from tocsin.tui.facts import headline, progress, story
from tocsin.tui.plain import fit
from tocsin.tui.scene import Scene
from tocsin.tui.widgets.columns import Cell
from tocsin.tui.widgets.one_line import OneLine
from tocsin.tui.words import run_tail, tone

from .frame import Frame
from .run_log import RunLog


class RunScreen(Frame):
    """Facts and log of a run."""

    PLACE = Place.RUN

    def __init__(self, run: Run) -> None:
        super().__init__()
        self._run = run

    def body(self) -> Iterable[Widget]:
        """Three lines of facts, and the log."""
        yield OneLine(id="headline")
        yield OneLine(id="progress")
        yield OneLine(id="story")
        log = RunLog(self.stage.session, self._run, lambda: self.stage.zone, self.prompt)
        self.doings = {**self.doings, **log.doings}
        yield log

    def on_mount(self) -> None:
        """Begin to read."""
        self._log.focus_pane()
        super().on_mount()

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
        self._run = run = scene.view.runs.get(self._run.id, self._run)
        job, width = scene.view.jobs.get(run.job), self.size.width
        identity = f"{run.id} "
        head = fit(f" {headline(run, job)}", width - len(identity))
        self.query_one("#headline", OneLine).say(Cell(head, tone(run.state)), Cell(identity))
        facts = (
            ("progress", progress(run, job, scene.now_us)),
            ("story", story(run, scene.now_us, scene.zone)),
        )
        for name, text in facts:
            self.query_one(f"#{name}", OneLine).say(Cell(fit(f" {text}", width)))
        self._log.know(run)

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
