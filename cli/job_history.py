"""`tocsin job history` and `revert`: what a job was, and how to make it so again."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from tocsin import clock
from tocsin.errors import RequestError
from tocsin.fires import next_fires_us
from tocsin.jobfile.differing import differences
from tocsin.messages.client_answers import JobsPut, JobVersions
from tocsin.messages.client_link import GetJobVersions, PutJobs
from tocsin.model import Job, JobVersion
from tocsin.nearest import did_you_mean

from . import undo
from .asking import open_session
from .failing import NotFoundError
from .options import COUNT, output_option
from .plan import FIRES_SHOWN
from .shapes import print_json, version_shape
from .tables import cell, local_time, table

if TYPE_CHECKING:
    from tocsin.session import Session


@click.command()
@click.argument("name")
@click.option("-n", "count", type=COUNT, default=20, show_default=True, help="How many versions.")
@output_option
def history(*, name: str, count: int, as_json: bool) -> None:
    """Show what a job was, newest first: who changed what, also of a job that is removed."""
    with open_session() as session:
        rows = _versions(session, name, count + 1)
    shapes = [
        version_shape(row, _action(row, before), _changed(row, before))
        for row, before in zip_longest(rows[:count], rows[1 : count + 1])
    ]
    if as_json:
        print_json(shapes)
        return
    lines = [
        (row.version, local_time(row.changed_us), row.changed_by, shape["action"], *_keys(shape))
        for row, shape in zip(rows, shapes, strict=False)
    ]
    click.echo(table(("version", "at", "by", "what", "changed"), lines))


@click.command()
@click.argument("name")
@click.argument("version", type=click.IntRange(min=1), required=False)
@output_option
def revert(*, name: str, version: int | None, as_json: bool) -> None:
    """Make a job what it was in VERSION, or before its last change. A removed job comes back.

    It is a new version: history only grows.
    """
    with open_session() as session:
        rows = _versions(session, name)
        latest = rows[0]
        old = _chosen(rows, version)
        wanted = PutJobs([old], {name: latest.version if latest.job is not None else 0})
        (done,) = session.answer(JobsPut, wanted).changes
    changed = differences(latest.job, old)
    back = undo.command("job", "revert", name, str(latest.version))
    if latest.job is None:
        back = undo.command("job", "rm", name)
    undos = [back] if done.action != "keep" else []
    if as_json:
        shape = {"name": name, "action": done.action, "version": done.version}
        pairs = {key: {"old": was, "new": now} for key, (was, now) in changed.items()}
        print_json({**shape, "changed": pairs, "undo": undos})
        return
    _print_reverted(old, done.version, changed, undos)


def _versions(session: Session, name: str, count: int | None = None) -> list[JobVersion]:
    """All versions of a name, or the newest ones, newest first.

    Raises:
        NotFoundError: there never was a job of this name.
    """
    rows: list[JobVersion] = []
    more = True
    while more and (count is None or len(rows) < count):
        page = session.answer(
            JobVersions, GetJobVersions(name, rows[-1].version if rows else 0, count or 100)
        )
        rows += page.rows
        more = page.more
    if not rows:
        hint = did_you_mean(name, [row.job.name for row in session.jobs()])
        raise NotFoundError(f"there never was a job {name}", hint or "see: tocsin job list")
    return rows


def _chosen(rows: list[JobVersion], version: int | None) -> Job:
    """The definition to go back to.

    Raises:
        NotFoundError: there is no such version.
        RequestError: that version is the job's removal.
    """
    if version is None:
        behind = rows if rows[0].job is None else rows[1:]
        found = next((row for row in behind if row.job is not None), None)
    else:
        found = next((row for row in rows if row.version == version), None)
    name = rows[0].name
    if found is None:
        what = f"no version {version}" if version is not None else "no version before this one"
        raise NotFoundError(
            f"job {name} has {what}", f"see: {undo.command('job', 'history', name)}"
        )
    if found.job is None:
        raise RequestError(
            f"version {version} of job {name} is its removal",
            f"to remove it: {undo.command('job', 'rm', name)}",
        )
    return replace(found.job, name=name)


def _action(row: JobVersion, before: JobVersion | None) -> str:
    if row.job is None:
        return "removed"
    return "created" if before is None or before.job is None else "changed"


def _changed(row: JobVersion, before: JobVersion | None) -> dict[str, tuple[object, object]]:
    if row.job is None:
        return {}
    return differences(before.job if before is not None else None, row.job)


def _keys(shape: dict[str, object]) -> list[str]:
    changed = shape["changed"] if shape["action"] == "changed" else {}
    assert isinstance(changed, dict)
    said = [f"{key}: {cell(pair['old'])} → {cell(pair['new'])}" for key, pair in changed.items()]
    return ["; ".join(said)]


def _print_reverted(
    job: Job, version: int, changed: dict[str, tuple[object, object]], undos: list[str]
) -> None:
    if not undos:
        click.echo(f"{job.name} is so already (version {version})")
        return
    click.echo(f"reverted {job.name} (version {version})")
    for key, (was, now) in changed.items():
        click.echo(f"    {key}: {cell(was)} → {cell(now)}")
    fires_us = next_fires_us(job, clock.now_us(), FIRES_SHOWN)
    click.echo(f"    next: {', '.join(local_time(at_us) for at_us in fires_us) or 'none'}")
    for line in undos:
        click.echo(f"undo: {line}")
