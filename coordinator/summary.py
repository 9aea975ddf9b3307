"""How a coordinator is, in the one line that `systemctl status` shows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

from tocsin.instants import SECOND_US
from tocsin.model import Agent, AgentState, Run, RunState


def in_one_line(
    agents: Sequence[Agent],
    active: Sequence[Run],
    next_due_us: int | None,
    outage: str,
    zone: tzinfo | None = None,
) -> str:
    """Agents, runs, and when something is due next.

    Args:
        agents: all that were let in; those that were struck off do not count.
        active: runs that are not over.
        next_due_us: on the wall clock; None: nothing is due.
        outage: why the store cannot be written; empty when it can.
        zone: of the time that is shown; None: this host's.
    """
    states = [agent.state for agent in agents if agent.state is not AgentState.REVOKED]
    queued = sum(run.state is RunState.QUEUED for run in active)
    parts = [f"{states.count(AgentState.UP)} of {len(states)} agents up"]
    parts.append(f"{len(active) - queued} running" + (f", {queued} queued" if queued else ""))
    parts.append("nothing due" if next_due_us is None else f"next due {_clock(next_due_us, zone)}")
    if outage:
        parts.insert(0, f"the store cannot be written ({outage})")
    return ", ".join(parts)


def _clock(at_us: int, zone: tzinfo | None) -> str:
    moment = datetime.fromtimestamp(at_us // SECOND_US, UTC).astimezone(zone)
    return moment.strftime("%Y-%m-%d %H:%M:%S")
