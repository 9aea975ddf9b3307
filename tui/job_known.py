"""What a screen knows of its job, and where the cursor in the job's history is."""

from __future__ import annotations

from collections.abc import Sequence

from tocsin.model import JobRow, JobVersion, Run

from .job_history import failures_only, runs_of
from .memo import Memo
from .scene import Scene
from .state import latest_by_job


class JobKnown:
    """Follows a job by its name; one that is removed stays known as it was."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.row: JobRow | None = None
        self.removed = False
        self.versions: Sequence[JobVersion] = ()
        """The newest first."""
        self.fails_only = False
        """Whether the cursor goes over failed runs alone."""
        self.latest: dict[str, Run] = {}
        """The newest run of each job."""
        self.runs: tuple[Run, ...] = ()
        """Of this job, the newest last."""
        self.over: tuple[Run, ...] = ()
        """Those that the cursor goes over."""
        self._chosen = ""
        """The run that the cursor was put on; empty: the newest, whichever that is."""
        self._runs: Memo[tuple[Run, ...]] = Memo()
        self._latest: Memo[dict[str, Run]] = Memo()

    @property
    def place(self) -> int:
        """Where the cursor is in `over`; at the last where its run is not there any more."""
        found = (at for at, run in enumerate(self.over) if run.id == self._chosen)
        return next(found, len(self.over) - 1)

    @property
    def run(self) -> Run | None:
        """The run under the cursor."""
        return self.over[self.place] if self.over else None

    @property
    def is_chosen(self) -> bool:
        """Whether the cursor was put on a run; else it goes along with the newest."""
        return bool(self._chosen) and self.run is not None

    def follow(self, scene: Scene) -> None:
        """Take up what is known now."""
        view = scene.view
        row = view.jobs.get(self.name)
        self.row = row or self.row or as_it_was(self.versions)
        self.removed = row is None and self.row is not None and view.whole
        self.runs = self._runs.of(lambda: runs_of(view.runs.values(), self.name), view.runs)
        self.latest = self._latest.of(lambda: latest_by_job(view), view.runs)
        self.over = failures_only(self.runs) if self.fails_only else self.runs

    def step(self, by: int) -> None:
        """Put the cursor on an earlier run, or a later one."""
        if self.over:
            place = max(min(self.place + by, len(self.over) - 1), 0)
            self._chosen = self.over[place].id if place < len(self.over) - 1 else ""


def as_it_was(versions: Sequence[JobVersion]) -> JobRow | None:
    """A job that is removed, by its versions, the newest first; None where there are none."""
    for version in versions:
        if version.job is not None:
            return JobRow(
                id=version.job_id,
                job=version.job,
                version=version.version,
                changed_us=version.changed_us,
                changed_by=version.changed_by,
            )
    return None
