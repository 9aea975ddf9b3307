"""Incidents as reasons: due times that were late or missed say what was in their way."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tocsin.coordinator.machine.events import Tick, ZonesChanged
from tocsin.coordinator.machine.incidents import KEPT_MAX
from tocsin.coordinator.machine.state import Policy
from tocsin.instants import SECOND_US, from_rfc3339, to_rfc3339
from tocsin.model import IncidentKind, Run

from .bench import START_US, Bench, job

MINUTE_US = 60 * SECOND_US


def started(**fields: Any) -> Bench:
    """A coordinator with an agent and a job that is due every minute."""
    bench = Bench()
    bench.hello()
    bench.put(job(overlap="allow", **fields))
    return bench


def by_reason(bench: Bench) -> dict[str, list[Run]]:
    """The records by reason; runs are `fire`."""
    found: dict[str, list[Run]] = {}
    for run in bench.records():
        found.setdefault(run.reason if run.state == "skipped" else "fire", []).append(run)
    return found


def test_a_catch_up_after_downtime_names_it() -> None:
    """So do the due times that were missed; what is on time names nothing."""
    bench = started()
    bench.pass_time(60)

    bench.restart(seconds=130 * 60, notice=True)

    words = "the coordinator was down 00:01:00-02:11:00 UTC"
    on_time, caught_up = by_reason(bench)["fire"]
    assert (on_time.cause, on_time.trigger) == ("", "schedule")
    assert (caught_up.cause, caught_up.trigger) == ("", "schedule")  # the last is on time
    for run in by_reason(bench)["missed"]:
        assert run.facts["because"] == words
        assert run.facts["incident"] == "down"
        assert run.facts["until"] == to_rfc3339(START_US + 131 * MINUTE_US)


def test_a_late_run_says_what_was_in_its_way() -> None:
    """The cause of a catch-up run is kept when it ends, though its facts are its outcome's."""
    bench = started(missed={"policy": "all"})

    bench.restart(seconds=100, notice=True)

    (run,) = by_reason(bench)["fire"]
    assert run.trigger == "catchup"
    assert run.cause == "the coordinator was down 00:00:00-00:01:40 UTC"


@pytest.mark.parametrize(
    ("kind", "amount_s", "words"),
    [
        (IncidentKind.SUSPEND, 0, "the coordinator's machine slept"),
        (IncidentKind.STALL, 0, "the coordinator stood still 00:00:30-00:02:00 UTC"),
        (IncidentKind.STEP, 90, "the coordinator's clock was set forward by 1m30s at"),
    ],
)
def test_every_kind_of_incident_is_a_reason(kind: IncidentKind, amount_s: int, words: str) -> None:
    """A due time that fell into it, at 00:01:00, is caught up at 00:02:00."""
    bench = started(missed={"policy": "all"})
    bench.pass_time(30)
    from_us = bench.wall_us
    bench.wall_us += 90 * SECOND_US

    bench.notice(kind, from_us, bench.wall_us, amount_s * SECOND_US)
    bench.pass_time(0)

    late = next(run for run in bench.records() if run.trigger == "catchup")
    assert late.cause.startswith(words)


def test_the_incident_that_lasted_longest_is_the_reason() -> None:
    """A short stall within a long absence explains less."""
    bench = started(missed={"policy": "skip"})
    bench.notice(IncidentKind.STALL, START_US + 55 * SECOND_US, START_US + 66 * SECOND_US)

    bench.restart(seconds=600, notice=True)

    first = by_reason(bench)["missed"][0]
    assert first.facts["incident"] == "down"


def test_without_an_incident_a_due_time_is_just_late() -> None:
    """And says by how much."""
    bench = started(missed={"policy": "all"})

    bench.pass_time(95)

    (run,) = by_reason(bench)["fire"]
    assert run.cause == "late by 35s"


def test_a_clock_that_steps_back_a_day_neither_repeats_nor_explains() -> None:
    """No due time gets a second record, and none blames the step."""
    bench = started()
    bench.pass_time(60, steps=3)

    bench.wall_us -= 86_400 * SECOND_US
    bench.notice(
        IncidentKind.STEP, bench.wall_us, bench.wall_us + 86_400 * SECOND_US, -86_400 * SECOND_US
    )
    bench.pass_time(3600, steps=23)
    assert len(bench.records()) == 3
    bench.pass_time(3600)
    bench.pass_time(60)

    dues = [run.due_us for run in bench.records()]
    assert len(dues) == len(set(dues))
    assert all("set back" not in run.cause for run in bench.records())


