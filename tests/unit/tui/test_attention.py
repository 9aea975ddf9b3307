"""What needs attention, in which words, and in which order."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.tui.fleet import BERLIN, NOW_US, agent, at, job, run
from tocsin.execution import Offer
from tocsin.instants import from_rfc3339
from tocsin.messages.client_answers import Status
from tocsin.model import (
    Agent,
    AgentState,
    Incident,
    IncidentKind,
    JobRow,
    Run,
    RunState,
    Target,
    Trigger,
)
from tocsin.tui.attention import Attention, Fleet, Item, Subject
from tocsin.tui.clock_changes import ClockNote, ClockNotes
from tocsin.tui.ledger import Ledger

DAY_S = 86_400


def status(store: str = "ok", *incidents: Incident) -> Status:
    """How the coordinator is."""
    return Status(
        version="0", epoch=1, pid=1, started_us=0, now_us=NOW_US, store=store, jobs=0,
        runs_active=0, runs_queued=0, agents_up=1, agents=1, next_due_us=None, dropped={},
        incidents=list(incidents),
    )  # fmt: skip


def up(name: str, **more: Any) -> Agent:
    """An agent that runs shell jobs."""
    executors = more.pop("executors", ["shell"])
    one = agent(name, more.pop("state", AgentState.UP))
    return msgspec.structs.replace(one, executors=executors, **more)


def items(
    *things: JobRow | Run | Agent,
    store: Status | None = None,
    notes: tuple[ClockNote, ...] = (),
) -> list[Item]:
    """What needs attention in a fleet of these."""
    ledger = Ledger()
    ledger.follow({one.id: one for one in things if isinstance(one, Run)})
    fleet = Fleet(
        {one.job.name: one for one in things if isinstance(one, JobRow)},
        {one.id: one for one in things if isinstance(one, Agent)},
        ledger,
        store,
        notes,
        BERLIN,
    )
    return Attention().items(fleet, NOW_US)


def told(*things: JobRow | Run | Agent, **more: Any) -> list[str]:
    """Glyph, name and text of each."""
    return [f"{one.glyph} {one.name}: {one.text}" for one in items(*things, **more)]


FAILED: dict[str, Any] = {"state": RunState.FAILED, "exit_code": 1, "finished_us": at(-168)}


def test_all_is_well() -> None:
    """A fleet without trouble says nothing."""
    ended = run(1, "etl", finished_us=at(-10))
    assert not told(job(1, "etl", "* * * * *", 10), ended, up("a"), store=status())


@pytest.mark.parametrize(
    ("runs", "text"),
    [
        ([run(1, "etl", **FAILED)], "✗ etl: exit 1, 2m ago"),
        ([run(i, "etl", **FAILED) for i in (1, 2)], "✗ etl: 2 fails in a row, exit 1, 2m ago"),
        (
            [run(1, "etl", **FAILED), run(2, "etl", finished_us=at(-99)), run(3, "etl", **FAILED)],
            "✗ etl: exit 1, 2m ago",
        ),
        ([run(1, "etl", **FAILED), run(2, "etl", RunState.RUNNING)], "✗ etl: exit 1, 2m ago"),
        ([run(1, "etl", **FAILED), run(2, "etl", RunState.SKIPPED)], "✗ etl: exit 1, 2m ago"),
        (
            [run(1, "etl", RunState.TIMED_OUT, finished_us=at(-168))],
            "✗ etl: timed out, 2m ago",
        ),
        ([run(1, "etl", RunState.LOST, finished_us=at(-168))], "? etl: lost, 2m ago"),
        ([run(1, "etl", **FAILED), run(2, "etl", finished_us=at(-99))], ""),
        ([run(1, "etl", RunState.CANCELLED, finished_us=at(-99))], ""),
    ],
)
def test_failures(runs: list[Run], text: str) -> None:
    """The last end counts, with how many there were in a row; what was killed was meant."""
    row = job(1, "etl", "* * * * *", 10)
    assert told(row, up("a"), *runs) == ([text] if text else [])


def test_a_failure_that_is_not_in_the_view() -> None:
    """The job's own word is enough."""
    assert told(job(1, "etl", "* * * * *", 10, last_state=RunState.FAILED), up("a")) == [
        "✗ etl: its last run: failed"
    ]


