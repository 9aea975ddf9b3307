"""`tocsin up`: coordinator, agent and jobs on this machine, with one command and without root."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Final

import click

from tocsin import clock
from tocsin.config import find_places
from tocsin.errors import LinkError, RequestError
from tocsin.jobfile import InstalledExecutors, JobSet, read_job_files
from tocsin.messages.client_answers import Done, RunsPage
from tocsin.messages.client_link import KillRuns, ListRuns
from tocsin.model import TERMINAL, Job, Run, RunState

from .applying import put_set
from .asking import in_parts, some_jobs
from .failing import FAILED, OK
from .local_fleet import LocalFleet
from .options import seconds
from .shapes import print_json, run_shape
from .tables import span, table
from .watching import Watch, event_line

if TYPE_CHECKING:
    from tocsin.session import Session

LOOK_S: Final = 0.5
PAGE: Final = 500
KILL_S: Final = 15.0
"""How long runs that are ended at the end may take."""
_BAD: Final = {RunState.FAILED, RunState.TIMED_OUT, RunState.LOST, RunState.REFUSED}


@click.command()
@click.argument("files", nargs=-1, metavar="[FILE|DIR…]")
@click.option(
    "--for",
    "for_s",
    callback=seconds,
    metavar="DURATION",
    help="End after this time; print the runs.",
)
@click.option("--no-tui", is_flag=True, help="Print events as lines, on a terminal too.")
@click.option(
    "-o", "--output", type=click.Choice(["table", "json"]), default="table", help="With --for."
)
def up(*, files: tuple[str, ...], for_s: float | None, no_tui: bool, output: str) -> int:
    """Start a coordinator and an agent on this machine, and apply job files.

    On a terminal the terminal interface opens; otherwise events are printed as lines. What ends by
    accident is started again. ctrl+c (or q) ends everything; runs under way are ended too. With
    --for the exit code is 1 if a run failed whose job is not marked `expect_failure`.
    """
    wanted = read_job_files(files, InstalledExecutors()) if files else JobSet()
    fleet = LocalFleet(find_places(os.environ, daemon=True))
    stop = _Stop()
    code = OK
    try:
        fleet.start()
        if wanted != JobSet():
            put_set(fleet.session, wanted)
        began_us = clock.now_us()
        _say(f"up: {len(wanted.jobs)} jobs, agent {fleet.agent_name}; ctrl+c ends it")
        if for_s is None and not no_tui and sys.stdin.isatty() and sys.stdout.isatty():
            broke = fleet.supervise_beside(_terminal_interface(fleet))
            if broke:
                _say("the terminal interface broke; jobs go on, what happens follows here")
                # The interface has put its own handlers in place of the first ones.
                _follow(fleet, _Stop(), for_s, quiet=False)
        else:
            _follow(fleet, stop, for_s, quiet=output == "json")
        runs = _end_runs(fleet)
        if for_s is not None:
            runs = _since(runs, began_us)
            jobs = {job.name: job for job in wanted.jobs}
            rows = some_jobs(fleet.session, [run.job for run in runs])
            jobs |= {name: row.job for name, row in rows.items()}
            code = _report(runs, jobs, as_json=output == "json")
    finally:
        fleet.close()
    return code


class _Stop:
    """Set by SIGINT and SIGTERM."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True


def _say(text: str) -> None:
    click.echo(text, err=True)


def _terminal_interface(fleet: LocalFleet) -> Callable[[], int]:
    from tocsin.tui.running import run_tui  # Textual, only where it draws

    return lambda: run_tui(fleet.context, ends_all=True)


def _follow(fleet: LocalFleet, stop: _Stop, for_s: float | None, *, quiet: bool) -> None:
    """Print what happens until it is time to end; with `quiet`, to stderr."""
    watch = Watch()
    until_s = None if for_s is None else clock.monotonic_s() + for_s
    while not stop.asked and (until_s is None or clock.monotonic_s() < until_s):
        left_s = LOOK_S if until_s is None else min(LOOK_S, until_s - clock.monotonic_s())
        for child, code in fleet.supervisor.tend(max(left_s, 0.0)):
            _say(f"{child.name} ended ({code}); it is started again")
        try:
            runs = _recent(fleet.session, watch)
        except (LinkError, RequestError):
            continue  # it is being started again, or its disk is full and it says so itself
        for run in watch.news(runs):
            click.echo(event_line(run), err=quiet)


def _recent(session: Session, watch: Watch) -> list[Run]:
    """The newest runs, back to the first that was seen over already."""
    runs: list[Run] = []
    before = ""
    while True:
        rows = session.answer(RunsPage, ListRuns(before=before, limit=PAGE), timeout_s=2.0).rows
        runs += rows
        if len(rows) < PAGE or watch.settled(rows[-1]):
            return runs
        before = rows[-1].id


def _end_runs(fleet: LocalFleet) -> list[Run]:
    """Let nothing run on when nobody would watch it; all runs as they are then."""
    session = fleet.session
    fleet.retire_agent()
    active = [state for state in RunState if state not in TERMINAL]
    under_way = [run.id for run in session.runs(states=active)]
    for part in in_parts(under_way):
        with contextlib.suppress(RequestError):  # it ended by itself meanwhile
            session.answer(Done, KillRuns(part))
    for part in in_parts(under_way):
        session.runs_over(part, clock.monotonic_s() + KILL_S)
    return list(session.runs())


def _since(runs: list[Run], began_us: int) -> list[Run]:
    return [run for run in reversed(runs) if run.created_us >= began_us]


def _report(runs: list[Run], jobs: dict[str, Job], *, as_json: bool) -> int:
    """Print the runs; the exit code that they come to."""
    if as_json:
        print_json([run_shape(run) for run in runs])
    else:
        lines = [
            (
                run.id,
                run.job,
                run.state,
                run.attempt,
                run.exit_code,
                span(run.started_us, run.finished_us),
                run.reason,
            )
            for run in runs
        ]
        click.echo(table(("run", "job", "state", "attempt", "exit", "took", "reason"), lines))
    bad = [run for run in runs if run.state in _BAD]
    unexpected = [run for run in bad if run.job not in jobs or not jobs[run.job].expect_failure]
    return FAILED if unexpected else OK
