"""All runs, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from tocsin.errors import LinkError, RequestError
from tocsin.tui.actions.action import Place, Situation
from tocsin.tui.filtering import Filter, holds, of_run
from tocsin.tui.filtering import read as read_filter
from tocsin.tui.memo import Memo
from tocsin.tui.rows import RUN_COLUMNS, run_cells
from tocsin.tui.scene import Scene, nothing_yet
from tocsin.tui.widgets.columns import Column
from tocsin.tui.widgets.table import CellsOf
from tocsin.tui.words import WORD

from .listing import ListScreen, Sort


class RunsScreen(ListScreen):
    """The list of runs."""

    PLACE = Place.RUNS
    NOUN = "runs"
    COLUMNS: ClassVar[Sequence[Column]] = RUN_COLUMNS
    SORTS: ClassVar[Sequence[Sort]] = (
        Sort("BEGAN", lambda run: run.id, falling=True),
        Sort("STATE", lambda run: WORD[run.state]),
        Sort("JOB", lambda run: run.job),
        Sort("AGENT", lambda run: run.agent),
        Sort("TOOK", lambda run: (run.finished_us or 0) - (run.started_us or 0), falling=True),
    )

    def __init__(self) -> None:
        super().__init__()
        self._listed: Memo[list[str]] = Memo()

    def keys(self, scene: Scene, terms: Filter) -> tuple[Sequence[str], int]:
        """The ids of runs."""
        view = scene.view

        def make() -> list[str]:
            runs = [run for run in view.runs.values() if not terms or holds(terms, of_run(run))]
            runs.sort(key=lambda run: run.id, reverse=True)  # newest first among equals
            runs.sort(key=self.sort.key, reverse=self.falling)
            return [run.id for run in runs]

        order = f"{self.sort.title} {self.reverse}"
        return self._listed.of(make, view.runs, self.filter_text, order), len(view.runs)

    def cells(self, scene: Scene) -> CellsOf:
        """What is in a row."""
        runs, jobs = scene.view.runs, scene.view.jobs
        return lambda run_id: run_cells(
            runs[run_id], jobs.get(runs[run_id].job), scene.now_us, scene.zone
        )

    def empty(self, scene: Scene) -> str:
        """How one comes by runs."""
        return nothing_yet(scene, "no runs yet: r on a job runs it now")

    def look(self, scene: Scene) -> Situation:
        """The runs, with their jobs."""
        view = scene.view
        runs = tuple(view.runs[run_id] for run_id in self.table.chosen if run_id in view.runs)
        rows = {run.job: view.jobs[run.job] for run in runs if run.job in view.jobs}
        run = runs[0] if runs else None
        return Situation(
            place=self.PLACE,
            jobs=tuple(rows.values()),
            runs=runs,
            flags=self.flags(),
            at_us=None if run is None else run.due_us,
        )

    def set_filter(self, text: str) -> None:
        """Of one job alone, runs from before the snapshot are asked for as well."""
        super().set_filter(text)
        wanted = [
            term.value for term in read_filter(text) if term.key == "job" and not term.inverse
        ]
        if wanted and wanted[0] in self.stage.scene().view.jobs:
            self.run_worker(self._load_runs(wanted[0]), group="load", exclusive=True)

    async def _load_runs(self, job: str) -> None:
        try:
            await self.stage.session.load_runs(job)
        except (LinkError, RequestError) as error:
            self.say(f"runs of {job}: {error.message}", failed=True)
