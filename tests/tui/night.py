"""A fleet with a past and a future: nightly jobs that collide, a change of the clock ahead."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from tocsin.model import Agent, AgentState, Blackout, Calendar, JobRow, Run, RunState, Target

from .coordinator import Coordinator
from .fleet import agent, at, job, run

BERLIN_TIME: Final = {"timezone": "Europe/Berlin"}


def host(name: str, **more: Any) -> Agent:
    """An agent that runs shell jobs."""
    one = agent(name, more.pop("state", AgentState.UP))
    about = {"executors": ["shell"], "version": "1.4.2", "tags": {"role": name.partition("-")[0]}}
    return msgspec.structs.replace(one, **{**about, **more})


def ran(number: int, name: str, began_s: float, took_s: float, **more: Any) -> Run:
    """A run by schedule that is over."""
    more = {"due_us": at(began_s), "started_us": at(began_s), **more}
    return run(number, name, finished_us=at(began_s + took_s), agent="app-01", **more)


_NIGHTLY: Final = [
    job(20 + i, f"nightly-{name}", "0 3 * * *", 46_600, **BERLIN_TIME)
    for i, name in enumerate(
        ["archive", "dump", "fsck", "index", "logs", "mail", "report", "scan", "stats", "thumbs"]
    )
]
JOBS: Final[list[JobRow]] = [
    job(1, "backup-db", "0 13 * * *", 82_598),
    job(2, "billing-sync", "*/15 * * * *", 698, last_state=RunState.FAILED),
    job(3, "cert-renew", "54 12 * * *", -562, target=Target(tags={"role": "dmz"})),
    job(4, "cleanup-tmp", "@every 30m", 1598, paused=True),
    job(5, "etl-orders", "45 * * * *", 2498, **BERLIN_TIME),
    job(6, "metrics-rollup", "*/10 * * * *", 398),
    job(7, "night-sync", "30 2 * * *", 44_798, **BERLIN_TIME),
    job(8, "ledger-close", "0 15 * * 1-5", 6_998, blackout=[Blackout(calendar="holidays")]),
    *_NIGHTLY,
]
RUNS: Final = [
    *(ran(i, "metrics-rollup", -3802 + 600 * i, 41) for i in range(1, 7)),
    *(ran(10 + i, "etl-orders", -40_000 + 3600 * i, 1080) for i in range(5)),
    *(ran(20 + i, row.job.name, -39_800, 900 + 60 * i) for i, row in enumerate(_NIGHTLY)),
    ran(40, "billing-sync", -2002, 4), ran(41, "billing-sync", -1102, 4, state=RunState.FAILED),
    ran(42, "billing-sync", -202, 4, state=RunState.FAILED, exit_code=1),
    run(43, "cleanup-tmp", RunState.SKIPPED, due_us=at(-202), reason="paused"),
    run(44, "etl-orders", RunState.RUNNING, agent="app-02", due_us=at(-1102), started_us=at(-851)),
]  # fmt: skip
AGENTS: Final = [
    host("app-01", busy=1),
    host("app-02"),
    host("dmz-01", state=AgentState.DOWN, down_since_us=at(-252), version="1.4.1"),
    host("new-01", state=AgentState.PENDING, version=""),
]


def night_fleet() -> Coordinator:
    """A coordinator with these."""
    coordinator = Coordinator(JOBS, RUNS, AGENTS)
    coordinator.calendars = [Calendar(name="holidays", dates=["2026-03-24 Town day"])]
    return coordinator
