"""`tocsin audit`: who did what, and whether that record is whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import click

from tocsin import clock
from tocsin.audit_chain import first_break
from tocsin.errors import ConfigError, RequestError
from tocsin.instants import SECOND_US
from tocsin.messages.client_answers import AuditPage
from tocsin.messages.client_link import ListAudit, WalkAudit
from tocsin.model import AuditEntry
from tocsin.units import parse_duration

from .asking import open_session
from .options import COUNT, instant, output_option
from .shapes import audit_shape, print_json
from .tables import local_time, table

if TYPE_CHECKING:
    from tocsin.session import Session

PAGE: Final = 500
_HEAD: Final = re.compile(r"([1-9]\d*):([0-9a-f]{8,64})", re.ASCII)
_HEAD_CHARS: Final = 16


@click.group()
def audit() -> None:
    """Show who did what, and check that nothing of it was changed afterwards."""


def _since(ctx: click.Context, param: click.Parameter, value: str | None) -> int:
    """Callback of an option: an instant, or how long ago it was."""
    if value is None:
        return 0
    try:
        return clock.now_us() - round(parse_duration(value) * SECOND_US)
    except ValueError:
        found = instant(ctx, param, value)
        assert found is not None
        return found


@audit.command("list")
@click.option("--subject", default="", metavar="NAME", help="Only what was done to this name.")
@click.option(
    "--since",
    "since_us",
    callback=_since,
    metavar="TIME",
    help="Only since then: 2h (ago), 2026-12-24 18:00 on this host's clock, or RFC 3339.",
)
@click.option("-n", "count", type=COUNT, default=20, show_default=True, help="How many.")
@output_option
def list_(*, subject: str, since_us: int, count: int, as_json: bool) -> None:
    """List who did what, newest first."""
    with open_session() as session:
        rows = _newest(session, subject, since_us, count)
    if as_json:
        print_json([audit_shape(row) for row in rows])
    elif not rows:
        click.echo("nothing was done")
    else:
        lines = [
            (row.number, local_time(row.at_us), row.by, row.act, row.subject, row.detail)
            for row in rows
        ]
        click.echo(table(("number", "at", "by", "act", "subject", "detail"), lines))


def _newest(session: Session, subject: str, since_us: int, count: int) -> list[AuditEntry]:
    rows: list[AuditEntry] = []
    more = True
    while more and len(rows) < count:
        before = rows[-1].number if rows else 0
        ask = ListAudit(subject, since_us, before, min(count - len(rows), PAGE))
        page = session.answer(AuditPage, ask)
        rows += page.rows
        more = page.more
    return rows


@audit.command()
@click.option(
    "--head",
    metavar="NUMBER:DIGEST",
    help="What this command printed earlier: it must still be so.",
)
@output_option
def verify(*, head: str | None, as_json: bool) -> None:
    """Follow the chain of digests from the first entry to the last; exit 1 where it breaks.

    Each digest is reckoned here again, over the entry and the digest before it. Note the head that
    is printed elsewhere: with --head it later shows whether the end was cut off or all was redone.
    """
    known = _head(head)
    last = AuditEntry(at_us=0, by="", act="", subject="")
    seen = ""
    with open_session() as session:
        for page in _walk(session):
            broken = first_break(page, last.number, last.digest)
            if broken is not None:
                raise RequestError(
                    f"the audit is broken: {broken[1]}",
                    "somebody changed the database behind the coordinator; compare with a backup",
                )
            seen = next((e.digest for e in page if known and e.number == known[0]), seen)
            last = page[-1]
    if known is not None and not seen.startswith(known[1]):
        wrong = f"entry {known[0]} is not there" if not seen else f"entry {known[0]} is another one"
        raise RequestError(
            f"the audit is not the one of this head: {wrong}",
            "it was cut off, or made anew; compare with a backup",
        )
    found = f"{last.number}:{last.digest[:_HEAD_CHARS]}" if last.number else None
    if as_json:
        print_json({"entries": last.number, "head": found})
    else:
        click.echo(f"{last.number} entries, each follows from the one before it; head {found}")


def _head(text: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
    found = _HEAD.fullmatch(text)
    if found is None:
        raise ConfigError(f"{text!r} is no head", "tocsin audit verify prints it: 42:0f3a…")
    return int(found[1]), found[2]


def _walk(session: Session) -> Iterator[list[AuditEntry]]:
    after, more = 0, True
    while more:
        page = session.answer(AuditPage, WalkAudit(after))
        if page.rows:
            yield page.rows
            after = page.rows[-1].number
        more = page.more
