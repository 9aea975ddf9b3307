"""`tocsin doctor`: finds the usual faults of this host, and says how to mend each.

Each check is a function that says what it found; those that judge get what they judge by.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Final

import click

from tocsin.cli.failing import FAILED, OK
from tocsin.cli.options import output_option
from tocsin.cli.shapes import print_json
from tocsin.cli.tables import cell
from tocsin.config import find_context, find_places
from tocsin.errors import TocsinError

from .files import CHECKS, check_settings
from .finding import Finding, Verdict, fault, warning
from .here import Here, Side, look_around
from .links import check_agent_link, check_coordinator
from .machine import check_copied, check_store, check_zones
from .services import check_process, check_root, check_unit

_COLOURS: Final = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.FAULT: "red"}
_OF_A_SIDE: Final = (*CHECKS, check_process, check_store, check_copied, check_agent_link)


@click.command()
@click.option("--quiet", "-q", is_flag=True, help="Say nothing of what is as it should be.")
@output_option
@click.pass_context
def doctor(ctx: click.Context, *, quiet: bool, as_json: bool) -> int:
    """Find what is wrong on this host, and say how to mend it.

    As root it looks at the services of this host, else at what is yours. It changes nothing. Exits
    1 when there is a fault; warnings alone are none.
    """
    findings = list(examine(look_around(os.environ), ctx.find_root().obj))
    faults = sum(it.verdict is Verdict.FAULT for it in findings)
    warnings = sum(it.verdict is Verdict.WARNING for it in findings)
    shown = [it for it in findings if not quiet or it.verdict is not Verdict.OK]
    if as_json:
        checks = [
            {"check": it.check, "verdict": it.verdict, "said": it.said, "mend": it.mend or None}
            for it in shown
        ]
        print_json({"faults": faults, "warnings": warnings, "checks": checks})
    else:
        _print(shown)
        click.echo(f"{_count(faults, 'fault')}, {_count(warnings, 'warning')}")
    return FAILED if faults else OK


def examine(here: Here, named_context: str | None) -> Iterator[Finding]:
    """All findings about this host."""
    yield from check_zones()
    yield from check_root()
    for side in (*([here.coordinator] if here.coordinator else []), *here.agents):
        yield from _of_side(side)
    yield from _of_context(here, named_context)


def _of_side(side: Side) -> Iterator[Finding]:
    yield from check_unit(side)
    yield from check_settings(side)
    if side.config is not None:
        for check in _OF_A_SIDE:
            yield from check(side)


def _of_context(here: Here, named: str | None) -> Iterator[Finding]:
    try:
        context = find_context(named, os.environ, find_places(os.environ))
    except TocsinError as error:
        if not here.agents and here.coordinator is None:
            yield fault("context", error.message, error.hint)
        else:
            yield warning("context", error.message, error.hint)
        return
    yield from check_coordinator(context, _agent_keys(here), os.uname().nodename)


def _agent_keys(here: Here) -> list[str]:
    """The public keys of this host's agents, where there are some and they can be read."""
    from tocsin.keys import read_keypair

    if here.coordinator is not None:
        return []
    keys = []
    for agent in here.agents:
        if agent.config is not None:
            with contextlib.suppress(TocsinError):
                keys.append(read_keypair(agent.config.key_file).public)
    return keys


def _print(findings: list[Finding]) -> None:
    width = max((len(it.check) for it in findings), default=0)
    for it in findings:
        word = click.style(f"{it.verdict:8}", fg=_COLOURS[it.verdict])
        click.echo(f"{word} {it.check:{width}}  {cell(it.said)}")
        if it.mend:
            click.echo(f"{'':8} {'':{width}}  mend: {cell(it.mend)}")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