@pytest.mark.parametrize(
    ("agents", "store", "why"),
    [
        ([up("a", tags={"zone": "dmz"})], status(), "the coordinator has made no record of it yet"),
        ([], status(), "no agent is tagged zone=dmz"),
        ([up("a")], status(), "no agent is tagged zone=dmz"),
        ([up("a", tags={"zone": "dmz"}, executors=["http"])], status(),
         "no agent with zone=dmz offers a working executor shell"),
        ([up("a", tags={"zone": "dmz"})], status("since 14:00: disk full"),
         "the coordinator cannot write its store"),
        ([up("a", tags={"zone": "dmz"}, state=AgentState.CORDONED, held=AgentState.CORDONED)],
         status(), "no agent with zone=dmz is up, 1 held back"),
    ],
)  # fmt: skip
def test_late(agents: list[Agent], store: Status, why: str) -> None:
    """A due time without a record, and what keeps it."""
    row = job(1, "cert-renew", "54 12 * * *", -562, target=Target(tags={"zone": "dmz"}))
    assert f"! cert-renew: due 13:54:00: {why}" in told(row, *agents, store=store)


def test_agents() -> None:
    """Down: what ran there and what can run nowhere else. Pending: to be accepted."""
    row = job(1, "thumbs", "0 * * * *", 10, target=Target(tags={"name": "web-*"}))
    down = up("web-017", state=AgentState.DOWN, down_since_us=at(-252))
    going = run(1, "crawl", RunState.RUNNING, agent_id="web-017", agent="web-017")
    found = told(row, down, up("db-1"), up("new-1", state=AgentState.PENDING), going)
    assert found == [
        "✗ web-017: down 4m, 1 run on it: crawl, 1 job can run only there: thumbs",
        "? new-1: asks to be let in",
    ]
    revoked = up("web-017", state=AgentState.REVOKED)
    assert told(row, up("web-1"), revoked) == []
    assert told(row, revoked) == ["! agents: there is none: no job can run"]


def test_a_fleet_that_takes_nothing_is_told_of_at_once() -> None:
    """Nobody has to wait for runs that nobody takes."""
    row = job(1, "thumbs", "0 * * * *", 10)
    draining = up("db-1", state=AgentState.DRAINING, held=AgentState.DRAINING)
    assert "! agents: none takes runs: db-1 is draining" in told(row, draining)
    assert not any("none takes" in line for line in told(row, draining, up("db-2")))


def test_a_broken_executor_matters_where_a_job_needs_it() -> None:
    """Others are merely not there."""
    offers = [
        Offer(name="shell", available=False, message="no /bin/sh"),
        Offer(name="nats", available=False, message="pip install 'tocsin[nats]'"),
    ]
    row = job(1, "etl", "0 * * * *", 10)
    assert told(row, up("a", offers=offers, executors=[]), up("b")) == [
        "! a: executor shell: no /bin/sh; for etl"
    ]


@pytest.mark.parametrize(
    ("agents", "more", "why"),
    [
        ([up("a")], {}, "it waits for its turn"),
        ([up("a", busy=4)], {}, "all 4 slots of the agents that could take it are taken"),
        ([], {}, "there is no agent"),
        ([up("a")], {"reason": "dependency"}, "dependency"),
    ],
)
def test_queued(agents: list[Agent], more: dict[str, Any], why: str) -> None:
    """What has waited for more than a minute, and why."""
    waits = [
        run(i, "etl", RunState.QUEUED, trigger=Trigger.MANUAL, created_us=at(-120), **more)
        for i in (1, 2)
    ]
    soon = run(3, "etl", RunState.QUEUED, due_us=at(-30))
    retried = run(4, "etl", RunState.QUEUED, due_us=at(-900), not_before_us=at(60))
    found = items(job(1, "etl", "0 * * * *", 10), *agents, *waits, soon, retried)
    assert [one.name for one in found if one.name != "agents"] == ["etl"]
    assert found[-1].text.endswith(f" and 1 more queued 2m: {why}")
    assert (found[-1].subject, found[-1].id) == (Subject.RUN, waits[0].id)


