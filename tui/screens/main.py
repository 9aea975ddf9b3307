"""The first screen: all jobs above, their runs below."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget

from tocsin.errors import LinkError, RequestError
from tocsin.model import Run
from tocsin.tui.actions import Place, Situation
from tocsin.tui.messages import Said
from tocsin.tui.plain import rule
from tocsin.tui.rows import JOB_COLUMNS, RUN_COLUMNS, job_cells, job_order, run_cells
from tocsin.tui.scene import Scene, nothing_yet
from tocsin.tui.state import latest_by_job, newest_first
from tocsin.tui.widgets.columns import Cell
from tocsin.tui.widgets.one_line import OneLine
from tocsin.tui.widgets.table import Table

from .frame import Frame, bindings
from .run import RunScreen


class MainScreen(Frame):
    """Jobs and runs."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings([Place.JOBS, Place.RUNS])]

    def __init__(self) -> None:
        super().__init__()
        self._chosen_job = ""
        self._latest: dict[str, Run] = {}
        self.doings = {
            **self.doings,
            "choose": self._choose,
            "all_runs": lambda: self._list_runs_of(""),
            "open": self._open,
            "last_log": self._open,
            "pane": self._next_pane,
        }

    def body(self) -> Iterable[Widget]:
        """Two tables, each below its title."""
        yield OneLine(id="jobs-title")
        yield Table(JOB_COLUMNS, id="jobs")
        yield OneLine(id="runs-title")
        yield Table(RUN_COLUMNS, id="runs")

    def on_mount(self) -> None:
        """Begin with the jobs."""
        self._jobs.focus()
        super().on_mount()

    def on_table_moved(self, message: Table.Moved) -> None:
        """Other keys may be valid for this row."""
        message.stop()
        self.draw_foot(self.stage.scene())

    def situation(self, scene: Scene) -> Situation:
        """The row under the cursor of the table that has the focus."""
        view, offline = scene.view, scene.connection.blocks()
        if self._runs.has_focus:
            run = view.runs.get(self._runs.cursor_key)
            job = view.jobs.get(run.job) if run is not None else None
            return Situation(Place.RUNS, job, run, offline, self._chosen_job)
        job = view.jobs.get(self._jobs.cursor_key)
        latest = self._latest.get(job.job.name) if job is not None else None
        return Situation(Place.JOBS, job, latest, offline, self._chosen_job)

    def draw_body(self, scene: Scene) -> None:
        """Both tables and their titles."""
        view, now_us, zone = scene.view, scene.now_us, scene.zone
        self._latest = latest = latest_by_job(view)
        jobs, runs = view.jobs, view.runs
        run_ids = newest_first(view, self._chosen_job)
        self._jobs.show(
            job_order(view),
            lambda name: job_cells(jobs[name], latest.get(name), now_us, zone),
            empty=nothing_yet(scene, "no jobs yet: tocsin apply FILE brings some"),
        )
        self._runs.show(
            run_ids,
            lambda run_id: run_cells(runs[run_id], jobs.get(runs[run_id].job), now_us, zone),
            empty=nothing_yet(scene, "no runs yet: r runs the job above now"),
        )
        self._draw_titles(len(jobs), len(run_ids))

    def _draw_titles(self, jobs: int, runs: int) -> None:
        of = self._chosen_job or "all jobs"
        titles = (
            (self._jobs, "jobs", f"Jobs {jobs}"),
            (self._runs, "runs", f"Runs of {of} {runs}"),
        )
        for table, name, title in titles:
            here = table.has_focus
            text = rule(
                f"[{title}]" if here else title, "" if here else "tab goes here", self.size.width
            )
            self.query_one(f"#{name}-title", OneLine).say(Cell(text, "strong" if here else "quiet"))

    @property
    def _jobs(self) -> Table:
        return self.query_one("#jobs", Table)

    @property
    def _runs(self) -> Table:
        return self.query_one("#runs", Table)

    def _next_pane(self) -> None:
        (self._jobs if self._runs.has_focus else self._runs).focus()

    def _choose(self) -> None:
        job = self._jobs.cursor_key
        self._list_runs_of("" if job == self._chosen_job else job)

    def _list_runs_of(self, job: str) -> None:
        self._chosen_job = job
        self.draw()
        if job:
            self.run_worker(self._load_runs(job), group="load", exclusive=True)

    async def _load_runs(self, job: str) -> None:
        try:
            await self.stage.session.load_runs(job)
        except (LinkError, RequestError) as error:
            self.post_message(Said(f"runs of {job}: {error.message}", failed=True))

    def _open(self) -> None:
        run = self.situation(self.stage.scene()).run
        if run is not None:
            self.app.push_screen(RunScreen(run))
