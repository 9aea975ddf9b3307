"""The panes of a job's screen."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from rich.cells import cell_len

from tests.tui.fleet import AGENTS, BERLIN, NOW_US, at, job
from tests.tui.history import BILLING, INVOICE, VERSIONS, past_runs
from tocsin.execution import Limits
from tocsin.instants import from_rfc3339
from tocsin.model import Blackout, Calendar, JobRow, Pause, Scope, Target
from tocsin.tui.job_config import config_rows
from tocsin.tui.job_history import failures
from tocsin.tui.job_panes import (
    Row,
    change_rows,
    failure_rows,
    fire_rows,
    headline,
    run_rows,
    trigger_rows,
)

RUNS = past_runs()
ALL = {row.job.name: row for row in (BILLING, INVOICE)}
HOSTS = [replace(agent, executors=["shell"]) for agent in AGENTS]


def text(rows: list[Row]) -> str:
    """What is read, line by line."""
    lines = ("".join(cell.text for cell in cells).rstrip() for _, cells in rows)
    return "\n".join(lines)


def fires(row: JobRow, width: int = 60, **calendars: list[str]) -> str:
    """The next fires."""
    known = {name: Calendar(name=name, dates=dates) for name, dates in calendars.items()}
    return text(fire_rows(row, known, (), NOW_US, BERLIN, width))


@pytest.mark.parametrize("width", [20, 37, 48, 79, 98, 199])
def test_all_lines_fit(width: int) -> None:
    """Whatever the width, a line has just that many cells."""
    panes = [
        fire_rows(BILLING, {}, (), NOW_US, BERLIN, width),
        trigger_rows(BILLING, ALL, {}, NOW_US, width),
        failure_rows(failures(RUNS), NOW_US, BERLIN, width),
        config_rows(BILLING.job, HOSTS, width),
        change_rows(VERSIONS, RUNS, NOW_US, BERLIN, width),
        run_rows(RUNS[:3], NOW_US, BERLIN, width),
    ]
    for rows in panes:
        assert rows
        assert len({key for key, _ in rows}) == len(rows)
        for _, cells in rows:
            assert cell_len("".join(cell.text for cell in cells)) <= max(width, 34)


def test_fires_on_both_clocks() -> None:
    """The clock of the job, that of the user, how long it is, and what jitter does."""
    lines = fires(BILLING).splitlines()
    assert lines[0] == "1  Tue 13:15:00 UTC   14:15:00 CET   in 11m"
    assert len(lines) == 6
    assert lines[5].startswith("jitter 0..1m: always +")


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (job(1, "a"), "only when asked for"),
        (replace(INVOICE, next_due_us=None), "when what it comes after is over"),
        (job(1, "a", "@at 2020-01-01T00:00:00Z"), "never again"),
        (job(1, "a", "0 4 * * *", -600), "due 13:53:22, 10m LATE"),
        (
            job(1, "a", "0 4 * * *", paused=True, paused_by="ana", pause_reason="disk"),
            "paused by ana: disk",
        ),
        (job(1, "a", "0 4 * * *", enabled=False), "off: enabled is false"),
        (job(1, "a", "0 4 * * *", dst="skip"), "dst skip"),
        (job(1, "a", "0 4 1 * *"), "Wed 1 Apr 04:00:00 UTC"),
    ],
)
def test_what_is_said_of_fires(row: JobRow, says: str) -> None:
    """Why it does not fire, or later than it should."""
    assert says in fires(row)


def test_blackouts_and_changes_of_the_clock() -> None:
    """A due time that gets no run, or that the clock leaps over, says so."""
    black = job(1, "a", "0 4 * * *", blackout=[Blackout(calendar="days")])
    said = fires(black, days=["2026-03-25 Lady Day"])
    assert "skipped: blackout days: Lady Day" in said
    assert said.count("skipped") == 1
    assert "blackout days" in said.splitlines()[-1]
    leap = job(1, "a", "30 2 * * *", timezone="Europe/Berlin")
    assert "the clock leaps from 02:00 to 03:00" in fires(leap, 99)


def test_triggers_both_ways() -> None:
    """What it comes after, also where that is gone, and what comes after it."""
    rows = trigger_rows(BILLING, ALL, {}, NOW_US, 60)
    assert [key for key, _ in rows] == ["ledger-close", "invoice-mail"]
    assert text(rows) == (
        "after ? ledger-close is over   last not there\nsucceeded → ○ invoice-mail"
    )


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, "agents   → 3 match, 2 up: app-04, etl-03, web-017"),
        ({"target": Target(tags={"role": "db"})}, "agents   → no agent matches"),
        ({"env": {"DB": "secret value"}}, "env      DB"),
        ({"secrets": {"KEY": "billing/key"}}, "secrets  KEY"),
        ({"limits": Limits(memory_bytes=1 << 29, cpu_percent=50.0)}, "mem 512 MiB  cpu 50%"),
        ({"run_as": "payments"}, "user     payments"),
        ({"target": Target(agents="all", canary=1, stop_after=2)}, "canary 1, stops after 2"),
        ({"starts_at_us": from_rfc3339("2026-01-01T00:00:00Z")}, "life     from 2026-01-01T"),
    ],
)
def test_config(settings: dict[str, Any], says: str) -> None:
    """What is set, the agents that match, and of variables and secrets nothing but names."""
    said = text(config_rows(job(1, "a", **settings).job, HOSTS, 79))
    assert says in said
    assert "secret value" not in said
    assert "billing/key" not in said


def test_changes_say_how_soon_they_failed() -> None:
    """Below the newest version stands when its first failing run came."""
    lines = text(change_rows(VERSIONS, RUNS, NOW_US, BERLIN, 79)).splitlines()
    assert [line.split()[0] for line in lines] == ["v3", "first", "v2", "v1"]
    assert change_rows((), RUNS, NOW_US, BERLIN, 79) == []


def test_headline() -> None:
    """State, name, schedule, zone, in words, version, labels; or that it is gone."""
    said, colour = headline(BILLING, None, removed=False)
    assert said == (
        "✗ billing-sync   */15 * * * *   "
        "every 15 minutes (UTC); after ledger-close (any)   v3   owner=payments"
    )
    assert colour == "bad"
    assert "removed" in headline(BILLING, None, removed=True)[0]


def test_runs() -> None:
    """Id, begin, state, time taken, agent."""
    (row,) = run_rows(RUNS[59:], NOW_US, BERLIN, 60)
    assert row[0] == RUNS[59].id
    assert text([row]).split() == [
        RUNS[59].id[-6:], "13:45:30", "✗", "failed,", "exit", "1", "43s", "app-04",
    ]  # fmt: skip


def test_late_is_bad_news() -> None:
    """It stands out by its colour as well."""
    rows = fire_rows(job(1, "a", "0 4 * * *", -600), {}, (), NOW_US, BERLIN, 60)
    assert rows[0][1][0].tone == "bad"
    assert rows[0][0] == f"fire {at(-600)}"


def test_fires_in_maintenance_are_marked() -> None:
    """With what it is, for whom and how long; the fire behind it is not."""
    since_us, until_us = at(0), at(1000)
    pause = Pause(
        id="p", scope=Scope.ALL, reason="new switch", by="ana", since_us=since_us, until_us=until_us
    )
    other = replace(pause, id="q", scope=Scope.JOB, value="zzz")
    shown = text(fire_rows(BILLING, {}, (pause, other), NOW_US, BERLIN, 90)).splitlines()
    assert shown[0].strip() == ("maintenance until Tue 24 Mar 14:20 by ana: new switch")
    assert [line[:2] for line in shown[1:4]] == ["1‖", "2 ", "3 "]
