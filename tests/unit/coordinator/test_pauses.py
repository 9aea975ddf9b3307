"""Maintenance: what a pause lets pass, keeps runs from, and how it ends."""

from __future__ import annotations

import pytest

from tocsin.instants import SECOND_US, to_rfc3339
from tocsin.model import Scope

from .bench import START_US, Bench, job

MINUTE_US = 60 * SECOND_US


def verdicts(bench: Bench, name: str = "backup") -> list[tuple[int, str]]:
    """The minute of each due time, and its skip's reason or `fire`."""
    return [
        ((run.due_us - START_US) // MINUTE_US, run.reason if run.state == "skipped" else "fire")
        for run in bench.records(name)
        if run.due_us is not None
    ]


@pytest.mark.parametrize(
    ("scope", "value", "paused"),
    [
        (Scope.ALL, "", {"db-main", "db-copy", "web"}),
        (Scope.JOB, "db-*", {"db-main", "db-copy"}),
        (Scope.JOB, "db", set()),
        (Scope.LABEL, "team=d?ta", {"db-main", "web"}),
        (Scope.AGENT, "db-*", set()),
        (Scope.TAG, "team=data", set()),
    ],
)
def test_a_pause_lets_due_times_of_its_jobs_pass(
    scope: Scope, value: str, paused: set[str]
) -> None:
    """Jobs of the scope are skipped with the reason, the author and the scope; others fire."""
    bench = Bench()
    bench.hello()
    bench.put(
        job("db-main", labels={"team": "data"}), job("db-copy"), job("web", labels={"team": "data"})
    )

    bench.maintain(scope, value)
    bench.pass_time(60)

    skipped = {name for name in ("db-main", "db-copy", "web")
               if verdicts(bench, name) == [(1, "paused")]}  # fmt: skip
    assert skipped == paused
    for name in skipped:
        facts = bench.records(name)[0].facts
        assert facts["by"] == "ann"
        assert facts["reason"] == "disks"
        assert facts["scope"] == f"{scope} {value}".rstrip()
        assert "until" not in facts


def test_a_pause_concerns_due_times_by_their_own_instant_also_after_downtime() -> None:
    """The coordinator is away over the whole pause: what was due inside is paused, no more."""
    bench = Bench()
    bench.hello()
    bench.put(job(missed={"policy": "all"}))
    bench.pass_time(30)
    bench.maintain(Scope.ALL, for_s=120)

    bench.restart(seconds=270)

    assert verdicts(bench) == [
        (1, "paused"), (2, "paused"), (3, "fire"), (4, "overlap"), (5, "overlap"),
    ]  # fmt: skip
    assert bench.records()[0].facts["until"] == to_rfc3339(START_US + 150 * SECOND_US)


def test_paused_due_times_do_not_count_against_the_limit_of_catch_ups() -> None:
    """Of six due times the three behind the pause are caught up, though the limit is three."""
    bench = Bench()
    bench.hello()
    bench.put(job(missed={"policy": "all", "limit": 3}, overlap="allow"))
    bench.maintain(Scope.ALL, for_s=200)

    bench.restart(seconds=370)

    assert verdicts(bench) == [
        (1, "paused"), (2, "paused"), (3, "paused"), (4, "fire"), (5, "fire"), (6, "fire"),
    ]  # fmt: skip


def test_a_pause_is_kept_until_no_due_time_before_its_end_is_without_a_record() -> None:
    """Ended while a due time waits for its record, it still holds for that one, then is gone."""
    bench = Bench()
    bench.put(job())
    pause_id = bench.maintain(Scope.JOB, "backup")
    bench.wall_us += 70 * SECOND_US  # the coordinator had no time to look

    bench.end_maintenance(pause_id)
    assert bench.pauses[pause_id].until_us == bench.wall_us
    bench.pass_time(0)
    assert verdicts(bench) == [(1, "paused")]
    bench.pass_time(50)

    assert bench.pauses == {}
    assert verdicts(bench) == [(1, "paused"), (2, "fire")]


def test_a_paused_agent_gets_no_runs_until_the_pause_is_over() -> None:
    """Its run goes elsewhere; when its pause is over the machine wakes up by itself and uses it."""
    bench = Bench()
    bench.hello("A", slots=1)
    bench.hello("B", slots=1)
    bench.put(job("one", schedule=[]), job("two", schedule=[]))
    bench.maintain(Scope.AGENT, "a", for_s=100)

    (first,) = bench.request("one")
    (second,) = bench.request("two")
    assert bench.runs[first.id].agent == "b"
    assert bench.runs[second.id].state == "queued"

    assert bench.machine.deadline().wall_us == START_US + 100 * SECOND_US
    bench.pass_time(100)
    assert bench.runs[second.id].agent == "a"
    assert bench.pauses == {}


def test_what_runs_on_a_paused_agent_goes_on() -> None:
    """A pause takes nothing away from its agent."""
    bench = Bench()
    session = bench.hello()
    bench.put(job(schedule=[]))
    (run,) = bench.request("backup")

    bench.maintain(Scope.TAG, "name=a")
    bench.report(session, bench.ended(f"{run.id}.1"))

    assert bench.runs[run.id].state == "succeeded"


def test_a_due_time_is_skipped_at_once_when_all_its_agents_are_paused() -> None:
    """It says so and names the pause; a run that a person asks for waits instead."""
    bench = Bench()
    bench.hello("A", tags={"role": "db"})
    bench.hello("B", tags={"role": "web"})
    bench.put(job(target={"tags": {"role": "db"}}))
    pause_id = bench.maintain(Scope.TAG, "role=db")

    bench.pass_time(60)
    (asked,) = bench.request("backup")

    assert verdicts(bench) == [(1, "paused")]
    record = next(run for run in bench.records() if run.due_us is not None)
    assert record.facts["pause"] == pause_id
    assert asked.state == "queued"


def test_a_job_paused_for_a_while_resumes_by_itself() -> None:
    """At the end of the pause the row says so and by whom, though nothing is due then."""
    bench = Bench()
    bench.hello()
    bench.put(job())
    bench.pause(for_s=90)
    assert bench.row().paused_by == "ann"

    bench.pass_time(60)
    assert bench.machine.deadline().wall_us == START_US + 90 * SECOND_US
    bench.pass_time(30)

    row = bench.row()
    assert (row.paused, row.pause_reason, row.pause_until_us) == (False, "", None)
    assert (row.paused_by, row.changed_by) == ("", "tocsin")
    bench.pass_time(30)
    assert verdicts(bench) == [(1, "paused"), (2, "fire")]


@pytest.mark.parametrize("schedule", ["* * * * *", "@hourly"])
def test_a_job_resumes_by_itself_also_while_the_coordinator_is_away(schedule: str) -> None:
    """Due times on both sides of the end are decided right, each by its own instant."""
    bench = Bench()
    bench.hello()
    bench.put(job(schedule=[schedule], missed={"policy": "all"}, overlap="allow"))
    bench.pause(for_s=120)

    bench.restart(seconds=200)

    assert not bench.row().paused
    wanted = [(1, "paused"), (2, "fire"), (3, "fire")] if schedule != "@hourly" else []
    assert verdicts(bench) == wanted


def test_a_long_pause_that_ended_in_downtime_is_decided_step_by_step() -> None:
    """More due times than one step looks at: the job stays paused until the last of them."""
    bench = Bench()
    bench.hello()
    bench.put(job(schedule=["* * * * * *"]))
    bench.pause(for_s=3000)

    bench.restart(seconds=3500)
    for _ in range(3):
        bench.pass_time(0)

    paused = [run for run in bench.records() if run.reason == "paused"]
    assert sum(run.dues for run in paused) == 2999
    assert max(run.due_last_us or 0 for run in paused) == START_US + 2999 * SECOND_US
    assert not bench.row().paused


def test_a_pause_that_ends_when_the_next_due_time_is_serves_it_once() -> None:
    """The end of the pause and the due time are the same instant: one record, and it fires."""
    bench = Bench()
    bench.hello()
    bench.put(job(overlap="allow"))
    bench.pause(for_s=60)

    bench.pass_time(61)

    assert verdicts(bench) == [(1, "fire")]
    assert not bench.row().paused


def test_pauses_survive_a_restart() -> None:
    """The next coordinator lets the same due times pass, and keeps runs from the same agents."""
    bench = Bench()
    bench.put(job(), job("asked", schedule=[]))
    bench.maintain(Scope.JOB, "backup")
    bench.maintain(Scope.AGENT, "*")

    bench.restart()
    bench.hello()
    (run,) = bench.request("asked")
    bench.pass_time(60)

    assert verdicts(bench) == [(1, "paused")]
    assert bench.runs[run.id].state == "queued"


def test_an_agent_that_is_expected_back_is_waited_for() -> None:
    """After a restart the paused agent is back first: the due time waits for the other one."""
    bench = Bench()
    bench.hello("A")
    bench.hello("B")
    bench.put(job())
    bench.maintain(Scope.AGENT, "a")
    bench.restart(seconds=55)
    bench.hello("A")

    bench.pass_time(5)
    assert [run.state for run in bench.records()] == ["queued"]
    bench.hello("B")

    assert [run.agent for run in bench.records()] == ["b"]
