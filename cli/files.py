"""`tocsin plan` and `tocsin apply`: job files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import click
import msgspec

from tocsin import clock
from tocsin.jobfile import InstalledExecutors, read_job_files
from tocsin.messages.client_link import JobChange, JobsPut, PutJobs
from tocsin.model import Job

from . import undo
from .asking import open_session, some_jobs
from .options import output_option
from .plan import Change, compare, plan_shape
from .shapes import print_json
from .tables import cell, distance, local_time

if TYPE_CHECKING:
    from tocsin.session import Session

_REQUEST_BYTES: Final = 768 << 10
"""Jobs are put in requests of so many bytes at most, so that names and versions fit beside."""
_REQUEST_JOBS: Final = 500
_SIGNS: Final = {"create": "+", "change": "~", "keep": "="}
_DONE: Final = {"create": "created", "change": "changed", "keep": "kept"}
_FILES = click.argument("files", nargs=-1, required=True, metavar="FILE|DIR…")


@click.command()
@_FILES
@output_option
def plan(*, files: tuple[str, ...], as_json: bool) -> None:
    """Show what `tocsin apply` of these files would change, and change nothing.

    A directory stands for all job files below it, - for YAML on stdin.
    """
    _plan(files, as_json=as_json)


@click.command()
@_FILES
@click.option("--dry-run", is_flag=True, help="Change nothing: the same as tocsin plan.")
@output_option
def apply(*, files: tuple[str, ...], dry_run: bool, as_json: bool) -> None:
    """Create and change jobs so that they are as these files say. Other jobs are left alone.

    A directory stands for all job files below it, - for YAML on stdin. Nothing is changed unless
    every file is right, and nothing that somebody else changes meanwhile is overwritten.
    """
    if dry_run:
        _plan(files, as_json=as_json)
        return
    executors = InstalledExecutors()
    jobs = read_job_files(files, executors).jobs
    with open_session() as session:
        changes = compare(jobs, some_jobs(session, [job.name for job in jobs]), executors)
        if len(list(_requests(changes))) > 1:  # then not all or none, so look at all of it first
            _put(session, changes, dry_run=True)
        changed = [change.row.job for change in changes if change.row and change.action == "change"]
        put_back = [undo.keep(changed)] if changed else []
        done = _put(session, changes, dry_run=False)
    created = [one.name for one in done if one.action == "create"]
    undos = ([undo.command("job", "rm", *created)] if created else []) + put_back
    if as_json:
        print_json({"changes": [_done_shape(one) for one in done], "undo": undos})
    else:
        _print_done(done, changes, undos)


def put_jobs(session: Session, jobs: list[Job]) -> list[JobChange]:
    """Make the coordinator's jobs as these are; others are left alone."""
    rows = some_jobs(session, [job.name for job in jobs])
    return _put(session, compare(jobs, rows, InstalledExecutors()), dry_run=False)


def _plan(files: tuple[str, ...], *, as_json: bool) -> None:
    executors = InstalledExecutors()
    jobs = read_job_files(files, executors).jobs
    with open_session() as session:
        rows = {row.job.name: row for row in session.jobs()}
        changes = compare(jobs, rows, executors)
        _put(session, changes, dry_run=True)
    mine = {job.name for job in jobs}
    untouched = [name for name in rows if name not in mine]
    now_us = clock.now_us()
    if as_json:
        print_json(plan_shape(changes, untouched, now_us))
        return
    _print_plan(changes, untouched, now_us)
    if any(change.action != "keep" for change in changes):
        click.echo(f"\nnothing was changed; to do it: {undo.command('apply', *files)}")


def _requests(changes: list[Change]) -> Iterator[list[Change]]:
    """The changes in parts, each of which fits into a request."""
    part: list[Change] = []
    left = _REQUEST_BYTES
    for change in changes:
        size = len(msgspec.msgpack.encode(change.job))
        if part and (size > left or len(part) == _REQUEST_JOBS):
            yield part
            part, left = [], _REQUEST_BYTES
        part.append(change)
        left -= size
    if part:
        yield part


def _put(session: Session, changes: list[Change], *, dry_run: bool) -> list[JobChange]:
    """Put jobs, each of which must still be what it was compared with."""
    done: list[JobChange] = []
    for part in _requests(changes):
        jobs: list[Job] = [change.job for change in part]
        expected = {one.job.name: one.row.version if one.row else 0 for one in part}
        done += session.answer(JobsPut, PutJobs(jobs, expected, dry_run)).changes
    return done


def _done_shape(change: JobChange) -> dict[str, object]:
    return {"name": change.name, "action": change.action, "version": change.version}


def _print_done(done: list[JobChange], changes: list[Change], undos: list[str]) -> None:
    now_us = clock.now_us()
    by_name = {change.job.name: change for change in changes}
    for one in done:
        if one.action == "keep":
            continue
        _, fires_us = by_name[one.name].fires_us(now_us)
        when = "runs when asked to"
        if fires_us:
            when = f"next {local_time(fires_us[0])}, {distance(fires_us[0], now_us)}"
        click.echo(f"{_DONE[one.action]} {one.name} (version {one.version}): {when}")
    kept = sum(one.action == "keep" for one in done)
    if kept:
        click.echo(f"kept {kept} job{'s' * (kept != 1)} as before")
    for line in undos:
        click.echo(f"undo: {line}")


def _print_plan(changes: list[Change], untouched: list[str], now_us: int) -> None:
    for change in changes:
        click.echo(f"{_SIGNS[change.action]} {change.action} {change.job.name}")
        if change.action == "keep":
            continue
        for key, (old, new) in change.changed.items():
            arrow = f"{cell(old)} → {cell(new)}" if change.row is not None else cell(new)
            click.echo(f"    {key}: {arrow}")
        before_us, after_us = change.fires_us(now_us)
        if change.row is not None and before_us != after_us:
            click.echo(f"    next before: {_times(before_us)}")
            click.echo(f"    next after:  {_times(after_us)}")
        else:
            click.echo(f"    next: {_times(after_us)}")
    if untouched:
        click.echo(f"not in these files, and left as they are: {cell(untouched)}")


def _times(instants_us: list[int]) -> str:
    return ", ".join(local_time(instant_us) for instant_us in instants_us) or "none"
