"""`tocsin agent show`: one agent, what it runs, and what depends on it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import click

from tocsin.messages.client_answers import AgentsPage
from tocsin.messages.client_link import ListAgents
from tocsin.model import Agent, AgentState, RunState
from tocsin.targeting import Demand, demand_of, matches

from .agent_orders import known_agents
from .asking import open_session
from .options import output_option
from .paused import agent_pause, pauses_now
from .run import print_runs
from .shapes import agent_shape, print_json, run_shape
from .tables import local_time, pairs

if TYPE_CHECKING:
    from tocsin.session import Session

NAMED_MAX: Final = 20
RUNS_MAX: Final = 1_000
_UNDER_WAY: Final = [RunState.DISPATCHED, RunState.ACCEPTED, RunState.RUNNING]


@click.command()
@click.argument("name")
@output_option
def show(*, name: str, as_json: bool) -> None:
    """Show one agent, the runs that it has, and the jobs that no other agent could run."""
    with open_session() as session:
        (agent,) = known_agents(session, (name,)).values()
        rows = session.answer(AgentsPage, ListAgents()).rows
        pauses = pauses_now(session)
        runs = [run for run in session.runs("", _UNDER_WAY, RUNS_MAX) if run.agent == name]
        alone = list(_only_here(session, agent, rows))
    if as_json:
        shape = agent_shape(agent, pauses)
        print_json({**shape, "only_here": alone, "runs": [run_shape(run) for run in runs]})
        return
    click.echo(pairs([*_facts(agent, agent_pause(agent, pauses)), ("only here", _named(alone))]))
    click.echo("\nruns under way:" if runs else "\nno runs under way")
    if runs:
        print_runs(runs, as_json=False)


def _only_here(session: Session, agent: Agent, agents: Iterable[Agent]) -> Iterable[str]:
    """The names of jobs that this agent could run, and no other could."""
    out = {AgentState.REVOKED, AgentState.PENDING}
    others = [other for other in agents if other.id != agent.id and other.state not in out]
    known: dict[Demand, bool] = {}
    for row in session.jobs():
        demand = demand_of(row.job)
        if demand not in known:
            elsewhere = any(matches(other, demand) for other in others)
            known[demand] = matches(agent, demand) and not elsewhere
        if known[demand]:
            yield row.job.name


def _named(names: list[str]) -> str:
    if not names:
        return "no job depends on this agent alone"
    more = f" and {len(names) - NAMED_MAX} more" if len(names) > NAMED_MAX else ""
    return ", ".join(names[:NAMED_MAX]) + more


def _facts(agent: Agent, pause: str) -> list[tuple[str, object]]:
    held = ""
    if agent.held is not None or agent.state is AgentState.REVOKED:
        what = agent.held or agent.state
        held = f"{what} by {agent.held_by}" + (f": {agent.reason}" if agent.reason else "")
    return [
        ("name", agent.name),
        ("id", agent.id),
        ("state", agent.state),
        ("held", held),
        ("at rest by", local_time(agent.drain_until_us)),
        ("maintenance", pause),
        ("down since", local_time(agent.down_since_us)),
        ("last seen", local_time(agent.last_seen_us)),
        ("slots", f"{agent.busy} of {agent.slots} taken"),
        ("executors", agent.executors),
        *(
            (f"not {offer.name}", offer.message or "it does not work here")
            for offer in agent.offers
            if not offer.available
        ),
        ("tags", agent.tags),
        ("version", agent.version),
    ]
