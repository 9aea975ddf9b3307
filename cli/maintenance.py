"""`tocsin maintenance`: due times and agents that are left alone for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from tocsin import clock
from tocsin.errors import ConfigError
from tocsin.messages.client_answers import AgentsPage, Done
from tocsin.messages.client_link import EndPause, ListAgents, PauseScope, StartPause
from tocsin.model import AgentState, Pause, Scope
from tocsin.pausing import AGENT_SCOPES, pauses_agent, pauses_job, scope_fault, scope_text

from . import undo
from .asking import open_session
from .failing import NotFoundError
from .options import length_options, output_option
from .paused import pauses_now
from .shapes import action_shape, pause_shape, print_json
from .tables import cell, distance, local_time, table

if TYPE_CHECKING:
    from tocsin.session import Session

NAMED_MAX: Final = 10
"""So many of those that are affected are named; the others are counted."""
_OPTIONS: Final = {
    Scope.ALL: "--all", Scope.JOB: "--job", Scope.LABEL: "--label",
    Scope.AGENT: "--agent", Scope.TAG: "--tag",
}  # fmt: skip


@click.group()
def maintenance() -> None:
    """Pause jobs and agents while something is worked on; every due time is recorded."""


@maintenance.command()
@click.option("--all", "everything", is_flag=True, help="All jobs.")
@click.option("--job", "jobs", multiple=True, metavar="GLOB", help="Jobs by name.")
@click.option("--label", "labels", multiple=True, metavar="K=V", help="Jobs by a label.")
@click.option("--agent", "agents", multiple=True, metavar="GLOB", help="Agents by name.")
@click.option("--tag", "tags", multiple=True, metavar="K=V", help="Agents by a tag.")
@click.option("--reason", required=True, help="Why; every record that it causes says so.")
@length_options
@output_option
def start(  # noqa: PLR0913 - one for each option
    *,
    everything: bool,
    jobs: tuple[str, ...],
    labels: tuple[str, ...],
    agents: tuple[str, ...],
    tags: tuple[str, ...],
    reason: str,
    for_s: float | None,
    until_us: int | None,
    as_json: bool,
) -> None:
    """Begin maintenance now: one pause for each --all, --job, --label, --agent and --tag.

    Due times of paused jobs are skipped. Paused agents are given no runs, and what they run goes
    on. Names and values may be globs.
    """
    scopes = [PauseScope(Scope.ALL)] if everything else []
    scopes += [PauseScope(Scope.JOB, value) for value in jobs]
    scopes += [PauseScope(Scope.LABEL, value) for value in labels]
    scopes += [PauseScope(Scope.AGENT, value) for value in agents]
    scopes += [PauseScope(Scope.TAG, value) for value in tags]
    _check(scopes)
    with open_session() as session:
        ids = session.answer(Done, StartPause(scopes, reason, for_s, until_us)).names
        begun = [pause for pause in pauses_now(session) if pause.id in ids]
        affected = {pause.id: _affected(session, pause) for pause in begun}
    undo_command = undo.command("maintenance", "end", *ids)
    if as_json:
        shapes = [{**pause_shape(pause), "affected": affected[pause.id]} for pause in begun]
        print_json({**action_shape("paused", ids, [undo_command]), "pauses": shapes})
        return
    for pause in begun:
        click.echo(f"{pause.id}  {scope_text(pause)} paused {_until(pause)}")
        names = affected[pause.id]
        if names:
            click.echo(f"  affects {_named(names)}")
        else:
            click.echo(f"tocsin: {scope_text(pause)} paused, and there are none now", err=True)
    click.echo(f"undo: {undo_command}")


def _check(scopes: list[PauseScope]) -> None:
    if not scopes:
        raise ConfigError(
            "nothing is named that is to be paused", "say --all, --job, --label, --agent or --tag"
        )
    for scope in scopes:
        fault = scope_fault(scope.scope, scope.value)
        if fault:
            raise ConfigError(f"{_OPTIONS[scope.scope]}: {fault}")


def _affected(session: Session, pause: Pause) -> list[str]:
    """The names of the jobs or agents that a pause is of at this moment."""
    if pause.scope in AGENT_SCOPES:
        rows = session.answer(AgentsPage, ListAgents()).rows
        in_use = [agent for agent in rows if agent.state is not AgentState.PENDING]
        return sorted(agent.name for agent in in_use if pauses_agent(pause, agent))
    return [row.job.name for row in session.jobs() if pauses_job(pause, row.job)]


def _named(names: list[str]) -> str:
    text = ", ".join(cell(name) for name in names[:NAMED_MAX])
    more = f" and {len(names) - NAMED_MAX} more" if len(names) > NAMED_MAX else ""
    return f"{len(names)}: {text}{more}"


def _until(pause: Pause) -> str:
    if pause.until_us is None:
        return "until it is ended"
    return f"until {local_time(pause.until_us)}, {distance(pause.until_us, clock.now_us())}"


@maintenance.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID…")
@output_option
def end(*, ids: tuple[str, ...], as_json: bool) -> None:
    """End maintenance now: jobs fire again from their next due time on, agents get runs."""
    wanted = list(dict.fromkeys(pause_id.upper() for pause_id in ids))
    with open_session() as session:
        known = {pause.id: pause for pause in pauses_now(session)}
        for pause_id in wanted:
            if pause_id not in known:
                raise NotFoundError(
                    f"there is no pause {pause_id} in force", "see: tocsin maintenance list"
                )
        ended = session.answer(Done, EndPause(wanted)).names
    again = [_again(known[pause_id]) for pause_id in ended]
    if as_json:
        print_json(action_shape("ended", ended, again))
        return
    for pause_id in ended:
        click.echo(f"ended {pause_id}: {scope_text(known[pause_id])} not paused by it any more")
    for command in again:
        click.echo(f"undo: {command}")


def _again(pause: Pause) -> str:
    """The command that begins a pause like this one."""
    words = ["maintenance", "start", _OPTIONS[pause.scope], *([pause.value] if pause.value else [])]
    words += ["--reason", pause.reason]
    if pause.until_us is not None:
        words += ["--until", local_time(pause.until_us)]
    return undo.command(*words)


@maintenance.command("list")
@output_option
def list_(*, as_json: bool) -> None:
    """List the maintenance that is going on."""
    with open_session() as session:
        rows = pauses_now(session)
    if as_json:
        print_json([pause_shape(pause) for pause in rows])
        return
    if not rows:
        click.echo("nothing is paused; single jobs may be: tocsin job list")
        return
    lines = [
        (p.id, p.scope, p.value, p.reason, p.by, local_time(p.since_us), local_time(p.until_us))
        for p in rows
    ]
    click.echo(table(("id", "of", "which", "reason", "by", "since", "until"), lines))
