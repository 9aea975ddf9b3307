"""The week's map of hours, what is in an hour, and what to spread."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date
from zoneinfo import ZoneInfo

import pytest

from tests.tui.fleet import BERLIN, job
from tocsin.instants import SECOND_US, from_rfc3339, to_rfc3339
from tocsin.model import JobRow, Overlap, Target
from tocsin.tui.heat import busiest, heat_map, metric_names
from tocsin.tui.heat_csv import heat_csv
from tocsin.tui.hour import COLLISION_MIN, HourDetail
from tocsin.tui.hour_rows import job_cells
from tocsin.tui.load import Hour, Load, Metric, Weight, hosts_of

MARCH = date(2026, 3, 24)
OCTOBER = date(2026, 10, 20)
HOUR_US = 3600 * SECOND_US
NEXT_DAY = from_rfc3339("2026-03-25T02:00:00Z")


def load_of(
    *rows: JobRow,
    first: date = MARCH,
    weight: Weight = Weight(usual_s=60.0),  # noqa: B008 - frozen
) -> Load:
    """The load of these jobs."""
    load = Load(first, {})
    assert sum(1 for _ in load.steps({row.job.name: row for row in rows}, lambda _: weight)) == len(
        rows
    )
    assert load.whole
    return load


def fires(load: Load, day: int, zone: ZoneInfo | None = BERLIN, **more: bool) -> list[int]:
    """The fires by hour of a day."""
    return [hour.fires for hour in load.grid(zone, **more)[day]]


def test_fires_stand_in_their_hours() -> None:
    """By the clock of the zone that is looked through."""
    load = load_of(job(1, "a", "0,30 3 * * *", timezone="Europe/Berlin"))
    assert fires(load, 1)[3] == 2
    assert sum(fires(load, 1)) == 2
    assert [hour.fires for hour in load.grid(UTC)[1]][2] == 2
    assert (load.jobs, load.unknown, load.paused) == (1, 0, 0)


def test_hours_that_do_not_exist_and_those_that_come_twice() -> None:
    """In March one is empty; in October one is two hours long."""
    every = job(1, "a", "*/15 * * * *", timezone="Europe/Berlin")
    sunday = load_of(every).grid(BERLIN)[5]
    assert [hour.quarters for hour in sunday[:4]] == [4, 4, 0, 4]
    assert [hour.fires for hour in sunday[:4]] == [4, 4, 0, 4]
    autumn = load_of(every, first=OCTOBER).grid(BERLIN)[5]
    assert [hour.quarters for hour in autumn[:4]] == [4, 4, 8, 4]
    assert [hour.fires for hour in autumn[:4]] == [4, 4, 8, 4]
    assert autumn[2].to_us - autumn[2].from_us == 2 * HOUR_US


def test_each_job_by_its_own_clock() -> None:
    """Three at night is three at night, wherever that is."""
    rows = [
        job(i, zone, "0 3 * * *", timezone=zone)
        for i, zone in enumerate(["Europe/Berlin", "Asia/Kolkata", "America/New_York"])
    ]
    load = load_of(*rows)
    assert fires(load, 1, own_zones=True)[3] == 3
    assert sorted(i for i, n in enumerate(fires(load, 1)) if n) == [3, 8, 22]


def test_minutes_and_slots() -> None:
    """A long run counts in the hours that it reaches into, on as many agents as it has."""
    row = job(1, "a", "30 3 * * *", timezone="Europe/Berlin")
    hours = load_of(row, weight=Weight(2, 5400.0)).grid(BERLIN)[1]
    assert [hour.value(Metric.MINUTES, 0) for hour in hours[2:6]] == [0, 60, 120, 0]
    assert [hour.value(Metric.SLOTS, 8) for hour in hours[2:6]] == [0, 12.5, 25, 0]
    assert hours[3].value(Metric.SLOTS, 0) == 0


@pytest.mark.parametrize(("overlap", "minutes"), [(Overlap.SKIP, 60), (Overlap.ALLOW, 600)])
def test_runs_that_may_not_overlap_take_one_slot(overlap: Overlap, minutes: float) -> None:
    """However often the job is due."""
    row = job(1, "a", "* * * * *", overlap=overlap)
    hours = load_of(row, weight=Weight(1, 600.0)).grid(UTC)[1]
    assert hours[12].value(Metric.MINUTES, 0) == pytest.approx(minutes)


def test_what_is_not_known_is_said() -> None:
    """Jobs that never ran count no minutes; paused ones count nothing."""
    paused = job(2, "b", "0 * * * *", paused=True)
    load = load_of(job(1, "a", "0 * * * *"), paused, weight=Weight())
    assert (load.jobs, load.unknown, load.paused) == (1, 1, 1)


@pytest.mark.parametrize(
    ("target", "fitting", "hosts"),
    [
        (Target(), 6, 1),
        (Target(agents=4), 6, 4),
        (Target(agents=4), 2, 2),
        (Target(agents="all"), 6, 6),
        (Target(agents="all"), 0, 1),
    ],
)
def test_hosts(target: Target, fitting: int, hosts: int) -> None:
    """A fire runs on as many agents as it asks for and as there are."""
    assert hosts_of(job(1, "a", target=target).job, fitting) == hosts


def detail_of(rows: Iterable[JobRow], usual_s: float = 60.0, hosts: int = 1) -> HourDetail:
    """The hour from 02:00 UTC."""
    detail = HourDetail(NEXT_DAY, NEXT_DAY + HOUR_US, {})
    jobs = {row.job.name: row for row in rows}
    list(detail.steps(jobs, dict.fromkeys(jobs, Weight(hosts, usual_s))))
    assert detail.whole
    list(detail.look_for_spread())
    return detail


NIGHTLY = [job(i, f"nightly-{i:02}", "0 2 * * *") for i in range(34)]


def test_an_hour_in_twelve_parts() -> None:
    """With what runs from before."""
    detail = detail_of([job(1, "long", "50 1 * * *"), job(2, "b", "0,7,59 2 * * *")], 1200.0)
    assert [part.begins for part in detail.parts] == [1, 1, *[0] * 9, 1]
    assert [part.slots for part in detail.parts] == [2, 2, 1, 1, 1, 1, 0, 0, 0, 0, 0, 1]
    assert detail.peak == (2, NEXT_DAY)
    assert [each.row.job.name for each in detail.here.values()] == ["b"]
    assert detail.overlaps(detail.here["b"], 3) == ["long"]


def test_a_collision_is_found_and_spread() -> None:
    """Jitter takes the starts of one second apart; each job's due times stay what they were."""
    detail = detail_of(NIGHTLY)
    assert detail.collisions == [(NEXT_DAY, 34)]
    spread = detail.spread
    assert spread is not None
    assert spread.at_us == NEXT_DAY
    assert (spread.begins_before, spread.slots_before) == (34, 34)
    assert spread.begins_after <= 3
    assert spread.slots_after < spread.slots_before
    assert {one.jitter_s for one in spread.changed()} == {spread.jitter_s}
    after = detail_of([job(i, one.name, "0 2 * * *", jitter_s=one.jitter_s)
                       for i, one in enumerate(spread.changed())])  # fmt: skip
    assert max((n for _, n in after.collisions), default=1) <= max(spread.begins_after, 1)
    assert after.peak[0] == spread.slots_after


