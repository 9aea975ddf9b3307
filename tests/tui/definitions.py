"""How the stand-in of a coordinator keeps jobs: versions, and who was there before."""

from __future__ import annotations

from collections.abc import Mapping

from tocsin.executors.http import Http
from tocsin.executors.shell import Shell
from tocsin.messages.client_answers import (
    Answer,
    Declined,
    ExecutorsPage,
    JobChange,
    JobsPut,
    JobVersions,
    Shared,
)
from tocsin.messages.client_link import Ask, GetJobVersions, GetShared, ListExecutors, PutJobs
from tocsin.model import Calendar, JobRow, JobVersion, OfferedExecutor
from tocsin.tui.editing.executor_fields import description_of

from .fleet import NOW_US

OFFERED = [
    OfferedExecutor(
        description=description_of(executor), agents=2, some=["app-04", "etl-03"], unavailable={},
        unavailable_agents=0,
    )
    for executor in (Http, Shell)
]  # fmt: skip


def put(rows: Mapping[str, JobRow], ask: PutJobs) -> tuple[Answer, list[JobRow]]:
    """The answer to a change, and the rows that it makes."""
    made, changes = [], []
    for number, job in enumerate(ask.jobs):
        row = rows.get(job.name)
        version = row.version if row is not None else 0
        if ask.expected.get(job.name, version) != version:
            return Declined(f"job {job.name} is at version {version}", "look again"), []
        if job.pool:
            return Declined(f"job {job.name}: there is no pool {job.pool!r}", "define it"), []
        kept = row is not None and row.job == job
        action = "keep" if kept else "change" if row is not None else "create"
        now = version if kept else version + 1
        made.append(
            JobRow(
                id=row.id if row is not None else 900 + number, job=job, version=now,
                changed_us=NOW_US, changed_by="me",
            )
        )  # fmt: skip
        changes.append(JobChange(job.name, action, now))
    return JobsPut(changes), made


def answer_of(rows: Mapping[str, JobRow], ask: Ask) -> Answer:
    """The answer to a question about what is defined."""
    match ask:
        case GetJobVersions():
            return _versions(rows, ask)
        case ListExecutors():
            return ExecutorsPage(OFFERED)
        case GetShared():
            return Shared([Calendar(name="holidays", dates=["2026-12-25"])], [])
        case _:
            return Declined(f"no test asks {type(ask).__name__}")


def _versions(rows: Mapping[str, JobRow], ask: GetJobVersions) -> JobVersions:
    """The newest version of a job, which is all that is kept here."""
    row = rows.get(ask.name)
    if row is None:
        return JobVersions([])
    return JobVersions(
        [
            JobVersion(
                job_id=row.id, version=row.version, name=ask.name, job=row.job,
                changed_us=row.changed_us, changed_by=row.changed_by,
            )
        ]
    )  # fmt: skip
