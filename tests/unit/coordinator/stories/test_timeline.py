"""Which due time somebody means, over all that a job ever was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tocsin.coordinator.machine.fires import next_due_us
from tocsin.coordinator.story import Moment, moment_of, next_due, usual_moment
from tocsin.coordinator.story.timeline import in_force, last_due, last_due_of
from tocsin.instants import SECOND_US
from tocsin.model import Job, JobVersion

from .scenes import DUE_US, JOB, MINUTE_US, NOW_US, at, version

HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US
MADE = version(1, JOB, "2026-11-20 09:00")
SCHEDULES = [
    ["30 2 * * *"],
    ["*/7 * * * * *"],
    ["@every 90s", "0 0 29 2 *"],
    ["59 59 23 31 12 *"],
    ["*/30 * * * *", "15 2 * * Sun"],
]


@given(
    schedule=st.sampled_from(SCHEDULES),
    until_s=st.integers(at("2026-10-25 00:00") // SECOND_US, at("2026-10-25 04:00") // SECOND_US),
    reach_s=st.integers(0, 7_200),
)
def test_the_last_due_time_is_the_one_that_walking_forwards_ends_at(
    schedule: list[str], until_s: int, reach_s: int
) -> None:
    """Halving finds the same as trying every due time, also when the clock goes back."""
    job = replace(JOB, schedule=schedule)
    after_us, until_us = (until_s - reach_s) * SECOND_US, until_s * SECOND_US

    walked, due_us = None, next_due_us(job, after_us)
    while due_us is not None and due_us <= until_us:
        walked, due_us = due_us, next_due_us(job, due_us)

    assert last_due_of(job, after_us, until_us) == walked


def test_the_last_due_time_is_found_years_back() -> None:
    """29 February, asked in November 2026."""
    job = replace(JOB, schedule=["0 0 29 2 *"])

    assert last_due_of(job, 0, NOW_US) == at("2024-02-29 00:00")


@pytest.mark.parametrize(
    ("asked", "due"),
    [
        ("02:30", "02:30"),
        ("02:31", "02:30"),
        ("01:40", "02:30"),
        ("03:29", "02:30"),
        ("03:31", None),
        ("12:00", None),
    ],
)
def test_a_due_time_within_an_hour_is_meant(asked: str, due: str | None) -> None:
    """People do not name the second; what is further off is another question."""
    moment = moment_of([MADE], at(asked))

    assert moment.due_us == (None if due is None else at(due))


def test_the_neighbours_of_a_time_without_a_due_time_are_said() -> None:
    """The last one before and the first one after."""
    assert moment_of([MADE], at("12:00")) == Moment(at("12:00"), None, DUE_US, DUE_US + DAY_US)


def test_each_version_counts_for_its_own_time() -> None:
    """A change at 08:00 moves the due times behind it, and none before."""
    changed = version(2, replace(JOB, schedule=["0 10 * * *"]), "08:00")
    versions = [MADE, changed]

    assert last_due(versions, at("09:00")) == at("02:30")
    assert next_due(versions, at("02:30")) == at("10:00")
    assert in_force(versions, at("08:00")) is MADE
    assert in_force(versions, at("08:01")) is changed


def test_nothing_is_due_while_a_job_is_removed() -> None:
    """What was made again later has its own due times."""
    gone = version(2, None, "2026-11-21 09:00")
    again = version(1, JOB, "2026-11-23 09:00", job_id=8)
    versions = [MADE, gone, again]

    assert next_due(versions, at("2026-11-21 02:30")) == at("2026-11-24 02:30")
    assert last_due(versions, at("2026-11-23 12:00")) == at("2026-11-21 02:30")
    assert moment_of(versions, at("2026-11-22 02:30")).due_us is None


@pytest.mark.parametrize(
    ("versions", "due"),
    [
        ([MADE], "02:30"),
        ([version(1, JOB, "08:00")], "2026-11-25 02:30"),
        ([version(1, replace(JOB, schedule=[]), "08:00")], None),
        ([MADE, version(2, None, "2026-11-23 08:00")], "2026-11-23 02:30"),
    ],
)
def test_without_a_time_the_last_due_time_is_meant(
    versions: list[JobVersion], due: str | None
) -> None:
    """Of a job that has had none yet, the next one; of a job without a schedule, nothing."""
    moment = usual_moment(versions, NOW_US)

    assert moment.due_us == (None if due is None else at(due))


def test_a_job_under_a_busy_schedule_is_answered_from_a_few_looks() -> None:
    """A due time each second of one January, asked in December: found by halving, not walking."""
    job = Job(name="busy", executor="shell", config={}, schedule=["* * * * 1 *"])
    made = JobVersion(job_id=1, version=1, name="busy", job=job, changed_us=0, changed_by="ann")

    moment = moment_of([made], at("2026-12-24 00:00"))

    assert moment.before_us == at("2026-02-01 00:59:59")  # in UTC the last second of January
