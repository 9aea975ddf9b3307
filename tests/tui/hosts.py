"""A fleet whose agents differ: what they can do, what they have, who holds them."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from tocsin.execution import Offer
from tocsin.model import Agent, AgentState, JobRow, RunState, Target

from .coordinator import Coordinator
from .fleet import JOBS, RUNS, at, run


def host(name: str, state: AgentState = AgentState.UP, **more: Any) -> Agent:
    """An agent that can run shell commands and was just heard, unless it is said otherwise."""
    return Agent(
        id=more.pop("id", name),
        key=more.pop("key", "00" * 32),
        name=name,
        state=state,
        slots=more.pop("slots", 4),
        executors=more.pop("executors", ["shell"]),
        version=more.pop("version", "0.1.0"),
        last_seen_us=more.pop("last_seen_us", at(-2)),
        **more,
    )


DB: Final = host(
    "db-02", tags={"env": "prod", "role": "db"},
    offers=[Offer("shell"), Offer("python", available=False, message="python3 is not there")],
)  # fmt: skip
APP: Final = host("app-04", tags={"role": "app"}, offers=[Offer("shell"), Offer("http")])
ETL: Final = host("etl-03", tags={"role": "etl"}, slots=2, offers=[Offer("shell")])
HELD: Final = host(
    "etl-01", AgentState.CORDONED, tags={"role": "etl"},
    held=AgentState.CORDONED, held_by="bo", reason="new disks",
)  # fmt: skip
DOWN: Final = host(
    "web-017", AgentState.DOWN, tags={"role": "web"}, version="0.0.9",
    last_seen_us=at(-252), down_since_us=at(-252),
)  # fmt: skip
ASKS: Final = Agent(
    id="", key="ab" * 32, name="web-018", state=AgentState.PENDING, last_seen_us=at(-70)
)
HOSTS: Final = [DB, APP, ETL, HELD, DOWN, ASKS]


def on_hosts(row: JobRow, **tags: str) -> JobRow:
    """The job, for agents with these tags alone."""
    job = msgspec.structs.replace(row.job, target=Target(tags=dict(tags)))
    return msgspec.structs.replace(row, job=job)


ROWS: Final = [
    on_hosts(row, role=role)
    for row, role in zip(JOBS, ("db", "app", "web", "web", "etl", "db", "app"), strict=True)
]
"""The usual jobs, each for the hosts of one role."""
ON_ETL: Final = run(9, "etl-orders", RunState.ACCEPTED, agent="etl-03", dispatched_us=at(-4))


def hosts() -> Coordinator:
    """A coordinator of these."""
    return Coordinator(ROWS, [*RUNS, ON_ETL], HOSTS)
