"""`tocsin job`: jobs as the coordinator has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from tocsin import clock
from tocsin.errors import ConfigError
from tocsin.fires import next_fires_us
from tocsin.jobfile import dump_yaml, job_to_file, read_job_files
from tocsin.messages.client_answers import Done
from tocsin.messages.client_link import Ask, PauseJobs, ResumeJobs, RunJobs
from tocsin.model import JobRow, Pause
from tocsin.params import check_given

from . import undo
from .applying import remove_jobs
from .asking import fleet_executors, known_jobs, known_runs, open_session
from .fires import as_text, begun_by
from .job_history import history, revert
from .options import DUE_COUNT, key_values, length_options, output_option, timeout_option
from .paused import job_pause, pauses_now, say_paused
from .run import print_runs, wait_for
from .shapes import action_shape, job_shape, print_json
from .tables import cell, distance, local_time, pairs, table

_NAMES = click.argument("names", nargs=-1, required=True, metavar="NAME…")


@click.group()
def job() -> None:
    """List, show, run, pause, remove and revert jobs."""


job.add_command(history)
job.add_command(revert)


@job.command("list")
@output_option
def list_(*, as_json: bool) -> None:
    """List all jobs by name."""
    with open_session() as session:
        rows, pauses = list(session.jobs()), pauses_now(session)
    if as_json:
        print_json([job_shape(row, pauses) for row in rows])
        return
    if not rows:
        click.echo("no jobs yet; define some in a file, then: tocsin apply FILE")
        return
    headings = ("name", "schedule", "next", "last", "state", "executor", "description")
    click.echo(table(headings, [_line(row, pauses) for row in rows]))


@job.command()
@click.argument("name")
@output_option
def show(*, name: str, as_json: bool) -> None:
    """Show one job, and its definition as a job file has it."""
    with open_session() as session:
        row = known_jobs(session, [name])[name]
        pauses = pauses_now(session)
    definition = job_to_file(row.job)
    if as_json:
        print_json({**job_shape(row, pauses), "definition": definition})
        return
    click.echo(pairs(_facts(row, pauses)))
    click.echo()
    click.echo(dump_yaml({"jobs": {name: definition}}), nl=False)


@job.command("next")
@click.argument("name")
@click.option("-n", "count", type=DUE_COUNT, default=5, show_default=True, help="How many.")
@output_option
def next_(*, name: str, count: int, as_json: bool) -> None:
    """Show when a job is due next."""
    with open_session() as session:
        row = known_jobs(session, [name])[name]
        paused = job_pause(row, pauses_now(session))
    now_us = clock.now_us()
    dues_us = next_fires_us(row.job, now_us, count)
    if as_json:
        print_json(as_text(dues_us))
        return
    if paused:
        click.echo(f"tocsin: {name} is {paused}; what is due meanwhile is skipped", err=True)
    if not dues_us:
        how = begun_by(row.job) if row.job.after else "when asked to"
        click.echo(f"{name} is not due: it runs {how}")
    for due_us in dues_us:
        click.echo(f"{local_time(due_us)}  {distance(due_us, now_us)}")


@job.command()
@_NAMES
@click.option(
    "--param",
    "params",
    multiple=True,
    callback=key_values,
    metavar="KEY=VALUE",
    help="What its runs are given; may be given again.",
)
@click.option("--wait", is_flag=True, help="Wait until it is over; exit 1 unless it succeeded.")
@timeout_option
@output_option
def run(
    *,
    names: tuple[str, ...],
    params: dict[str, str],
    wait: bool,
    timeout: float | None,
    as_json: bool,
) -> int:
    """Run jobs now, whatever they come after."""
    with open_session() as session:
        rows = known_jobs(session, names)
        for name, row in rows.items():
            check_given(name, row.job.params, params)
        say_paused(session, rows.values())
        given = dict.fromkeys(rows, params) if params else {}
        ids = session.answer(Done, RunJobs(list(names), given)).names
        if not as_json:
            for run_id in ids:
                click.echo(f"run {run_id} is queued")
            click.echo(f"undo: {undo.command('run', 'kill', *ids)}")
        if wait:
            return wait_for(session, ids, timeout, as_json=as_json)
        if as_json:
            print_runs(list(known_runs(session, ids).values()), as_json=True)
    return 0


@job.command()
@_NAMES
@click.option("--reason", default="", help="Why; shown beside the job.")
@length_options
@output_option
def pause(
    *,
    names: tuple[str, ...],
    reason: str,
    for_s: float | None,
    until_us: int | None,
    as_json: bool,
) -> None:
    """Let the due times of jobs pass, each recorded as a skip, until they are resumed.

    With --for or --until they resume by themselves.
    """
    _act(
        "paused",
        names,
        lambda listed: PauseJobs(listed, reason, for_s, until_us),
        "resume",
        as_json=as_json,
    )


@job.command()
@_NAMES
@output_option
def resume(*, names: tuple[str, ...], as_json: bool) -> None:
    """Let paused jobs fire again, from their next due time on."""
    _act("resumed", names, ResumeJobs, "pause", as_json=as_json)


@job.command()
@click.argument("names", nargs=-1, metavar="[NAME]…")
@click.option("--in", "files", multiple=True, metavar="FILE|DIR", help="All jobs of these files.")
@output_option
def rm(*, names: tuple[str, ...], files: tuple[str, ...], as_json: bool) -> None:
    """Remove jobs. Their runs stay on record, and those under way go on."""
    if not names and not files:
        raise ConfigError("no job is named", "name some, or files that define them: --in FILE")
    defined = read_job_files(files, fleet_executors()).jobs if files else []
    with open_session() as session:
        rows = known_jobs(session, [*names, *(job.name for job in defined)])
        put_back = undo.keep(row.job for row in rows.values())
        remove_jobs(session, list(rows.values()))
    _print_action("removed", list(rows), put_back, as_json=as_json)


def _act(
    action: str,
    names: tuple[str, ...],
    make: Callable[[list[str]], Ask],
    opposite: str,
    *,
    as_json: bool,
) -> None:
    with open_session() as session:
        rows = known_jobs(session, names)
        session.ask(make(list(rows)))
    _print_action(action, list(rows), undo.command("job", opposite, *rows), as_json=as_json)


def _print_action(action: str, names: list[str], undo_command: str, *, as_json: bool) -> None:
    if as_json:
        print_json(action_shape(action, names, [undo_command]))
        return
    for name in names:
        click.echo(f"{action} {name}")
    click.echo(f"undo: {undo_command}")


def _line(row: JobRow, pauses: list[Pause]) -> list[object]:
    return [
        row.job.name,
        begun_by(row.job),
        local_time(row.next_due_us),
        row.last_state,
        _state(row, pauses),
        row.job.executor,
        row.job.description,
    ]


def _state(row: JobRow, pauses: list[Pause]) -> str:
    return job_pause(row, pauses) or ("enabled" if row.job.enabled else "disabled")


def _facts(row: JobRow, pauses: list[Pause]) -> list[tuple[str, Any]]:
    return [
        ("name", row.job.name),
        ("state", _state(row, pauses)),
        ("next", local_time(row.next_due_us)),
        ("last run", row.last_state),
        ("version", row.version),
        ("changed", f"{local_time(row.changed_us or None)} by {cell(row.changed_by)}"),
    ]
