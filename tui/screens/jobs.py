"""All jobs, and what is known of the one under the cursor."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Final

from textual.widget import Widget

from tocsin.model import JobRow, Run
from tocsin.tui.actions.action import Place, Situation
from tocsin.tui.filtering import Filter, holds, of_job
from tocsin.tui.job_facts import PREVIEW_LINES, preview
from tocsin.tui.memo import Memo
from tocsin.tui.messages import Said
from tocsin.tui.plain import fit, rule
from tocsin.tui.rows import JOB_COLUMNS, STRIP_RUNS, job_cells
from tocsin.tui.scene import Scene, nothing_yet
from tocsin.tui.state import latest_by_job, recent_by_job
from tocsin.tui.widgets.columns import Cell, Column
from tocsin.tui.widgets.one_line import OneLine
from tocsin.tui.widgets.table import CellsOf

from .listing import ListScreen, Sort, quiet

_NEVER_US: Final = 1 << 62
_PREVIEW_FROM_LINES: Final = 20
"""A lower screen leaves all its room to the list."""


class JobsScreen(ListScreen):
    """The list of jobs."""

    PLACE = Place.JOBS
    NOUN = "jobs"
    COLUMNS: ClassVar[Sequence[Column]] = JOB_COLUMNS
    SORTS: ClassVar[Sequence[Sort]] = (
        Sort("JOB", lambda row: row.job.name),
        Sort("NEXT", lambda row: (row.paused, row.next_due_us or _NEVER_US, row.job.name)),
        Sort("SCHEDULE", lambda row: (row.job.schedule, row.job.name)),
    )

    def __init__(self) -> None:
        super().__init__()
        self._latest: Memo[dict[str, Run]] = Memo()
        self._recent: Memo[dict[str, list[Run]]] = Memo()
        self._listed: Memo[list[str]] = Memo()

    def on_said(self, message: Said) -> None:
        """Go to the job that came of it."""
        if message.about:
            self.wanted, self.filter_text = message.about, ""

    def below(self) -> Iterable[Widget]:
        """What is known of the job under the cursor."""
        yield OneLine(id="preview-title")
        for number in range(PREVIEW_LINES):
            yield OneLine(id=f"preview-{number}")

    def keys(self, scene: Scene, terms: Filter) -> tuple[Sequence[str], int]:
        """The names of jobs."""
        view = scene.view
        latest = self._latest_of(scene) if terms else {}

        def make() -> list[str]:
            rows = [
                row for row in view.jobs.values() if holds(terms, of_job(row, _of(latest, row)))
            ]
            rows.sort(key=self.sort.key, reverse=self.falling)
            return [row.job.name for row in rows]

        order = f"{self.sort.title} {self.reverse}"
        found = self._listed.of(make, view.jobs, latest if terms else "", self.filter_text, order)
        return found, len(view.jobs)

    def cells(self, scene: Scene) -> CellsOf:
        """What is in a row."""
        jobs, latest, recent = scene.view.jobs, self._latest_of(scene), self._recent_of(scene)
        return lambda name: job_cells(
            jobs[name], latest.get(name), scene.now_us, scene.zone, recent.get(name, ())
        )

    def empty(self, scene: Scene) -> str:
        """How one comes by jobs."""
        return nothing_yet(scene, "no jobs yet: n makes one, tocsin apply FILE brings some")

    def look(self, scene: Scene) -> Situation:
        """The jobs, with the newest run of each."""
        jobs, latest = scene.view.jobs, self._latest_of(scene)
        names = [name for name in self.table.chosen if name in jobs]
        return Situation(
            place=self.PLACE,
            jobs=tuple(jobs[name] for name in names),
            runs=tuple(latest[name] for name in names if name in latest),
            flags=self.flags(),
        )

    def draw_body(self, scene: Scene) -> None:
        """The list and the preview."""
        super().draw_body(scene)
        row = scene.view.jobs.get(self.table.cursor_key)
        width = self.size.width
        lines = [] if row is None else preview(
            row, self._latest_of(scene).get(row.job.name), scene.now_us, scene.zone
        )  # fmt: skip
        shown = self.size.height >= _PREVIEW_FROM_LINES and row is not None
        title = self.query_one("#preview-title", OneLine)
        title.display = shown
        title.say(quiet(rule(row.job.name if row is not None else "", "enter opens it", width)))
        for number in range(PREVIEW_LINES):
            line = self.query_one(f"#preview-{number}", OneLine)
            line.display = shown
            text = lines[number] if number < len(lines) else ""
            line.say(Cell(fit(f" {text}", width)))

    def _latest_of(self, scene: Scene) -> dict[str, Run]:
        return self._latest.of(lambda: latest_by_job(scene.view), scene.view.runs)

    def _recent_of(self, scene: Scene) -> dict[str, list[Run]]:
        return self._recent.of(lambda: recent_by_job(scene.view, STRIP_RUNS), scene.view.runs)


def _of(latest: dict[str, Run], row: JobRow) -> Run | None:
    return latest.get(row.job.name)
