"""`tocsin executor list` and `show`: what agents can run, and the keys that a job gives it."""

from __future__ import annotations

from typing import Any, Final

import click
import msgspec

from tocsin.config_keys import ConfigKey, config_keys
from tocsin.messages.client_answers import ExecutorsPage
from tocsin.messages.client_link import ListExecutors
from tocsin.model import Description, OfferedExecutor
from tocsin.nearest import did_you_mean

from .asking import open_session
from .failing import NotFoundError
from .options import output_option
from .shapes import print_json
from .tables import NOTHING, cell, pairs, table

_HERE: Final = click.option(
    "--here", is_flag=True, help="What is installed on this host; no coordinator is asked."
)


@click.command("list")
@_HERE
@output_option
def list_(*, here: bool, as_json: bool) -> None:
    """List the executors that agents offer, and where one does not work."""
    rows = _installed() if here else _offered()
    if as_json:
        print_json([_shape(row) for row in rows])
        return
    if not rows:
        click.echo("no agent offers an executor yet; what is installed here: --here")
        return
    headings = ("name", "summary", "version", "agents", "not available on")
    lines = [
        (
            row.description.name,
            row.description.summary,
            row.description.version,
            NOTHING if here else row.agents,
            _troubles(row),
        )
        for row in rows
    ]
    click.echo(table(headings, lines))


@click.command()
@click.argument("name")
@_HERE
@output_option
def show(*, name: str, here: bool, as_json: bool) -> None:
    """Show an executor: what it runs, where, and every key of its block in a job."""
    rows = _installed() if here else _offered()
    found = [row for row in rows if row.description.name == name]
    if not found:
        hint = did_you_mean(name, [row.description.name for row in rows])
        raise NotFoundError(f"there is no executor {name}", hint or "see: tocsin executor list")
    if as_json:
        print_json([_shape(row) for row in found])
        return
    click.echo("\n\n".join(_page(row, here=here) for row in found))


def _offered() -> list[OfferedExecutor]:
    with open_session() as session:
        return session.answer(ExecutorsPage, ListExecutors()).rows


def _installed() -> list[OfferedExecutor]:
    """As an agent on this host, without any settings, would publish them."""
    from tocsin.execution import executor_entry_points
    from tocsin.executors.describe import probe
    from tocsin.hosting import Settings

    rows = []
    for name in sorted(executor_entry_points()):
        found = probe(Settings(name=name))
        assert found.health is not None
        why = "" if found.health.available else found.health.message
        known = found.description and msgspec.msgpack.decode(found.description, type=Description)
        rows.append(
            OfferedExecutor(
                description=known or _unknown(name),
                agents=int(not why),
                some=[],
                unavailable={"this host": why} if why else {},
                unavailable_agents=int(bool(why)),
            )
        )
    return rows


def _unknown(name: str) -> Description:
    return Description(
        name=name, use=name, version="", port=0, summary="", main_key="", capabilities=[],
        schema={},
    )  # fmt: skip


def _troubles(row: OfferedExecutor) -> str:
    said = [f"{agent}: {why}" for agent, why in row.unavailable.items()]
    more = row.unavailable_agents - len(said)
    return "; ".join([*said, f"and {more} more"] if more > 0 else said)


def _page(row: OfferedExecutor, *, here: bool) -> str:
    it = row.description
    where = f"{row.agents} agents" if row.agents != 1 else "1 agent"
    named = f" ({', '.join(row.some)}{', …' if row.agents > len(row.some) else ''})"
    facts = [
        ("name", it.name),
        ("runs", it.summary),
        ("by", it.use if it.use != it.name else ""),
        ("version", it.version),
        ("can also", it.capabilities),
        ("offered by", "" if here else where + (named if row.some else "")),
        ("not available", _troubles(row)),
        ("filled in", it.defaults),
        ("a text is", f"its {it.main_key}: `{it.name}: …`" if it.main_key else ""),
    ]
    text = pairs([(key, value) for key, value in facts if value])
    keys = config_keys(it.schema)
    lines = [(key.path, key.kind, _default(key, it), _about(key)) for key in keys]
    return f"{text}\n\n{table(('key', 'value', 'default', 'meaning'), lines)}" if lines else text


def _default(key: ConfigKey, it: Description) -> str:
    if key.required and key.path not in it.defaults:
        return "must be given"
    return cell(key.default)


def _about(key: ConfigKey) -> str:
    notes = [key.description]
    if key.secret:
        notes.append("secret: take it from `secrets`")
    if not key.placeholders:
        notes.append("no placeholders")
    return "; ".join(filter(None, notes))


def _shape(row: OfferedExecutor) -> dict[str, Any]:
    it = row.description
    return {
        "name": it.name,
        "use": it.use,
        "version": it.version or None,
        "port": it.port,
        "summary": it.summary,
        "main_key": it.main_key,
        "capabilities": it.capabilities,
        "defaults": it.defaults,
        "agents": row.agents,
        "some_agents": row.some,
        "unavailable": row.unavailable,
        "unavailable_agents": row.unavailable_agents,
        "schema": it.schema,
    }
