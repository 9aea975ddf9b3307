"""`tocsin plan` and `tocsin apply`: job files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from tocsin.errors import ConfigError
from tocsin.fires import next_fires_us
from tocsin.jobfile import JobSet, read_job_files
from tocsin.messages.client_answers import JobChange, JobsPut, SharedChange
from tocsin.model import Calendar, Pool
from tocsin.plan_index import parse_index

from . import undo
from .applying import check_index, hold, prune_of, put
from .asking import fleet_executors, open_session
from .failing import CHANGES, OK
from .fires import begun_by
from .options import key_values, output_option
from .plan import Plan, compare
from .plan_report import plan_shape, print_plan
from .shapes import print_json
from .tables import distance, local_time

_DONE: Final = {"create": "created", "change": "changed", "keep": "kept", "remove": "removed"}
_FILES = click.argument("files", nargs=-1, required=True, metavar="FILE|DIR…")
_Command = TypeVar("_Command", bound=Callable[..., Any])


def _prune_options(command: _Command) -> _Command:
    """`--prune` and `--label K=V`, as the arguments `prune` and `labels`."""
    label = click.option(
        "--label",
        "labels",
        multiple=True,
        callback=key_values,
        metavar="KEY=VALUE",
        help="Prune jobs with this label alone; may be given again: all must be there.",
    )
    prune = click.option(
        "--prune",
        is_flag=True,
        help="Remove jobs, calendars and pools that are not in the files.",
    )
    return prune(label(command))


@click.command()
@_FILES
@_prune_options
@click.option("--exit-code", "tells", is_flag=True, help="Exit 5 when there is something to do.")
@output_option
def plan(
    *, files: tuple[str, ...], prune: bool, labels: dict[str, str], tells: bool, as_json: bool
) -> int:
    """Show what `tocsin apply` of these files would change, and change nothing.

    A directory stands for all job files below it, - for YAML on stdin.
    """
    return _plan(files, prune=prune, labels=labels, tells=tells, as_json=as_json)


@click.command()
@_FILES
@_prune_options
@click.option("--index", metavar="INDEX", help="Refuse when the plan of this index is out of date.")
@click.option("--dry-run", is_flag=True, help="Change nothing: the same as tocsin plan.")
@output_option
def apply(
    *,
    files: tuple[str, ...],
    prune: bool,
    labels: dict[str, str],
    index: str | None,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Make jobs, calendars and pools as these files say. Others are left alone unless --prune.

    A directory stands for all job files below it, - for YAML on stdin. Nothing is changed unless
    every file is right, and nothing that somebody else changes meanwhile is overwritten.
    """
    _check_options(prune=prune, labels=labels, index=index)
    if dry_run:
        return _plan(files, prune=prune, labels=labels, tells=False, as_json=as_json)
    wanted = read_job_files(files, fleet_executors())
    pruned = prune_of(wanted, prune=prune, labels=labels)
    with open_session() as session:
        made = compare(wanted, hold(session, wanted, every=prune), pruned)
        if index is not None:
            check_index(session, made, index)
        undos = [*_keep_old(made), *_removals(made)]
        done = put(session, made)
    if as_json:
        print_json(
            {
                "changes": [_done_shape(one) for one in done.changes],
                "undo": undos,
                "shared": [_shared_done_shape(one) for one in done.shared],
            }
        )
    else:
        _print_done(done, made, undos)
    return OK


def _check_options(*, prune: bool, labels: dict[str, str], index: str | None = None) -> None:
    if labels and not prune:
        raise ConfigError("--label says what to prune", "give --prune too")
    if index is not None:
        try:
            parse_index(index)
        except ValueError as error:
            raise ConfigError(str(error), "it stands in the last line of tocsin plan") from error


def _plan(
    files: tuple[str, ...], *, prune: bool, labels: dict[str, str], tells: bool, as_json: bool
) -> int:
    _check_options(prune=prune, labels=labels)
    wanted = read_job_files(files, fleet_executors())
    pruned = prune_of(wanted, prune=prune, labels=labels)
    with open_session() as session:
        made = compare(wanted, hold(session, wanted, every=True, agents=True), pruned)
        put(session, made, dry_run=True)
    if as_json:
        print_json(plan_shape(made))
    else:
        print_plan(made)
        _print_next_step(made, files, prune=prune, labels=labels)
    return CHANGES if tells and made.has_changes else OK


def _print_next_step(
    made: Plan, files: tuple[str, ...], *, prune: bool, labels: dict[str, str]
) -> None:
    if not made.has_changes:
        click.echo("nothing to do")
        return
    options = ["--prune"] if prune else []
    options += [f"--label={key}={value}" for key, value in labels.items()]
    todo = undo.command("apply", *files, *options, "--index", made.index)
    click.echo(f"\nnothing was changed; to do it: {todo}")


# What was done.


def _keep_old(made: Plan) -> list[str]:
    """Keep what is changed or removed; the commands that put it back."""
    gone = {"change", "remove"}
    old = JobSet(
        [change.row.job for change in made.changes if change.row and change.action in gone],
        [s.old for s in made.shared if isinstance(s.old, Calendar) and s.action in gone],
        [s.old for s in made.shared if isinstance(s.old, Pool) and s.action in gone],
    )
    return [undo.keep_set(old)] if old != JobSet() else []


def _removals(made: Plan) -> list[str]:
    """The commands that remove what is created, users before what they use."""
    jobs = [one.job for one in made.changes if one.job and one.action == "create"]
    commands = [undo.removal(jobs)] if jobs else []
    for kind in ("calendar", "pool"):
        names = [one.name for one in made.shared if (one.kind, one.action) == (kind, "create")]
        commands += [undo.command(kind, "rm", *names)] if names else []
    return commands


def _done_shape(change: JobChange) -> dict[str, object]:
    return {"name": change.name, "action": change.action, "version": change.version}


def _shared_done_shape(change: SharedChange) -> dict[str, object]:
    return {"kind": change.kind, "name": change.name, "action": change.action}


def _print_done(done: JobsPut, made: Plan, undos: list[str]) -> None:
    for shared in done.shared:
        if shared.action != "keep":
            click.echo(f"{_DONE[shared.action]} {shared.kind} {shared.name}")
    jobs = {change.name: change.job for change in made.changes}
    for one in done.changes:
        job = jobs[one.name]
        if one.action == "keep":
            continue
        if job is None:
            click.echo(f"removed {one.name}: its runs stay on record")
            continue
        fires_us = next_fires_us(job, made.held.now_us, 1)
        when = f"runs {begun_by(job)}" if job.after else "runs when asked to"
        if fires_us:
            when = f"next {local_time(fires_us[0])}, {distance(fires_us[0], made.held.now_us)}"
        click.echo(f"{_DONE[one.action]} {one.name} (version {one.version}): {when}")
    kept = sum(one.action == "keep" for one in done.changes)
    if kept:
        click.echo(f"kept {kept} job{'s' * (kept != 1)} as before")
    for line in undos:
        click.echo(f"undo: {line}")
