"""Things that happen at a bad moment: late, twice, before the tick, after a step of the clock.

Each was first met by the simulator, tests/sim.
"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tocsin.coordinator.machine.events import JobsPut
from tocsin.coordinator.machine.state import Policy
from tocsin.execution import Status
from tocsin.instants import SECOND_US
from tocsin.messages.agent_link import Welcome
from tocsin.model import Retry

from .bench import ASKER, START_US, Bench, job


@pytest.mark.parametrize("change", ["put", "pause", "remove"])
def test_what_was_due_before_a_change_is_recorded_before_it(change: str) -> None:
    """A request may be heard before the tick of a due time that has passed."""
    bench = Bench()
    bench.put(job())
    bench.wall_us += 61 * SECOND_US
    bench.steady_us += 61 * SECOND_US

    match change:
        case "put":
            bench.put(job(schedule=["@every 7s"]))
        case "pause":
            bench.pause()
        case _:
            bench.remove()

    (run,) = bench.records()
    assert (run.due_us, run.reason) != (START_US + 60 * SECOND_US, "paused")
    assert run.due_us == START_US + 60 * SECOND_US


def test_what_was_due_during_a_pause_is_not_fired_by_its_end() -> None:
    """Due times of the pause are recorded as such, though nobody ticked before the resumption."""
    bench = Bench()
    bench.put(job())
    bench.pause()
    bench.wall_us += 61 * SECOND_US

    bench.pause(paused=False)

    assert [run.reason for run in bench.records()] == ["paused"]


def test_a_changed_schedule_repeats_no_due_time_when_the_clock_was_set_back() -> None:
    """The new schedule begins behind the last due time that has a record."""
    bench = Bench()
    bench.put(job(schedule=["@every 10s"]))
    bench.pass_time(10, steps=3)
    last_us = max(run.due_us or 0 for run in bench.records())
    bench.step_wall(-25)

    row = replace(bench.row(), last_due_us=last_us)
    bench.feed(JobsPut(ASKER, "ann", [(job(schedule=["@every 5s"]), row)]))

    assert bench.row().next_due_us == last_us + 5 * SECOND_US


def test_what_waits_of_a_removed_job_is_cancelled() -> None:
    """Nothing of a job is sent out once its removal is acknowledged; the record says why."""
    bench = Bench()
    bench.put(job(schedule=[]))
    (run,) = bench.request("backup")

    bench.remove()
    bench.hello()

    assert bench.orders() == []
    assert bench.runs[run.id].state == "cancelled"
    assert bench.runs[run.id].reason == "its job was removed by ann"


def test_a_hello_that_comes_twice_loses_nothing() -> None:
    """It lists the attempts of before: what was dispatched since is not missing."""
    bench = Bench()
    bench.hello()
    said = bench.last_hello
    bench.put(job(schedule=[]))
    (run,) = bench.request("backup")
    bench.kill(run.id)

    bench.feed(said)

    assert bench.runs[run.id].state == "dispatched"
    assert len(bench.told(Welcome)) == 1


def test_a_hello_from_a_memory_that_was_given_up_loses_nothing() -> None:
    """A hello may have been under way since before the agent's memory was lost."""
    bench = Bench()
    bench.hello(spool="old")
    said = bench.last_hello
    bench.hello(spool="new")
    bench.put(job(schedule=[]))
    (run,) = bench.request("backup")

    bench.feed(said)

    assert bench.runs[run.id].state == "dispatched"


def test_an_agent_that_was_put_back_to_an_earlier_day_is_heard_after_a_silence() -> None:
    """Its hellos count from an earlier number; that keeps it out only while a session stands."""
    bench = Bench(Policy(agent_silence_s=10.0))
    bench.hello()
    said = bench.last_hello
    bench.hello()
    bench.feed(said)
    assert len(bench.told(Welcome)) == 2

    bench.pass_time(11)
    bench.feed(said)

    assert len(bench.told(Welcome)) == 3


def test_waiting_runs_wait_after_a_restart_though_the_clock_was_set_back() -> None:
    """The run under way holds its job's place, however the ones behind it are ordered."""
    bench = Bench()
    session = bench.hello()
    bench.put(job(schedule=[], overlap="queue"))
    (first,) = bench.request("backup")
    bench.report(session, bench.running(f"{first.id}.1"))
    bench.step_wall(-3600)
    (second,) = bench.request("backup")

    bench.restart()
    bench.hello(attempts=[bench.running(f"{first.id}.1")])

    assert [order.key for order in bench.orders()] == [f"{first.id}.1"]
    assert bench.runs[second.id].state == "queued"


def test_a_retry_waits_its_delay_on_a_clock_that_does_not_step() -> None:
    """A wall clock that is set back by a day does not put off a retry by a day."""
    bench = Bench()
    session = bench.hello()
    bench.put(job(schedule=[], retry=Retry(limit=1, delay_s=10)))
    (run,) = bench.request("backup")
    bench.report(session, bench.ended(f"{run.id}.1", Status.FAILED, 1))
    bench.step_wall(-86_400)

    bench.pass_time(10)

    assert [order.key for order in bench.orders()] == [f"{run.id}.1", f"{run.id}.2"]


def test_a_retry_that_no_agent_can_take_is_no_skip() -> None:
    """A run that was attempted ends as refused, and says of what it is a retry."""
    bench = Bench(Policy(agent_silence_s=1e6, unplaced_s=30.0))
    session = bench.hello(slots=1)
    bench.put(job(schedule=[], retry=Retry(limit=1, delay_s=0)), job("hog", schedule=[]))
    (run,) = bench.request("backup")
    bench.request("hog")
    bench.report(session, bench.ended(f"{run.id}.1", Status.FAILED, 7))

    bench.pass_time(1, steps=31)

    ended = bench.runs[run.id]
    assert (ended.state, ended.attempt) == ("refused", 2)
    assert ended.reason == "no agent could take attempt 2, a retry after: exit code 7"
