"""Blackouts: which due times get no run, and what their records say."""

from __future__ import annotations

from typing import Any

import pytest

from tocsin.coordinator.machine import blackouts
from tocsin.coordinator.machine.fires import SINGLE_SKIPS_MAX
from tocsin.coordinator.machine.machine import Stored
from tocsin.errors import ScheduleError
from tocsin.instants import SECOND_US, from_rfc3339
from tocsin.model import Calendar, Job, Run, Scope

from .bench import Bench, job

HOUR_US = 3600 * SECOND_US


def bench_with(*blackout: dict[str, str], calendars: list[Calendar] | None = None,
               **fields: Any) -> Bench:  # fmt: skip
    """A coordinator with one hourly job; it begins on a Thursday, 2026-01-01 at 00:00 UTC."""
    bench = Bench()
    bench.machine.restore(Stored(calendars=calendars or []), bench.now)
    bench.hello()
    bench.put(job(schedule=["@hourly"], blackout=list(blackout), overlap="allow", **fields))
    return bench


def hours(bench: Bench) -> dict[int, str]:
    """By the hour in UTC of each due time: `fire`, or the reason of its skip."""
    return {
        run.due_us // HOUR_US % 24: run.reason if run.state == "skipped" else "fire"
        for run in bench.records()
        if run.due_us is not None
    }


def skipped(bench: Bench) -> list[Run]:
    """The records of blacked-out due times."""
    return [run for run in bench.records() if run.reason == "blackout"]


def test_due_times_inside_a_window_are_skipped_until_its_end() -> None:
    """The first instant of the window is inside, its end is outside."""
    bench = bench_with({"from": "03:00", "to": "05:00"})

    bench.pass_time(3600, steps=6)

    assert hours(bench) == {
        1: "fire", 2: "fire", 3: "blackout", 4: "blackout", 5: "fire", 6: "fire",
    }  # fmt: skip
    for run in skipped(bench):
        assert run.facts["until"] == "2026-01-01T05:00:00.000000Z"
        assert "from 03:00 to 05:00" in run.facts["because"]


def test_a_window_is_of_the_local_time_of_the_job() -> None:
    """03:00 to 05:00 in Tokyo is 18:00 to 20:00 UTC."""
    bench = bench_with({"from": "03:00", "to": "05:00"}, timezone="Asia/Tokyo")

    bench.pass_time(3600, steps=22)

    assert {hour for hour, said in hours(bench).items() if said == "blackout"} == {18, 19}
    assert "Asia/Tokyo" in skipped(bench)[0].facts["because"]


def test_the_days_of_a_calendar_are_whole_local_days() -> None:
    """The record names the calendar and the label of the day."""
    calendar = Calendar(name="holidays", dates=["01-01 New Year", "2026-01-02..2026-01-03"])
    bench = bench_with({"calendar": "holidays"}, calendars=[calendar], timezone="Europe/Berlin")

    bench.pass_time(3600, steps=24)

    records = skipped(bench)
    assert len(records) == 24
    assert records[0].facts["calendar"] == "holidays"
    assert {run.facts["day"] for run in records[:22]} == {"New Year"}
    assert records[22].due_us == from_rfc3339("2026-01-01T23:00:00Z")  # midnight in Berlin
    assert records[22].facts["day"] == "2026-01-02..2026-01-03"


def test_a_blackout_is_decided_by_the_due_time_also_after_downtime() -> None:
    """What was due in the window is skipped for it, and leaves the limit of catch-ups alone."""
    bench = bench_with(
        {"from": "02:00", "to": "05:00"}, missed={"policy": "all", "limit": 3, "within": 86400.0}
    )

    bench.restart(seconds=6.5 * 3600)

    assert hours(bench) == {
        1: "fire", 2: "blackout", 3: "blackout", 4: "blackout", 5: "fire", 6: "fire",
    }  # fmt: skip


def test_a_pause_goes_before_a_blackout() -> None:
    """A due time in both is the pause's."""
    bench = bench_with({"from": "00:30", "to": "23:00"})
    bench.maintain(Scope.ALL, for_s=1.5 * 3600)

    bench.pass_time(3600, steps=2)

    assert hours(bench) == {1: "paused", 2: "blackout"}


def test_many_due_times_of_one_window_share_a_record() -> None:
    """Two nights of a job that is due every minute: the older ones of each are in one record."""
    bench = bench_with({"from": "20:00", "to": "06:00"})
    bench.put(job(schedule=["* * * * *"], blackout=[{"from": "20:00", "to": "06:00"}]))

    bench.restart(seconds=36 * 3600)
    bench.pass_time(0, steps=2)

    records = skipped(bench)
    assert sum(run.dues for run in records) == 359 + 10 * 60
    assert len(records) == 2 * (SINGLE_SKIPS_MAX + 1)


def test_a_new_version_of_a_calendar_counts_from_then_on() -> None:
    """The days that were made ready are those of the calendar as it is."""
    bench = bench_with({"calendar": "x"}, calendars=[Calendar(name="x", dates=["2026-01-01"])])
    bench.pass_time(3600)

    bench.machine._state.calendars["x"] = Calendar(name="x", dates=["2027-01-01"])
    bench.pass_time(3600)

    assert hours(bench) == {1: "blackout", 2: "fire"}


@pytest.mark.parametrize(
    ("entry", "wrong"),
    [
        ({"calendar": "holydays"}, "no calendar 'holydays'"),
        ({"from": "Fri 18:00", "to": "06:00"}, "a time of every week"),
        ({"from": "22:00"}, "no 'to'"),
        ({"from": "1:00", "to": "2:00", "calendar": "holidays"}, "not both"),
    ],
)
def test_a_blackout_that_says_nothing_sensible_is_refused(
    entry: dict[str, str], wrong: str
) -> None:
    """The fault says what is wrong with it."""
    bad: Job = job(blackout=[entry])

    with pytest.raises(ScheduleError, match=wrong):
        blackouts.check(bad, {"holidays"})
