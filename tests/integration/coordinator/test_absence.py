"""A coordinator that is away for a while, or stands still: said, and named as the reason."""

from __future__ import annotations

import signal
import sqlite3
import time
from contextlib import closing
from typing import Any

from tests.fleet import Fleet, until
from tocsin import clock
from tocsin.instants import to_rfc3339

from .test_outage import database

JOB = """
jobs:
  tick:
    schedule: "* * * * * *"
    overlap: allow
    shell: 'true'
"""
DOWN_S = 3.0
STOPPED_S = 11.5
"""A turn that comes ten seconds late is a stall."""


def explained(fleet: Fleet, kind: str) -> list[dict[str, Any]]:
    """The skips that name an incident of this kind."""
    return [run for run in fleet.runs("--job", "tick") if run["facts"].get("incident") == kind]


def test_a_killed_coordinator_is_named_as_the_reason(fleet: Fleet) -> None:
    """The next one knows since when nobody was there, and the due times of that time say so."""
    fleet.join("one")
    fleet.start_agent("one")
    fleet.apply(JOB)
    until(lambda: fleet.runs("--job", "tick"), "the first run")

    fleet.kill("coordinator")
    time.sleep(DOWN_S)
    fleet.start_coordinator()

    (incident,) = [one for one in fleet.json("status")["incidents"] if one["kind"] == "down"]
    assert incident["what"].startswith("the coordinator was down ")
    until(lambda: explained(fleet, "down"), "the missed due times to say so")
    for skip in explained(fleet, "down"):
        assert skip["reason"] == "missed"
        assert skip["facts"]["because"] == incident["what"]
    assert "was down" in fleet.call("status").stdout


def test_a_frozen_coordinator_says_that_it_stood_still(fleet: Fleet) -> None:
    """Each due time has one record afterwards, and those of that time name the stall."""
    fleet.join("one")
    fleet.start_agent("one")
    fleet.apply(JOB)
    until(lambda: fleet.runs("--job", "tick"), "the first run")

    coordinator = fleet.processes["coordinator"]
    coordinator.send_signal(signal.SIGSTOP)
    time.sleep(STOPPED_S)
    coordinator.send_signal(signal.SIGCONT)

    until(lambda: explained(fleet, "stall"), "the missed due times to say so")
    assert "stall" in [one["kind"] for one in fleet.json("status")["incidents"]]
    assert fleet.call("job", "pause", "tick").returncode == 0
    dues = [run["due"] for run in fleet.runs("--job", "tick")]
    assert len(dues) == len(set(dues))


def test_a_coordinator_that_ends_in_good_order_knows_when(fleet: Fleet) -> None:
    """Its last sign of life is its end, however idle it was."""
    ended_us = clock.now_us()
    assert fleet.stop("coordinator") == 0
    time.sleep(DOWN_S)
    fleet.start_coordinator()

    (incident,) = fleet.json("status")["incidents"]
    assert incident["kind"] == "down"
    assert incident["from"] >= to_rfc3339(ended_us)


def test_other_zone_data_than_before_moves_due_times(fleet: Fleet) -> None:
    """The next coordinator works the due times of local clocks out anew, and says so."""
    fleet.apply(
        "jobs:\n"
        "  berlin: {schedule: 0 12 * * *, timezone: Europe/Berlin, shell: 'true'}\n"
        "  utc: {schedule: 0 12 * * *, shell: 'true'}\n"
    )
    before = {job["name"]: job["next"] for job in fleet.json("job", "list")}
    assert fleet.stop("coordinator") == 0
    with closing(sqlite3.connect(database(fleet), isolation_level=None)) as store:
        store.execute("UPDATE setting SET value = '1999a' WHERE name = 'zones'")
        store.execute("UPDATE job SET next_due_us = next_due_us + 3600000000")

    fleet.start_coordinator()

    after = {job["name"]: job["next"] for job in fleet.json("job", "list")}
    assert after["berlin"] == before["berlin"]
    assert after["utc"] > before["utc"]
    (zones,) = [one for one in fleet.json("status")["incidents"] if one["kind"] == "zones"]
    assert zones["what"].endswith("before 1999a")
    assert "jobs_moved=1" in (fleet.home / "coordinator.log").read_text()
