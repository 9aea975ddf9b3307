"""What commands share when they talk to the coordinator."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

import click

from tocsin.config import Context, find_context, find_places
from tocsin.errors import TocsinError
from tocsin.execution import Executor
from tocsin.messages.client_answers import ExecutorsPage, JobsPage, RunsPage
from tocsin.messages.client_link import GetJobs, GetRuns, ListExecutors
from tocsin.model import JobRow, OfferedExecutor, Run
from tocsin.nearest import did_you_mean

from .failing import NotFoundError

if TYPE_CHECKING:
    from tocsin.session import Session

NAMES_MAX: Final = 100
"""So many jobs or runs are asked for at once."""


def chosen_context() -> Context:
    """The context that this command line names, or the one known here.

    Raises:
        ConfigError: there is none.
    """
    named = click.get_current_context().obj
    return find_context(named, os.environ, find_places(os.environ))


def open_session() -> Session:
    """A session with the chosen coordinator."""
    from tocsin.session import Session  # loads the network library

    return Session(chosen_context())


def fleet_executors() -> Mapping[str, type[Executor]]:
    """The executors that a job may name: those installed here, and those of the fleet's agents.

    The coordinator is asked when a file cannot be judged without it. If it does not answer, that
    is for whoever needs it to say: the faults of a file come first.
    """
    from tocsin.jobfile import KnownExecutors

    def ask() -> list[OfferedExecutor]:
        try:
            with open_session() as session:
                return session.answer(ExecutorsPage, ListExecutors()).rows
        except TocsinError:
            return []

    return KnownExecutors(ask)


def some_jobs(session: Session, names: Iterable[str]) -> dict[str, JobRow]:
    """Those of these jobs that there are."""
    return {
        row.job.name: row
        for part in in_parts(list(dict.fromkeys(names)))
        for row in session.answer(JobsPage, GetJobs(part)).rows
    }


def known_jobs(session: Session, names: Iterable[str]) -> dict[str, JobRow]:
    """These jobs.

    Raises:
        NotFoundError: one of them does not exist.
    """
    wanted = list(names)
    found = some_jobs(session, wanted)
    for name in wanted:
        if name not in found:
            hint = did_you_mean(name, [row.job.name for row in session.jobs()])
            raise NotFoundError(f"there is no job {name}", hint or "see: tocsin job list")
    return found


def known_runs(session: Session, ids: Iterable[str]) -> dict[str, Run]:
    """These runs; an id may be written in small letters.

    Raises:
        NotFoundError: one of them does not exist.
    """
    wanted = list(dict.fromkeys(run_id.upper() for run_id in ids))
    found = {
        run.id: run
        for part in in_parts(wanted)
        for run in session.answer(RunsPage, GetRuns(part)).rows
    }
    for run_id in wanted:
        if run_id not in found:
            raise NotFoundError(f"there is no run {run_id}", "see: tocsin run list")
    return found


def in_parts(names: list[str]) -> Iterator[list[str]]:
    """Names in lists short enough for one request."""
    return (names[first : first + NAMES_MAX] for first in range(0, len(names), NAMES_MAX))
