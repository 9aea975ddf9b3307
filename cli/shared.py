"""`tocsin calendar` and `tocsin pool`: what many jobs share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tocsin.jobfile import JobSet
from tocsin.messages.client_answers import Shared
from tocsin.messages.client_link import GetShared, PutJobs
from tocsin.model import Calendar, Job, Pool
from tocsin.nearest import did_you_mean
from tocsin.plan_index import shared_digest, shared_key

from . import undo
from .asking import open_session
from .failing import NotFoundError
from .options import output_option
from .plan import uses
from .plan_report import some
from .shapes import action_shape, print_json
from .tables import cell, pairs, table

if TYPE_CHECKING:
    from tocsin.session import Session

_Thing = TypeVar("_Thing", Calendar, Pool)
_NAMES = click.argument("names", nargs=-1, required=True, metavar="NAME…")


@click.group()
def calendar() -> None:
    """List, show and remove calendars; job files define them."""


@click.group()
def pool() -> None:
    """List and remove pools; job files define them."""


@calendar.command("list")
@output_option
def list_calendars(*, as_json: bool) -> None:
    """List all calendars, with the jobs that use them."""
    with open_session() as session:
        shared, jobs = session.answer(Shared, GetShared()), _jobs(session)
    shapes = [_calendar_shape(each, jobs) for each in shared.calendars]
    if as_json:
        print_json(shapes)
    elif not shapes:
        click.echo("no calendars; define some in a job file, under calendars:")
    else:
        lines = [
            (one["name"], len(one["dates"]), some(one["used_by"]), one["description"])
            for one in shapes
        ]
        click.echo(table(("name", "dates", "used by", "description"), lines))


@calendar.command("show")
@click.argument("name")
@output_option
def show_calendar(*, name: str, as_json: bool) -> None:
    """Show the dates of a calendar."""
    with open_session() as session:
        shared, jobs = session.answer(Shared, GetShared()), _jobs(session)
    found = _known({each.name: each for each in shared.calendars}, [name], "calendar")
    shape = _calendar_shape(found[name], jobs)
    if as_json:
        print_json(shape)
        return
    facts = [("name", name), ("description", shape["description"]), ("used by", shape["used_by"])]
    click.echo(pairs(facts))
    click.echo()
    for item in found[name].dates:
        click.echo(cell(item))


@calendar.command("rm")
@_NAMES
@output_option
def remove_calendars(*, names: tuple[str, ...], as_json: bool) -> None:
    """Remove calendars that no job uses."""
    with open_session() as session:
        shared = session.answer(Shared, GetShared())
        found = _known({each.name: each for each in shared.calendars}, names, "calendar")
        put_back = undo.keep_set(JobSet(calendars=list(found.values())))
        expected = {shared_key(each): shared_digest(each) for each in found.values()}
        session.ask(PutJobs([], remove_calendars=list(found), expected_shared=expected))
    _print_removed(list(found), put_back, as_json=as_json)


@pool.command("list")
@output_option
def list_pools(*, as_json: bool) -> None:
    """List all pools, with the jobs that use them."""
    with open_session() as session:
        shared, jobs = session.answer(Shared, GetShared()), _jobs(session)
    shapes = [
        {"name": each.name, "slots": each.slots, "used_by": _users(jobs, "pool", each.name)}
        for each in shared.pools
    ]
    if as_json:
        print_json(shapes)
    elif not shapes:
        click.echo("no pools; define some in a job file, under pools:")
    else:
        lines = [(each.name, each.slots, some(_users(jobs, "pool", each.name)))
                 for each in shared.pools]  # fmt: skip
        click.echo(table(("name", "slots", "used by"), lines))


@pool.command("rm")
@_NAMES
@output_option
def remove_pools(*, names: tuple[str, ...], as_json: bool) -> None:
    """Remove pools that no job uses."""
    with open_session() as session:
        shared = session.answer(Shared, GetShared())
        found = _known({each.name: each for each in shared.pools}, names, "pool")
        put_back = undo.keep_set(JobSet(pools=list(found.values())))
        expected = {shared_key(each): shared_digest(each) for each in found.values()}
        session.ask(PutJobs([], remove_pools=list(found), expected_shared=expected))
    _print_removed(list(found), put_back, as_json=as_json)


def _jobs(session: Session) -> list[Job]:
    return [row.job for row in session.jobs()]


def _users(jobs: list[Job], kind: str, name: str) -> list[str]:
    return [job.name for job in jobs if uses(job, kind, name)]


def _calendar_shape(each: Calendar, jobs: list[Job]) -> dict[str, Any]:
    return {
        "name": each.name,
        "description": each.description or None,
        "dates": each.dates,
        "used_by": _users(jobs, "calendar", each.name),
    }


def _known(
    there: Mapping[str, _Thing], names: tuple[str, ...] | list[str], kind: str
) -> dict[str, _Thing]:
    for name in names:
        if name not in there:
            hint = did_you_mean(name, there) or f"see: tocsin {kind} list"
            raise NotFoundError(f"there is no {kind} {name}", hint)
    return {name: there[name] for name in names}


def _print_removed(names: list[str], put_back: str, *, as_json: bool) -> None:
    if as_json:
        print_json(action_shape("removed", names, [put_back]))
        return
    for name in names:
        click.echo(f"removed {name}")
    click.echo(f"undo: {put_back}")
