"""`tocsin run`: runs and their output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from tocsin import clock
from tocsin.messages.client_answers import Done, OutputPage, RunsPage
from tocsin.messages.client_link import GetAttempts, GetGroup, KillRuns, ReadOutputBack, RerunRuns
from tocsin.model import TERMINAL, Run, RunState

from . import undo
from .asking import known_jobs, known_runs, open_session
from .failing import FAILED, OK
from .options import COUNT, output_option, timeout_option
from .run_logs import logs
from .shapes import action_shape, print_json, run_shape
from .tables import cell, local_time, pairs, span, table

if TYPE_CHECKING:
    from tocsin.session import Session

_IDS = click.argument("ids", nargs=-1, required=True, metavar="ID…")
_HEADINGS: Final = ("id", "job", "state", "due", "took", "agent", "exit", "reason")


@click.group()
def run() -> None:
    """List, show, watch, wait for, repeat and kill runs."""


run.add_command(logs)


@run.command("list")
@click.option("--job", default="", metavar="NAME", help="Only runs of this job.")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([state.value for state in RunState]),
    help="Only runs in this state; may be given again.",
)
@click.option("-n", "count", type=COUNT, default=20, show_default=True, help="How many.")
@output_option
def list_(*, job: str, states: tuple[str, ...], count: int, as_json: bool) -> None:
    """List runs, newest first."""
    with open_session() as session:
        rows = list(session.runs(job, [RunState(state) for state in states], count))
        if job and not rows:
            known_jobs(session, [job])
    print_runs(rows, as_json=as_json)


@run.command()
@click.argument("run_id", metavar="ID")
@output_option
def show(*, run_id: str, as_json: bool) -> None:
    """Show one run, with the attempts that came before its last."""
    with open_session() as session:
        (one,) = known_runs(session, [run_id]).values()
        earlier = session.answer(RunsPage, GetAttempts(one.id)).rows
        group = session.answer(RunsPage, GetGroup(one.id)).rows
        not_kept = 0
        if one.output_bytes:
            not_kept = session.answer(OutputPage, ReadOutputBack(one.id, 0, 1)).not_kept_bytes
    if as_json:
        shape = {
            **run_shape(one),
            "earlier_attempts": [run_shape(attempt) for attempt in earlier],
            "group_runs": [run_shape(member) for member in group],
            "output_not_kept_bytes": not_kept,
        }
        print_json(shape)
        return
    click.echo(pairs(_facts(one, not_kept)))
    if earlier:
        click.echo("\nearlier attempts:")
        print_runs(earlier, as_json=False)
    if len(group) > 1:
        click.echo(f"\nits group, {len(group)} runs:")
        print_runs(group, as_json=False)


@run.command()
@_IDS
@output_option
def kill(*, ids: tuple[str, ...], as_json: bool) -> None:
    """End runs: they are asked to end, then made to after their job's kill_after."""
    with open_session() as session:
        runs = known_runs(session, ids)
        ended = session.answer(Done, KillRuns(list(runs))).names
    jobs = list(dict.fromkeys(runs[run_id].job for run_id in ended))
    again = [undo.command("job", "run", *jobs)] if jobs else []
    if as_json:
        print_json(action_shape("killed", ended, again))
        return
    for run_id in ended:
        click.echo(f"run {run_id} of {runs[run_id].job} is being ended")
    for run_id in runs:
        if run_id not in ended:
            click.echo(f"run {run_id} was over already")
    for line in again:
        click.echo(f"undo: a killed run cannot go on; to start another: {line}")


@run.command()
@_IDS
@click.option("--failed", is_flag=True, help="Only on the hosts where it did not succeed.")
@output_option
def rerun(*, ids: tuple[str, ...], failed: bool, as_json: bool) -> None:
    """Repeat runs on the same hosts, with the same parameters, as their jobs are now.

    A run that is one of a group stands for the whole group.
    """
    with open_session() as session:
        before = known_runs(session, ids)
        again = session.answer(Done, RerunRuns(list(before), failed)).names
    undo_command = undo.command("run", "kill", *again)
    if as_json:
        print_json(action_shape("repeated", again, [undo_command]))
        return
    for run_id in again:
        click.echo(f"run {run_id} is queued")
    click.echo(f"undo: {undo_command}")


@run.command()
@_IDS
@timeout_option
@output_option
def wait(*, ids: tuple[str, ...], timeout: float | None, as_json: bool) -> int:
    """Wait until runs are over; exit 1 unless all of them succeeded."""
    with open_session() as session:
        return wait_for(session, list(known_runs(session, ids)), timeout, as_json=as_json)


def wait_for(session: Session, ids: list[str], timeout_s: float | None, *, as_json: bool) -> int:
    """Wait until runs are over, print how they ended, and give the exit code for it."""
    until_s = None if timeout_s is None else clock.monotonic_s() + timeout_s
    rows = session.runs_over(ids, until_s)
    print_runs(rows, as_json=as_json)
    if any(one.state not in TERMINAL for one in rows):
        click.echo("tocsin: the time is up, and not all of them are over", err=True)
    return OK if all(one.state is RunState.SUCCEEDED for one in rows) else FAILED


def print_runs(rows: list[Run], *, as_json: bool) -> None:
    """Print a list of runs."""
    if as_json:
        print_json([run_shape(one) for one in rows])
    elif rows:
        click.echo(table(_HEADINGS, [_line(one) for one in rows]))
    else:
        click.echo("no runs")


def _line(one: Run) -> list[object]:
    return [
        one.id,
        one.job,
        one.state,
        local_time(one.due_us) if one.due_us is not None else one.trigger,
        span(one.started_us, one.finished_us),
        one.agent,
        one.exit_code,
        _reason(one),
    ]


def _reason(one: Run) -> str:
    """Why a run is in its state; of a skip also what its record says in words."""
    because = one.facts.get("because") if one.state is RunState.SKIPPED else None
    words = (one.reason, because, one.facts.get("reason")) if because else (one.reason,)
    return ": ".join(str(word) for word in words if word)


def _facts(one: Run, not_kept: int) -> list[tuple[str, object]]:
    size = f"{one.output_bytes} bytes" + (f" kept, {not_kept} not" if not_kept else "")
    due = local_time(one.due_us)
    if one.dues > 1:
        due += f", and {one.dues - 1} more until {local_time(one.due_last_us)}"
    return [
        ("id", one.id),
        ("job", f"{one.job} (version {one.job_version})"),
        ("state", one.state),
        ("reason", _reason(one)),
        ("trigger", one.trigger + (f" by {cell(one.requested_by)}" if one.requested_by else "")),
        ("cause", one.cause),
        ("parameters", one.params),
        ("due", due),
        ("agent", one.agent),
        ("placed", one.placed),
        ("attempt", _attempt(one)),
        ("exit code", one.exit_code),
        ("created", local_time(one.created_us)),
        ("dispatched", local_time(one.dispatched_us)),
        ("started", local_time(one.started_us)),
        ("finished", local_time(one.finished_us)),
        ("took", span(one.started_us, one.finished_us)),
        ("output", f"{size}; see: {undo.command('run', 'logs', one.id)}"),
        ("facts", one.facts),
        ("why", undo.command("why", one.job, "--run", one.id)),
    ]


def _attempt(one: Run) -> str:
    if not one.launch_failures:
        return str(one.attempt)
    return f"{one.attempt}, of which {one.launch_failures} could not begin"
