"""`tocsin agent cordon`, `drain`, `uncordon`, `undrain`, `revoke`: what people order of agents."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import click

from tocsin import clock
from tocsin.messages.client_answers import AgentsPage, Done
from tocsin.messages.client_link import (
    CordonAgents,
    DrainAgents,
    ListAgents,
    RevokeAgents,
    UncordonAgents,
    UndrainAgents,
)
from tocsin.model import Agent, AgentState
from tocsin.nearest import did_you_mean

from . import undo
from .asking import open_session
from .failing import FAILED, OK, NotFoundError
from .options import output_option, seconds, timeout_option
from .shapes import action_shape, print_json

if TYPE_CHECKING:
    from tocsin.session import Session

_LOOK_EVERY_S: Final = 1.0
_NAMES = click.argument("names", nargs=-1, required=True, metavar="NAME…")
_REASON = click.option("--reason", default="", help="Why; every record that it causes says so.")


def known_agents(session: Session, names: tuple[str, ...]) -> dict[str, Agent]:
    """These agents by name.

    Raises:
        NotFoundError: one of them does not exist.
    """
    rows = session.answer(AgentsPage, ListAgents()).rows
    found = {row.name: row for row in rows if row.state is not AgentState.PENDING}
    for name in names:
        if name not in found:
            raise NotFoundError(
                f"there is no agent {name}", did_you_mean(name, found) or "see: tocsin agent list"
            )
    return {name: found[name] for name in dict.fromkeys(names)}


@click.command()
@_NAMES
@_REASON
@output_option
def cordon(*, names: tuple[str, ...], reason: str, as_json: bool) -> None:
    """Give agents no more runs, until they are uncordoned; what they run goes on."""
    with open_session() as session:
        before = known_agents(session, names)
        done = session.answer(Done, CordonAgents(list(before), reason)).names
    again = undo.command("agent", "uncordon", *done)
    if as_json:
        print_json(action_shape("cordoned", done, [again]))
        return
    for name in done:
        click.echo(f"cordoned {name}: it gets no runs; {_runs(before[name].busy)} going on")
    click.echo(f"undo: {again}")


@click.command()
@_NAMES
@_REASON
@click.option(
    "--deadline",
    callback=seconds,
    metavar="DURATION",
    help="Cancel what still runs after this.",
)
@click.option("--wait", is_flag=True, help="Wait until they run nothing any more.")
@timeout_option
@output_option
def drain(
    *,
    names: tuple[str, ...],
    reason: str,
    deadline: float | None,
    wait: bool,
    timeout: float | None,
    as_json: bool,
) -> int:
    """Bring agents to rest: they get no more runs, and what they run comes to its end.

    With --wait the command ends when they are at rest, or exits 1 when --timeout is over first.
    """
    with open_session() as session:
        before = known_agents(session, names)
        done = session.answer(Done, DrainAgents(list(before), reason, deadline)).names
        again = undo.command("agent", "undrain", *done)
        if not as_json:
            for name in done:
                click.echo(f"draining {name}: it gets no runs; {_runs(before[name].busy)} going on")
            click.echo(f"undo: {again}")
        busy = _at_rest(session, tuple(done), timeout) if wait else {}
    if as_json:
        print_json({**action_shape("draining", done, [again]), "busy": busy})
    elif wait and not busy:
        click.echo("all at rest")
    if busy:
        click.echo(f"tocsin: the time is up, and {', '.join(busy)} are not at rest", err=True)
    return FAILED if busy else OK


def _at_rest(session: Session, names: tuple[str, ...], timeout_s: float | None) -> dict[str, int]:
    """Wait; how many runs are left on which agents when the time is up."""
    until_s = None if timeout_s is None else clock.monotonic_s() + timeout_s
    while True:
        rows = known_agents(session, names).values()
        busy = {row.name: row.busy for row in rows if row.busy > 0}
        if not busy or (until_s is not None and clock.monotonic_s() >= until_s):
            return busy
        time.sleep(_LOOK_EVERY_S)


def _runs(count: int) -> str:
    return "1 run is" if count == 1 else f"{count} runs are"


@click.command()
@_NAMES
@output_option
def uncordon(*, names: tuple[str, ...], as_json: bool) -> None:
    """Give agents runs again, whether they were cordoned or drained."""
    _free(names, as_json=as_json, ask=UncordonAgents)


@click.command()
@_NAMES
@output_option
def undrain(*, names: tuple[str, ...], as_json: bool) -> None:
    """Give agents runs again, whether they were cordoned or drained."""
    _free(names, as_json=as_json, ask=UndrainAgents)


def _free(
    names: tuple[str, ...], *, as_json: bool, ask: type[UncordonAgents | UndrainAgents]
) -> None:
    with open_session() as session:
        before = known_agents(session, names)
        done = session.answer(Done, ask(list(before))).names
    again = [_hold_again(before[name]) for name in done if before[name].held is not None]
    if as_json:
        print_json(action_shape("uncordoned", done, again))
        return
    for name in done:
        held = before[name].held
        was = (
            "was neither cordoned nor draining"
            if held is None
            else f"was {held}, and gets runs again"
        )
        click.echo(f"{name} {was}")
    for line in again:
        click.echo(f"undo: {line}")


def _hold_again(agent: Agent) -> str:
    verb = "cordon" if agent.held is AgentState.CORDONED else "drain"
    reason = ["--reason", agent.reason] if agent.reason else []
    return undo.command("agent", verb, agent.name, *reason)


@click.command()
@_NAMES
@_REASON
@click.option("--lost-now", is_flag=True, help="Give up at once what they run.")
@output_option
def revoke(*, names: tuple[str, ...], reason: str, lost_now: bool, as_json: bool) -> None:
    """Strike agents off: their keys count for nothing any more, at once and for good.

    What they run is lost: at once with --lost-now, else when they have been away for long enough.
    The key of the command line that was let in with a host is struck off too.
    """
    with open_session() as session:
        before = known_agents(session, names)
        done = session.answer(Done, RevokeAgents(list(before), reason, lost_now)).names
    if as_json:
        print_json(action_shape("revoked", done, []))
        return
    for name in done:
        click.echo(f"revoked {name}: nothing that it says is heard; its records stay")
    click.echo("undo: there is none; a host is let in anew with: tocsin agent token")
