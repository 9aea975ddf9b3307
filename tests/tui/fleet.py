"""A small fleet at a fixed instant: Tuesday 24 March 2026, 14:03:22 in Berlin."""

from __future__ import annotations

from typing import Any, Final
from zoneinfo import ZoneInfo

from tocsin.clock import ulid
from tocsin.instants import SECOND_US, from_rfc3339
from tocsin.model import Agent, AgentState, Job, JobRow, Retry, Run, RunState, Trigger

NOW_US: Final = from_rfc3339("2026-03-24T14:03:22+01:00")
BERLIN: Final = ZoneInfo("Europe/Berlin")
MINUTE_S: Final = 60


def at(seconds: float) -> int:
    """The instant so many seconds after now."""
    return NOW_US + round(seconds * SECOND_US)


def job(
    number: int, name: str, schedule: str = "", due_s: float | None = None, **more: Any
) -> JobRow:
    """A job that is next due in so many seconds."""
    definition = {key: more.pop(key) for key in list(more) if key in Job.__struct_fields__}
    return JobRow(
        id=number,
        job=Job(
            name=name,
            executor="shell",
            config={"command": "true"},
            schedule=[schedule] if schedule else [],
            **definition,
        ),
        version=1,
        next_due_us=None if due_s is None else at(due_s),
        **more,
    )


def run(number: int, job_name: str, state: RunState = RunState.SUCCEEDED, **more: Any) -> Run:
    """The run of this number; higher ones are newer."""
    return Run(
        id=ulid(1_774_357_402_000 + number, number * 7919),
        job_id=1,
        job=job_name,
        job_version=1,
        trigger=more.pop("trigger", Trigger.SCHEDULE),
        state=state,
        created_us=more.pop("created_us", at(-600)),
        **more,
    )


def agent(name: str, state: AgentState = AgentState.UP) -> Agent:
    """An agent."""
    return Agent(id=name, key="00" * 32, name=name, state=state, slots=4)


JOBS: Final = [
    job(1, "backup-db", "0 13 * * *", 23 * 3600, last_state=RunState.SUCCEEDED),
    job(2, "billing-sync", "*/15 * * * *", 698, last_state=RunState.FAILED),
    job(3, "cert-renew", "54 12 * * *", -9 * MINUTE_S, last_state=RunState.SUCCEEDED),
    job(4, "cleanup-tmp", "@every 30m", 1600, paused=True, last_state=RunState.SUCCEEDED),
    job(
        5, "etl-orders", "45 * * * *", 2498,
        timezone="Europe/Berlin", retry=Retry(limit=2), timeout_s=2700.0,
    ),
    job(6, "gdpr-purge", "0 4 1 1,7 *", 98 * 86_400),
    job(7, "reindex"),
]  # fmt: skip
RUNNING: Final = run(
    5, "etl-orders", RunState.RUNNING,
    agent="etl-03", due_us=at(-1102), dispatched_us=at(-851.2), started_us=at(-851),
)  # fmt: skip
FAILED: Final = run(
    4, "billing-sync", RunState.FAILED,
    agent="app-04", due_us=at(-202), started_us=at(-202), finished_us=at(-198), exit_code=1,
    reason="exit status 1",
)  # fmt: skip
RUNS: Final = [
    run(
        1, "backup-db", RunState.SUCCEEDED,
        agent="db-02", due_us=at(-3802), started_us=at(-3802), finished_us=at(-2300), exit_code=0,
    ),
    run(2, "cleanup-tmp", RunState.SKIPPED, due_us=at(-1402), reason="paused"),
    run(3, "reindex", RunState.QUEUED, trigger=Trigger.MANUAL, requested_by="ana"),
    FAILED,
    RUNNING,
]  # fmt: skip
AGENTS: Final = [agent("etl-03"), agent("app-04"), agent("web-017", AgentState.DOWN)]
