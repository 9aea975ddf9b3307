"""One run: what is known of it, and its output as it comes."""

from __future__ import annotations

from collections.abc import Iterable

from textual.widget import Widget

from tocsin.errors import LinkError, RequestError
from tocsin.model import TERMINAL, Run
from tocsin.tui.actions.action import Flag, Place, Situation
from tocsin.tui.facts import headline, log_title, progress, story
from tocsin.tui.log_lines import LogLines
from tocsin.tui.messages import OutputArrived, Said
from tocsin.tui.plain import fit, rule
from tocsin.tui.scene import Scene
from tocsin.tui.widgets.columns import Cell
from tocsin.tui.widgets.log_pane import LogPane
from tocsin.tui.widgets.one_line import OneLine
from tocsin.tui.widgets.prompt import Question
from tocsin.tui.words import log_time, run_tail, tone

from .frame import Frame


class RunScreen(Frame):
    """Facts and log of a run."""

    PLACE = Place.RUN

    def __init__(self, run: Run) -> None:
        super().__init__()
        self._run = run
        self._output = LogLines()
        self._reading = False
        self._read_over = False
        self.doings = {
            **self.doings,
            "follow": lambda _: self._pane.set_follow(not self._pane.follow),
            "search": lambda _: self.prompt(Question("/", self._pane.find)),
            "next_match": lambda _: self._pane.go_to_match(1),
            "previous_match": lambda _: self._pane.go_to_match(-1),
        }

    def body(self) -> Iterable[Widget]:
        """Three lines of facts, and the log."""
        yield OneLine(id="headline")
        yield OneLine(id="progress")
        yield OneLine(id="story")
        yield OneLine(id="log-title")
        yield LogPane(self._time_of, id="log")

    def on_mount(self) -> None:
        """Begin to read."""
        self._pane.focus()
        super().on_mount()

    def crumb(self) -> str:
        """Which run this is."""
        return f"{self._run.job} > {run_tail(self._run.id)}"

    def look(self, scene: Scene) -> Situation:
        """This run."""
        job = scene.view.jobs.get(self._run.job)
        flags = {Flag.SEARCHING} if self._pane.needle else set[Flag]()
        return Situation(
            place=self.PLACE,
            jobs=(job,) if job is not None else (),
            runs=(self._run,),
            flags=frozenset(flags),
            at_us=self._run.due_us,
        )

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
        self._draw_log_title()
        if not self._reading and (not self._read_over or run.state not in TERMINAL):
            self._read_on()

    def on_output_arrived(self, message: OutputArrived) -> None:
        """Show it."""
        self._output.add(message.page.pieces)
        if message.page.ended:
            # A run that was given up may come back, and then `draw_body` reads on.
            self._reading, self._read_over = False, True
            self._pane.empty = "it printed nothing"
        else:
            self._pane.empty = "it has printed nothing yet"
        self._pane.show(self._output)
        self._draw_log_title()

    def on_log_pane_moved(self) -> None:
        """Say whether the end is followed, and which keys are valid now."""
        self._draw_log_title()
        self.draw_foot(self.stage.scene())

    @property
    def _pane(self) -> LogPane:
        return self.query_one(LogPane)

    def _draw_log_title(self) -> None:
        pane, width = self._pane, self.size.width
        if pane.follow:
            right = "FOLLOW"
        else:
            right = f"+{pane.unseen} new, f follows" if pane.unseen else "f follows"
        if pane.needle:
            nth = pane.found.index(pane.at_match) + 1 if pane.at_match in pane.found else 0
            right = f"{pane.needle!r}: {nth} of {len(pane.found)}  {right}"
        self.query_one("#log-title", OneLine).say(
            Cell(rule(log_title(self._output), right, width), "quiet")
        )

    def _read_on(self) -> None:
        self._reading = True
        self.run_worker(self._read(), group="read", exclusive=True)

    async def _read(self) -> None:
        try:
            async for page in self.stage.session.follow(self._run.id, self._output.position):
                self.post_message(OutputArrived(page))
        except (LinkError, RequestError) as error:
            self.post_message(Said(f"log: {error.message}", failed=True))

    def _time_of(self, at_us: int) -> str:
        return log_time(at_us, self.stage.zone)

    def go_back(self) -> None:
        """Forget what was looked for; then close."""
        if self._pane.needle:
            self._pane.find("")
        else:
            super().go_back()