def test_paused_jobs_are_forgotten_after_a_week() -> None:
    """As far as is known: nothing ran since, and nobody changed it."""
    old = job(
        1, "old", "0 * * * *", 10,
        paused=True, paused_by="bo", pause_reason="disk", changed_us=at(-92 * DAY_S),
    )  # fmt: skip
    new = job(2, "new", "0 * * * *", 10, paused=True, changed_us=at(-DAY_S))
    ends = job(3, "ends", "0 * * * *", 10, paused=True, pause_until_us=at(9), changed_us=1)
    assert told(old, new, ends, up("a")) == ["‖ old: paused by bo, no run for 92d: disk"]


def test_incidents_are_one_item_that_sinks() -> None:
    """The newest stands for all; after an hour it is below what can still be mended."""
    downs = [
        Incident(kind=IncidentKind.DOWN, from_us=at(-hours * 3600 - 60), until_us=at(-hours * 3600))
        for hours in (9, 5, 2)
    ]
    last, forgotten = told(
        job(1, "b", paused=True, changed_us=at(-9 * DAY_S)), up("a"), store=status("ok", *downs)
    )[::-1]
    assert forgotten.startswith("‖ b: paused")
    assert last.endswith("2h ago, 2 other incidents within a day")


def test_the_coordinator() -> None:
    """Its store comes before all else; what befell its clock is told for a day."""
    fresh = Incident(
        kind=IncidentKind.STEP, from_us=at(-600), until_us=at(-590), amount_us=3_600_000_000
    )
    old = Incident(kind=IncidentKind.DOWN, from_us=at(-3 * DAY_S), until_us=at(-2 * DAY_S))
    failed = run(1, "etl", **FAILED)
    row = job(1, "etl", "0 * * * *", 10)
    found = told(row, failed, up("a"), store=status("since 14:00: disk full", old, fresh))
    assert found == [
        "! coordinator: store: since 14:00: disk full",
        "✗ etl: exit 1, 2m ago",
        (
            "! coordinator: the coordinator's clock was set forward by 1h "
            "at 2026-03-24 12:53:22 UTC, 9m ago"
        ),
    ]


@pytest.mark.parametrize(
    ("schedule", "now", "text"),
    [
        ("30 2 * * *", "2026-03-24T13:00:00Z",
         "Sun 29 Mar: stands for 02:30: the clock leaps from 02:00 to 03:00"),
        ("30 2 * * *", "2026-10-20T13:00:00Z",
         "Sun 25 Oct: the clock shows 02:30 twice: due the first time"),
        ("30 2 * * *", "2026-03-12T13:00:00Z", ""),
        ("0 5 * * *", "2026-03-24T13:00:00Z", ""),
        ("*/5 * * * *", "2026-03-24T13:00:00Z", ""),
        ("30 2 * * 1", "2026-03-24T13:00:00Z", ""),
        ("@every 30m", "2026-03-24T13:00:00Z", ""),
    ],
)  # fmt: skip
def test_clock_changes_within_a_week(schedule: str, now: str, text: str) -> None:
    """A time of day that comes never, or twice, is told a week ahead."""
    notes = ClockNotes()
    row = job(1, "night-sync", schedule, timezone="Europe/Berlin")
    now_us = from_rfc3339(now)
    steps = list(notes.steps({"night-sync": row}, now_us))
    assert len(steps) == 1
    assert [note.text for note in notes.found.values()] == ([text] if text else [])
    assert not list(notes.steps({"night-sync": row}, now_us))
    list(notes.steps({}, now_us))
    assert not notes.found


def test_clock_notes_are_told_until_they_are_past() -> None:
    """Then they are history."""
    ahead, past = ClockNote("a", at(60), "twice"), ClockNote("b", at(-60), "never")
    assert told(notes=(ahead, past)) == ["? a: twice"]
