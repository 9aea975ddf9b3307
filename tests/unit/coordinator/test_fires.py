from __future__ import annotations

import pytest

from tocsin.coordinator.machine.fires import SINGLE_SKIPS_MAX, STEP_DUES_MAX, next_due_us, owed
from tocsin.instants import SECOND_US
from tocsin.model import JobRow, Missed, MissedPolicy, SkipReason

from .bench import START_US, Bench, job

MINUTE_US = 60 * SECOND_US


def test_a_due_time_fires_once_at_its_time_and_never_before() -> None:
    """Nothing happens before the due time; at it there is one run; a later tick adds none."""
    bench = Bench()
    bench.hello()
    bench.put(job())

    bench.pass_time(59.999)
    assert bench.records() == []
    bench.pass_time(0.001)
    bench.pass_time(30)

    (run,) = bench.records()
    assert (run.due_us, run.trigger, run.state) == (START_US + MINUTE_US, "schedule", "dispatched")
    assert bench.row().next_due_us == START_US + 2 * MINUTE_US


def test_a_clock_that_steps_back_repeats_nothing() -> None:
    """After a backward step the due times that have a record get no second one."""
    bench = Bench()
    bench.hello()
    bench.put(job(overlap="allow"))
    bench.pass_time(60, steps=3)

    bench.step_wall(-150)
    bench.pass_time(30, steps=5)

    dues = [run.due_us for run in bench.records()]
    assert dues == [START_US + n * MINUTE_US for n in (1, 2, 3)]


@pytest.mark.parametrize(
    ("missed", "fires", "skips"),
    [
        (Missed(), [5], [(1, "missed"), (2, "missed"), (3, "missed"), (4, "missed")]),
        (Missed(policy=MissedPolicy.SKIP), [], [(n, "missed") for n in range(1, 6)]),
        (Missed(policy=MissedPolicy.ALL), [1, 2, 3, 4, 5], []),
        (
            Missed(policy=MissedPolicy.ALL, limit=2),
            [4, 5],
            [(n, "catchup_limit") for n in (1, 2, 3)],
        ),
        (
            Missed(policy=MissedPolicy.ALL, within_s=130.0),
            [4, 5],
            [(n, "missed") for n in (1, 2, 3)],
        ),
        (Missed(within_s=20.0), [], [(n, "missed") for n in range(1, 6)]),
    ],
)
def test_due_times_of_an_absence_follow_the_missed_policy(
    missed: Missed, fires: list[int], skips: list[tuple[int, str]]
) -> None:
    """Five due times passed, the last 30 s ago: each gets the record that the policy says."""
    first_us = START_US + MINUTE_US
    row = JobRow(id=1, job=job(missed=missed), version=1, next_due_us=first_us)

    debt = owed(row, START_US + 5 * MINUTE_US + 30 * SECOND_US)

    assert debt.fires_us == [START_US + n * MINUTE_US for n in fires]
    assert [(s.first_us, s.reason) for s in debt.skips] == [
        (START_US + n * MINUTE_US, reason) for n, reason in skips
    ]
    assert all(skip.dues == 1 and skip.first_us == skip.last_us for skip in debt.skips)
    assert debt.cursor_us == START_US + 6 * MINUTE_US


def test_a_long_absence_is_counted_in_full_and_in_few_records() -> None:
    """Each of 5,000 due times is in exactly one record, and each step looks at a bounded number."""
    row = JobRow(id=1, job=job(schedule=["* * * * * *"]), version=1, next_due_us=START_US)
    now_us = START_US + 4_999 * SECOND_US
    seen, fired, records = 0, 0, 0

    while row.next_due_us is not None and row.next_due_us <= now_us:
        debt = owed(row, now_us)
        looked_at = sum(skip.dues for skip in debt.skips) + len(debt.fires_us)
        assert looked_at <= STEP_DUES_MAX
        seen += looked_at
        fired += len(debt.fires_us)
        records += len(debt.skips)
        row = JobRow(id=1, job=row.job, version=1, next_due_us=debt.cursor_us)

    assert (seen, fired) == (5_000, 1)
    assert records <= 4 * (SINGLE_SKIPS_MAX + 1)


def test_a_paused_job_records_its_due_times_as_paused() -> None:
    """While paused each due time is a skip; after the resumption the next one fires."""
    bench = Bench()
    bench.hello()
    bench.put(job())

    bench.pause()
    bench.pass_time(60, steps=2)
    bench.pause(paused=False)
    bench.pass_time(60)

    assert [(run.state, run.reason) for run in bench.records()] == [
        ("skipped", SkipReason.PAUSED),
        ("skipped", SkipReason.PAUSED),
        ("dispatched", ""),
    ]


def test_the_earliest_of_several_schedules_counts_within_the_life_of_the_job() -> None:
    """Several schedules are merged; nothing is due before `starts_at` or from `expires_at` on."""
    starts_us, expires_us = START_US + 120 * SECOND_US, START_US + 3600 * SECOND_US
    both = job(
        schedule=["30 * * * *", "@every 10m"], starts_at_us=starts_us, expires_at_us=expires_us
    )
    dues = []

    at_us: int | None = START_US - 1
    while at_us is not None and (at_us := next_due_us(both, at_us)) is not None:
        dues.append((at_us - START_US) // MINUTE_US)

    assert dues == [10, 20, 30, 40, 50]


def test_a_disabled_job_is_never_due() -> None:
    """`enabled: false` leaves a job without due times."""
    assert next_due_us(job(enabled=False), START_US) is None


def test_an_edit_that_leaves_the_schedule_alone_keeps_the_phase() -> None:
    """The cursor stays where it is, so no due time is lost or doubled by an edit."""
    bench = Bench()
    bench.put(job())
    bench.pass_time(45)

    before = bench.row().next_due_us
    bench.put(job(description="now described"))

    assert (bench.row().next_due_us, bench.row().version) == (before, 2)


def test_a_job_put_unchanged_keeps_its_version() -> None:
    """Applying the same file again changes nothing."""
    bench = Bench()
    bench.put(job())
    bench.put(job())

    assert [c.action for c in bench.answers[-1].changes] == ["keep"]
    assert bench.row().version == 1


def test_a_removed_job_fires_no_more() -> None:
    """What was on the heap for it is stale."""
    bench = Bench()
    bench.hello()
    bench.put(job())

    bench.remove()
    bench.pass_time(60, steps=3)

    assert bench.records() == []


def test_a_job_saved_twice_before_it_is_due_fires_once() -> None:
    """Two saves with the same cursor leave two entries on the heap, and one run."""
    bench = Bench()
    bench.hello()
    bench.put(job())
    bench.put(job(description="a"))
    bench.put(job(description="b"))

    bench.pass_time(60)

    assert len(bench.records()) == 1
