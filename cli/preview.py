"""`tocsin next`: when a schedule is due, without a coordinator."""

from __future__ import annotations

from datetime import datetime
from itertools import islice, pairwise
from typing import TYPE_CHECKING

import click

from tocsin import clock
from tocsin.errors import ConfigError
from tocsin.instants import to_datetime, to_us
from tocsin.schedule import Schedule, parse
from tocsin.schedule.notes import clock_note

from .options import DUE_COUNT, output_option

if TYPE_CHECKING:
    from collections.abc import Iterator


@click.command("next")
@click.argument("schedule", metavar="SCHEDULE")
@click.option("--tz", default="UTC", show_default=True, metavar="ZONE", help="The time zone.")
@click.option(
    "--from",
    "from_text",
    metavar="TIME",
    help="Show due times after this one (RFC 3339; without an offset, in the zone) and not now.",
)
@click.option("-n", "count", type=DUE_COUNT, default=5, show_default=True, help="How many.")
@click.option("--key", default="", metavar="NAME", help="The job whose name H and ~ are made from.")
@click.option(
    "--dst",
    type=click.Choice(["vixie", "skip", "literal"]),
    default="vixie",
    show_default=True,
    help="What becomes of a time of day when the clock is changed.",
)
@output_option
def next_(  # noqa: PLR0913 - one for each option
    *, schedule: str, tz: str, from_text: str | None, count: int, key: str, dst: str, as_json: bool
) -> None:
    """Show when SCHEDULE is due.

    SCHEDULE is a cron expression of five fields, of six with the seconds first, or a name such as
    @daily, "@every 90s" or "@calendar Mon..Fri 02:00" (systemd's OnCalendar). Where a change of the
    clock affects a due time, a note behind it says how.
    """
    parsed = parse(schedule, tz, key=key, dst=dst)
    now = to_datetime(clock.now_us())
    start = _instant(from_text, parsed) or now
    dues = list(islice(_dues(parsed, start), count))
    if as_json:
        from .shapes import print_json

        print_json([due.isoformat() for due in dues])
        return
    for warning in parsed.warnings:
        click.echo(f"tocsin: {warning}", err=True)
    click.echo(parsed.describe())
    if not dues:
        click.echo("not due any more")
    for after, due in pairwise([start, *dues]):
        note = clock_note(parsed, to_us(due), to_us(after))
        line = f"{due.isoformat(sep=' ')}  {due:%a}  {_distance(due, now)}"
        click.echo(f"{line}  {note}".rstrip())


def _dues(schedule: Schedule, after: datetime) -> Iterator[datetime]:
    due = schedule.next(after)
    while due is not None:
        yield due
        due = schedule.next(due)


def _instant(text: str | None, schedule: Schedule) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(
            f"--from {text!r} is no time", "write it as 2026-03-28T12:00:00Z, or 2026-03-28"
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=schedule.zone)


def _distance(due: datetime, now: datetime) -> str:
    from .tables import distance

    return distance(to_us(due), to_us(now))
