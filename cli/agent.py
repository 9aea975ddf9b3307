"""`tocsin agent`: the hosts that run jobs."""

from __future__ import annotations

import click

from tocsin.messages.client_answers import AgentsPage, Done
from tocsin.messages.client_link import AcceptAgent, ListAgents
from tocsin.model import Agent, AgentState

from . import undo
from .agent_join import join
from .agent_orders import cordon, drain, revoke, uncordon, undrain
from .agent_show import show
from .agent_token import token
from .asking import open_session
from .failing import OK, NotFoundError
from .options import output_option
from .paused import agent_pause, pauses_now
from .shapes import action_shape, agent_shape, print_json
from .tables import local_time, table


@click.group(invoke_without_command=True)
@click.option("--config", "config_file", metavar="FILE", help="The settings of the agent.")
@click.pass_context
def agent(ctx: click.Context, config_file: str | None) -> int:
    """Run this host's agent until it is asked to end; or list agents, and let hosts in."""
    if ctx.invoked_subcommand is not None:
        return OK
    from .agent_start import start_agent

    return start_agent(config_file)


agent.add_command(token)
agent.add_command(join)
for order in (cordon, uncordon, drain, undrain, revoke, show):
    agent.add_command(order)


@agent.command("list")
@output_option
def list_(*, as_json: bool) -> None:
    """List all agents, those that wait to be let in at the end."""
    with open_session() as session:
        rows = session.answer(AgentsPage, ListAgents()).rows
        pauses = pauses_now(session)
    shapes = [agent_shape(row, pauses) for row in rows]
    if as_json:
        print_json(shapes)
        return
    if not rows:
        click.echo("no agents yet; to let a host in: tocsin agent token")
        return
    headings = ("name", "state", "busy", "executors", "tags", "version", "last seen", "fingerprint")
    lines = [
        (
            row.name,
            ", ".join(filter(None, (_standing(row), agent_pause(row, pauses)))),
            f"{row.busy}/{row.slots}",
            row.executors,
            row.tags,
            row.version,
            local_time(row.last_seen_us),
            shape["fingerprint"],
        )
        for row, shape in zip(rows, shapes, strict=True)
    ]
    click.echo(table(headings, lines))


def _standing(row: Agent) -> str:
    """An agent's state, what people made of it beside that, and why."""
    held = "" if row.held is None or row.held is row.state else f", {row.held}"
    return f"{row.state}{held}" + (f" ({row.reason})" if row.reason else "")


@agent.command()
@click.argument("fingerprint")
@output_option
def accept(*, fingerprint: str, as_json: bool) -> None:
    """Let in the host that waits with this FINGERPRINT.

    Compare it with what `tocsin agent join` printed on that host.
    """
    with open_session() as session:
        waiting = {
            str(agent_shape(row)["fingerprint"])
            for row in session.answer(AgentsPage, ListAgents()).rows
            if row.state is AgentState.PENDING
        }
        if fingerprint not in waiting:
            raise NotFoundError(
                f"no host waits with the fingerprint {fingerprint}", "see: tocsin agent list"
            )
        names = session.answer(Done, AcceptAgent(fingerprint)).names
    again = undo.command("agent", "revoke", *names)
    if as_json:
        print_json(action_shape("accepted", names, [again]))
        return
    for name in names:
        click.echo(f"accepted {name}: its agent connects by itself")
    click.echo(f"undo: {again}")
