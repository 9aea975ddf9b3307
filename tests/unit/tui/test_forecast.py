"""Forecasts are what a walk through all due times gives."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.fleet import job
from tocsin.instants import SECOND_US, from_rfc3339
from tocsin.model import Blackout, Calendar, JobRow, Pause, Scope
from tocsin.schedule import parse
from tocsin.tui.forecast import QUARTER_US, WALKED_MAX, Fires, Forecast, Span, fires_in

MINUTE_US = 60 * SECOND_US
HOLIDAYS = {"holidays": Calendar(name="holidays", dates=["2026-03-29 Clock day"])}
BERLIN = {"timezone": "Europe/Berlin"}


def span(text: str, minutes: int, count: int) -> Span:
    """So many columns of so many minutes from an instant on."""
    return Span(minutes * MINUTE_US, from_rfc3339(text) // (minutes * MINUTE_US), count)


def brute(row: JobRow, within: Span) -> Counter[int]:
    """The columns of all due times, by `Schedule.next_us`."""
    instants = set()
    for text in row.job.schedule:
        schedule = parse(text, row.job.timezone, key=row.job.name, dst=row.job.dst)
        at_us = schedule.next_us(within.from_us - 1)
        while at_us is not None and at_us < within.to_us:
            instants.add(at_us)
            at_us = schedule.next_us(at_us)
    return Counter(at_us // within.column_us for at_us in instants)


@given(
    st.lists(
        st.sampled_from(
            ["*/5 * * * *", "30 2 * * *", "H * * * *", "@every 7m", "0 3 * * 0", "15 1-4 * * *"]
        ),
        min_size=1,
        max_size=2,
        unique=True,
    ),
    st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata"]),
    st.sampled_from([1, 2, 5, 15, 60]),
    st.sampled_from(["2026-03-29T00:00:00Z", "2026-10-25T00:00:00Z", "2026-06-03T09:15:00Z"]),
)
def test_forecast_is_the_walk(schedules: list[str], zone: str, minutes: int, start: str) -> None:
    """By any width of column, over changes of the clock, of several schedules."""
    row = job(1, "etl", schedules[0], timezone=zone)
    row = msgspec.structs.replace(row, job=msgspec.structs.replace(row.job, schedule=schedules))
    within = span(start, minutes, 120)
    found = fires_in(row.job, within, {})
    expected = brute(row, within)
    if sum(expected.values()) <= WALKED_MAX // 2:
        assert dict(found.due) == dict(expected)
    else:
        assert abs(sum(found.due.values()) - sum(expected.values())) <= len(schedules) * 700


def test_dense_jobs_are_counted_and_not_walked() -> None:
    """What is due each second is spread evenly, and the sum is right."""
    row = job(1, "tick", "@every 1s")
    within = span("2026-03-24T13:00:00Z", 2, 90)
    found = fires_in(row.job, within, {})
    assert sum(found.due.values()) == 3 * 3600
    assert set(found.due.values()) == {120}


@pytest.mark.parametrize(
    ("schedule", "more", "due", "barred"),
    [
        ("0 * * * *", {}, 24, 0),
        ("0 * * * *", {"enabled": False}, 0, 0),
        ("0 * * * *", {"starts_at_us": from_rfc3339("2026-03-29T12:00:00Z")}, 12, 0),
        ("0 * * * *", {"expires_at_us": from_rfc3339("2026-03-29T12:00:00Z")}, 12, 0),
        ("0 * * * *", {"blackout": [Blackout(start="22:00", end="06:00")]}, 16, 8),
        ("* * * * *", {"blackout": [Blackout(start="22:00", end="06:00")]}, 960, 480),
        ("* * * * *", {"expires_at_us": from_rfc3339("2026-03-29T12:00:00Z")}, 720, 0),
        ("0 * * * *", {"blackout": [Blackout(calendar="holidays")], **BERLIN}, 2, 22),
        ("30 2 * * *", BERLIN, 1, 0),
        ("@manual", {}, 0, 0),
    ],
)
def test_life_and_blackouts(schedule: str, more: dict[str, Any], due: int, barred: int) -> None:
    """Due times outside of a job's life are none; those in a blackout will be skipped.

    The day is that of a change of the clock, on which the calendar has Berlin's 23 hours.
    """
    row = job(1, "etl", schedule, **more)
    found = fires_in(row.job, span("2026-03-29T00:00:00Z", 15, 96), HOLIDAYS)
    assert (sum(found.due.values()), sum(found.barred.values())) == (due, barred)


def reckon(forecast: Forecast, *rows: JobRow) -> int:
    """Follow these jobs; the number of steps that it took."""
    forecast.follow({row.job.name: row for row in rows})
    return sum(1 for _ in forecast.steps())


def test_only_changed_jobs_are_reckoned_again() -> None:
    """A new version, a pause and a removal are followed; a new due time is none of these."""
    forecast = Forecast(span("2026-03-24T13:00:00Z", 60, 4), {})
    hourly, other = job(1, "a", "0 * * * *"), job(2, "b", "30 13,14 * * *")
    assert reckon(forecast, hourly, other) == 2
    assert sum(forecast.totals.values()) == 6
    assert reckon(forecast, msgspec.structs.replace(hourly, next_due_us=1), other) == 0
    assert reckon(forecast, msgspec.structs.replace(hourly, paused=True), other) == 1
    assert sum(forecast.totals.values()) == 2
    assert reckon(forecast, hourly) == 2
    assert sum(forecast.totals.values()) == 4
    changed = job(1, "a", "*/30 * * * *")
    assert reckon(forecast, msgspec.structs.replace(changed, version=2)) == 1
    assert sum(forecast.totals.values()) == 8
    assert forecast.whole


def test_what_passes_is_not_in_the_totals() -> None:
    """Neither in maintenance nor in a pause that ends; a change of either is followed."""
    forecast = Forecast(span("2026-03-24T13:00:00Z", 60, 4), {})
    hourly, other = job(1, "a", "0 * * * *"), job(2, "b", "0 * * * *")
    rows = {"a": hourly, "b": other}
    column = forecast.span.first
    for pauses, totals in (
        ([], [2, 2, 2, 2]),
        ([_pause("a", "13:00", "15:00")], [1, 1, 2, 2]),
        ([_pause("*", "15:00", None)], [2, 2, 0, 0]),
        ([], [2, 2, 2, 2]),
    ):
        forecast.follow(rows, pauses)
        list(forecast.steps())
        assert [forecast.totals[column + i] for i in range(4)] == totals
    paused = msgspec.structs.replace(
        hourly, paused=True, pause_until_us=from_rfc3339("2026-03-24T15:00:00Z")
    )
    forecast.follow({"a": paused, "b": other})
    list(forecast.steps())
    assert [forecast.totals[column + i] for i in range(4)] == [1, 1, 2, 2]


def _pause(jobs: str, since: str, until: str | None) -> Pause:
    since_us, until_us = (
        None if clock is None else from_rfc3339(f"2026-03-24T{clock}:00Z")
        for clock in (since, until)
    )
    assert since_us is not None
    return Pause(id=jobs, scope=Scope.JOB, value=jobs, since_us=since_us, until_us=until_us)


def test_a_job_in_sight_is_reckoned_at_once() -> None:
    """It does not wait for its turn, and is counted once."""
    forecast = Forecast(span("2026-03-24T13:00:00Z", 60, 4), {})
    row = job(1, "a", "0 * * * *")
    forecast.follow({"a": row})
    assert sum(forecast.of(row).due.values()) == 4
    assert not list(forecast.steps())
    assert sum(forecast.totals.values()) == 4


def test_a_job_that_is_not_due_has_no_fires() -> None:
    """Nothing is kept for it."""
    assert fires_in(job(1, "a").job, Span(QUARTER_US, 0, 10), {}) == Fires()