def test_a_clock_that_steps_forward_leaves_due_times_to_the_missed_policy() -> None:
    """Ninety minutes at once: the latest due time is served, the others are missed for the step."""
    bench = started()
    bench.pass_time(30)
    before_us = bench.wall_us

    bench.wall_us += 5400 * SECOND_US
    bench.notice(IncidentKind.STEP, before_us, bench.wall_us, 5400 * SECOND_US)
    bench.pass_time(0)

    found = by_reason(bench)
    assert len(found["fire"]) == 1
    assert sum(run.dues for run in found["missed"]) == 89
    assert {run.facts["incident"] for run in found["missed"]} == {"step"}


def test_a_clock_that_steps_back_ninety_minutes_waits_until_it_catches_up() -> None:
    """What has its record is not due again; then everything goes on as before."""
    bench = started()
    bench.pass_time(60, steps=2)

    bench.step_wall(-5400)
    bench.pass_time(60, steps=91)

    dues = [run.due_us for run in bench.records()]
    assert dues == [START_US + n * MINUTE_US for n in (1, 2, 3)]
    assert {run.trigger for run in bench.records()} == {"schedule"}


def test_a_machine_that_slept_loses_no_agent_and_catches_up() -> None:
    """Two hours on the wall clock, none on the steady one: the agent was not silent meanwhile."""
    bench = Bench(Policy(agent_silence_s=10))
    bench.hello()
    bench.put(job(overlap="allow", missed={"policy": "latest", "within": 3600.0}))
    bench.pass_time(5)
    from_us = bench.wall_us

    bench.wall_us += 7230 * SECOND_US
    bench.notice(IncidentKind.SUSPEND, from_us, bench.wall_us)
    bench.feed(Tick())

    assert bench.agents["A"].state == "up"
    found = by_reason(bench)
    (run,) = found["fire"]
    assert (run.trigger, run.state) == ("catchup", "dispatched")
    assert "slept" in run.cause
    assert {skip.facts["incident"] for skip in found["missed"]} == {"suspend"}
    assert sum(skip.dues for skip in found["missed"]) == 119


def test_the_latest_incidents_are_remembered_through_a_restart() -> None:
    """So many and no more, each once."""
    bench = started()
    for number in range(KEPT_MAX + 10):
        bench.notice(IncidentKind.STALL, START_US + number, START_US + number + 1)
    bench.notice(IncidentKind.STALL, START_US + 20, START_US + 21)
    held = bench.machine.incidents(1000)

    bench.restart()

    assert len(held) == KEPT_MAX
    assert bench.machine.incidents(1000) == held


# Time zones.


def test_new_zone_data_moves_due_times_of_local_clocks_alone() -> None:
    """The next due time follows the last record, whatever the cursor said; UTC stays as it is."""
    bench = Bench()
    bench.put(
        job("berlin", schedule=["0 12 * * *"], timezone="Europe/Berlin"),
        job("utc", schedule=["0 12 * * *"]),
    )
    right_us = bench.row("berlin").next_due_us
    assert right_us == from_rfc3339("2026-01-01T11:00:00Z")
    for name in ("berlin", "utc"):  # as other rules for Berlin would have it
        row = bench.row(name)
        bench.rows[row.id] = replace(row, next_due_us=right_us + 3600 * SECOND_US)

    bench.feed(ZonesChanged([bench.row("berlin"), bench.row("utc")]))

    assert bench.row("berlin").next_due_us == right_us
    assert bench.row("utc").next_due_us == right_us + 3600 * SECOND_US
    assert bench.machine.next_due_us() == right_us


def test_new_zone_data_never_goes_behind_the_last_record() -> None:
    """A due time that has its record is not due again."""
    bench = Bench()
    bench.hello()
    bench.put(job(schedule=["0 12 * * *"], timezone="Europe/Berlin"))
    bench.pass_time(11 * 3600)
    row = bench.row()
    last_us = bench.records()[-1].due_us

    event_row = replace(row, last_due_us=last_us)
    bench.feed(ZonesChanged([event_row]))
    bench.pass_time(60)

    assert len(bench.records()) == 1
    assert bench.row().next_due_us == from_rfc3339("2026-01-02T11:00:00Z")