def test_jobs_that_have_jitter_or_fire_too_often_for_it_are_left_alone() -> None:
    """A jitter longer than the time between two due times would make a job skip."""
    dense = [job(i, f"dense-{i}", "*/30 * * * * *") for i in range(10)]
    spread = detail_of([*NIGHTLY, *dense]).spread
    assert spread is not None
    assert all(row.job.name.startswith("nightly") for row in spread.jobs)
    already = [job(i, f"n-{i}", "0 2 * * *", jitter_s=600.0) for i in range(30)]
    assert detail_of(already).spread is None


def test_few_starts_at_once_are_no_collision() -> None:
    """Two jobs may start together."""
    detail = detail_of(NIGHTLY[: COLLISION_MIN - 1])
    assert not detail.collisions
    assert detail.spread is None


def test_a_job_that_fires_each_second_is_counted_to_the_end_of_the_hour() -> None:
    """In each part, with its slots; it takes part in no collision."""
    detail = detail_of([job(i, f"tick-{i}", "@every 1s") for i in range(COLLISION_MIN)], 0.5)
    assert [part.begins for part in detail.parts] == [300 * COLLISION_MIN] * 12
    assert [part.slots for part in detail.parts] == [COLLISION_MIN] * 12
    assert job_cells(detail.here["tick-0"], detail, "any", None)[1].text == "tick-0 x3600"
    assert not detail.collisions


def test_paused_and_barred_jobs_start_nothing() -> None:
    """And so are not in the hour."""
    rows = [job(1, "a", "0 2 * * *", paused=True), job(2, "b", "0 2 * * *", enabled=False)]
    assert not detail_of(rows).here


def test_the_map_as_csv() -> None:
    """Hours that do not exist are left out, and so is the share of slots that nobody knows."""
    hour = Hour(date(2026, 3, 29), 1, 3, 90.0, 4, NEXT_DAY, NEXT_DAY + HOUR_US)
    missing = Hour(date(2026, 3, 29), 2)
    begins = to_rfc3339(NEXT_DAY).replace(".000000Z", "Z")
    assert heat_csv([[hour, missing]], 2).splitlines() == [
        "day,hour,begins,fires,job_minutes,slots_percent",
        f"2026-03-29,1,{begins},3,1.5,1.2",
    ]
    assert heat_csv([[hour]], 0).splitlines()[1].endswith(",3,1.5,")


def test_the_fullest_hour_is_named_in_full() -> None:
    """Where the map's own figures are divided, the scale stands by their name."""
    load = load_of(job(1, "a", "@every 1s"), job(2, "b", "*/2 2 * * *"))
    heat = heat_map(load.grid(UTC), Metric.FIRES, 8, 80)
    assert metric_names(heat, Metric.FIRES) == "[fires x100]  job-minutes  slots %"
    assert busiest(heat, Metric.FIRES, 8) == "busiest: Tue 24 02:00, 3630 fires"
    assert busiest(heat, Metric.SLOTS, 8) == "busiest: Tue 24 02:00, 19% of slots"
    nothing = heat_map(load_of().grid(UTC), Metric.FIRES, 8, 80)
    assert not busiest(nothing, Metric.FIRES, 8)
