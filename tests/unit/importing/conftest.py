"""What an import comes to: the jobs that its file gives, and the doubts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from tocsin.cli.fires import as_text
from tocsin.execution import Executor
from tocsin.executors.http import Http
from tocsin.executors.scripted import Scripted
from tocsin.executors.shell import Shell
from tocsin.fires import next_fires_us
from tocsin.importing import Doubt, Imported, Options, doubt_line, settle, to_yaml
from tocsin.instants import from_rfc3339
from tocsin.jobfile import read_job_files
from tocsin.model import Job

EXECUTORS: Mapping[str, type[Executor]] = {"shell": Shell, "http": Http, "scripted": Scripted}
BERLIN = Options(timezone="Europe/Berlin")
UTC = Options(timezone="UTC")


class Outcome(NamedTuple):
    """An import, written and read again."""

    jobs: dict[str, Job]
    held: dict[str, str]
    """Why each job stands in the file as a comment."""
    doubts: list[Doubt]
    text: str

    def job(self) -> Job:
        """The only job."""
        (job,) = self.jobs.values()
        return job

    def said(self, job: str | None = None) -> list[str]:
        """The doubts as lines; those of one job, or all."""
        return [doubt_line(one) for one in self.doubts if job in {None, one.place.job}]


Finish = Callable[[Imported], Outcome]


@pytest.fixture
def finish(tmp_path: Path) -> Finish:
    """Settles an import, writes its file, and reads that as `tocsin plan` does."""

    def finish_import(imported: Imported) -> Outcome:
        settled = settle(imported, EXECUTORS)
        text = to_yaml(settled, "Imported by a test")
        path = tmp_path / "imported.yaml"
        path.write_text(text)
        jobs = {job.name: job for job in read_job_files([path], EXECUTORS).jobs}
        held = {draft.name: draft.held for draft in settled.drafts if draft.held}
        assert [d.name for d in settled.drafts if not d.held] == list(jobs)
        return Outcome(jobs, held, settled.doubts, text)

    return finish_import


def fires(job: Job, after: str, count: int = 5) -> list[str]:
    """The next due times of a job after an instant, in its zone and to the minute."""
    found = next_fires_us(job, from_rfc3339(after), count)
    return [text[:16].replace("T", " ") for text in as_text(found)]


def utc(text: str) -> datetime:
    """An instant of UTC."""
    return datetime.fromisoformat(text)
