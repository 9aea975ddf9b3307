"""A backup that is restored: what may have been done since it was made is not done again."""

from __future__ import annotations

from typing import Any

import pytest

from tocsin.coordinator.machine.commands import LeaveAttempts
from tocsin.execution import Status
from tocsin.instants import SECOND_US, to_rfc3339
from tocsin.messages.agent_link import Cancel, Resume, Welcome
from tocsin.model import Dependency, DependencyOn, OnLost, Run, RunState, Target

from .bench import START_US, Bench, job

HOUR_S = 3600.0


def started(*jobs: Any) -> tuple[Bench, str]:
    """A coordinator with an agent, and the agent's session."""
    bench = Bench()
    session = bench.hello()
    bench.put(*jobs)
    return bench, session


def one(bench: Bench, name: str = "backup") -> Run:
    """The only run of a job."""
    (run,) = bench.records(name)
    return run


def began(bench: Bench, session: str, name: str = "backup") -> Run:
    """A run that an agent says is under way."""
    (run,) = bench.request(name)
    bench.report(session, bench.running(f"{run.id}.1"))
    return bench.runs[run.id]


def resumed(bench: Bench) -> list[Resume]:
    """What an agent was told last of the attempts that it holds."""
    welcomes: list[Welcome] = bench.told(Welcome)
    return welcomes[-1].resume


def test_due_times_of_the_span_are_skips_that_say_so() -> None:
    """So may have run then; what is due later runs."""
    bench, _ = started(job())

    bench.put_back(150)
    bench.hello()
    bench.pass_time(60)

    first, second, third = bench.records()
    assert [run.reason for run in (first, second)] == ["restored", "restored"]
    assert first.facts["incident"] == "restore"
    assert first.facts["because"] == (
        "a backup was restored: what was done 00:00:00-00:02:30 UTC is not known"
    )
    assert (third.state, third.due_us) == ("dispatched", START_US + 180 * SECOND_US)
    assert [it.kind for it in bench.machine.incidents(5)] == ["restore"]


def test_due_times_of_the_span_can_be_left_to_their_policy() -> None:
    """As after any other absence."""
    bench, _ = started(job(missed={"policy": "all"}, overlap="allow"))

    bench.put_back(150, missed=True)

    assert [run.state for run in bench.records()] == ["queued", "queued"]


@pytest.mark.parametrize("overlap", ["skip", "queue", "allow", "replace"])
def test_runs_that_waited_may_have_been_given_out(overlap: str) -> None:
    """They are lost, nothing is tried again, and their job goes on with its next due time."""
    bench = Bench()
    bench.put(job(overlap=overlap, on_lost="retry"))
    bench.pass_time(60)

    bench.put_back(30)
    bench.hello()

    lost = one(bench)
    assert (lost.state, lost.facts) == ("lost", {"restored": to_rfc3339(START_US + 90 * SECOND_US)})
    assert lost.reason == (
        "restored from a backup of 2026-01-01T00:01:00.000000Z: whether it ran is not known"
    )
    assert bench.orders() == []
    bench.pass_time(30)
    assert bench.records()[-1].state == "dispatched"


@pytest.mark.parametrize(("delay_s", "state"), [(30.0, "lost"), (300.0, "queued")])
def test_a_retry_that_was_to_wait_for_longer_is_not_lost(delay_s: float, state: str) -> None:
    """It cannot have been given out before the restore."""
    bench, session = started(job(schedule=[], retry={"limit": 1, "delay": delay_s}))
    run = began(bench, session)
    bench.report(session, bench.ended(f"{run.id}.1", Status.FAILED, 1))
    assert bench.runs[run.id].state == "queued"

    bench.put_back(60)
    bench.hello()

    assert bench.runs[run.id].state == state
    bench.pass_time(300)
    assert [order.key for order in bench.orders()] == ([f"{run.id}.2"] if state == "queued" else [])


def test_an_attempt_under_way_comes_right_by_itself() -> None:
    """Its agent still has it; until that is heard, it holds its job's place."""
    bench, session = started(job(schedule=[]))
    run = began(bench, session)

    bench.put_back(60)
    assert bench.runs[run.id].state == "running"
    (second,) = bench.request("backup")
    session = bench.hello(attempts=[bench.running(f"{run.id}.1")])
    assert bench.runs[second.id].state == "queued"
    bench.report(session, bench.ended(f"{run.id}.1"))

    assert bench.runs[run.id].state == "succeeded"
    assert bench.runs[second.id].state == "dispatched"
    assert not bench.told(Cancel)


def test_an_attempt_that_its_agent_does_not_have_any_more_is_lost() -> None:
    """Its end went to the coordinator before; nothing is tried again, whatever its job says."""
    bench, session = started(job(schedule=[], on_lost="retry", retry={"limit": 3}))
    run = began(bench, session)

    bench.put_back(60)
    bench.hello()

    lost = bench.runs[run.id]
    assert (lost.state, lost.attempt) == ("lost", 1)
    assert lost.reason.endswith("how it ended is not known")


def test_an_order_that_may_have_arrived_is_not_given_again() -> None:
    """The agent does not know it: it never came, or its end was kept and forgotten."""
    bench, _ = started(job(schedule=[]))
    (run,) = bench.request("backup")

    bench.put_back(60)
    bench.hello()

    assert bench.runs[run.id].state == "lost"
    assert bench.orders() == []


def test_a_loss_by_a_restore_is_no_end_for_the_jobs_that_come_after() -> None:
    """The real end may have let them go before; the next one does."""
    after = [Dependency(job="first", on=DependencyOn.ANY)]
    bench, session = started(job("first", schedule=[]), job("second", schedule=[], after=after))
    run = began(bench, session, "first")

    bench.put_back(60)
    session = bench.hello()
    assert bench.runs[run.id].state == "lost"
    assert bench.records("second") == []

    (again,) = bench.request("first")
    bench.report(session, bench.ended(f"{again.id}.1"))
    assert [it.state for it in bench.records("second")] == ["dispatched"]


def test_a_run_that_was_lost_and_comes_back_ends_once_for_the_jobs_after() -> None:
    """Nobody was told of the loss, so its end counts as any other."""
    after = [Dependency(job="first", on=DependencyOn.ANY)]
    bench, session = started(job("first", schedule=[]), job("second", schedule=[], after=after))
    run = began(bench, session, "first")
    bench.put_back(60)
    bench.pass_time(700, steps=2)
    assert bench.runs[run.id].state == "lost"

    session = bench.hello(attempts=[bench.running(f"{run.id}.1")])
    bench.report(session, bench.ended(f"{run.id}.1"))

    assert bench.runs[run.id].state == "succeeded"
    assert bench.runs[run.id].facts == {}
    assert [it.cause for it in bench.records("second")] == [run.id]


@pytest.mark.parametrize(("missed", "fires"), [(False, 0), (True, 1)])
def test_ends_that_held_may_have_been_used_up(*, missed: bool, fires: int) -> None:
    """A job that comes after two has to wait for both again, unless all is left to policies."""
    after = [Dependency(job="first"), Dependency(job="other")]
    bench, session = started(
        job("first", schedule=[]), job("other", schedule=[]), job("last", schedule=[], after=after)
    )
    (run,) = bench.request("first")
    bench.report(session, bench.ended(f"{run.id}.1"))

    bench.put_back(60, missed=missed)
    session = bench.hello()
    (run,) = bench.request("other")
    bench.report(session, bench.ended(f"{run.id}.1"))

    assert len(bench.records("last")) == fires


def test_a_due_time_that_waited_for_another_job_is_not_held_for_ever() -> None:
    """It is lost, and the next one waits in its place."""
    after = [Dependency(job="first")]
    bench, _ = started(job("first", schedule=[]), job("second", after=after))
    bench.pass_time(60)
    assert one(bench, "second").reason == "dependency"

    bench.put_back(30)
    session = bench.hello()
    bench.pass_time(30)
    (run,) = bench.request("first")
    bench.report(session, bench.ended(f"{run.id}.1"))

    assert [it.state for it in bench.records("second")] == ["lost", "dispatched"]


def test_a_fire_that_went_from_host_to_host_comes_to_its_end() -> None:
    """Members that waited are lost, and the one under way goes on."""
    target = Target(agents="all", max_parallel=1)
    bench = Bench()
    sessions = {agent: bench.hello(agent) for agent in ("A", "B", "C")}
    bench.put(job(schedule=[], target=target, overlap="skip"))
    members = bench.request("backup")
    bench.report(sessions["A"], bench.running(f"{members[0].id}.1"))

    bench.put_back(60)
    session = bench.hello("A", attempts=[bench.running(f"{members[0].id}.1")])
    bench.hello("B")
    bench.hello("C")
    bench.report(session, bench.ended(f"{members[0].id}.1"))

    states = [bench.runs[it.id].state for it in members]
    assert states == ["succeeded", "lost", "lost"]
    again = bench.request("backup")
    assert [it.state for it in again] == ["dispatched", "queued", "queued"]


def test_a_queued_run_that_was_given_out_after_the_backup_is_taken_up() -> None:
    """Its agent brings it."""
    bench = Bench()
    bench.put(job(schedule=[]))
    (run,) = bench.request("backup")
    bench.put_back(60)
    assert bench.runs[run.id].state == "lost"

    session = bench.hello(attempts=[bench.running(f"{run.id}.1")])
    taken = bench.runs[run.id]
    assert (taken.state, taken.agent, taken.facts) == ("running", "a", {})
    bench.report(session, bench.ended(f"{run.id}.1"))

    assert bench.runs[run.id].state == "succeeded"
    assert not bench.told(Cancel)


@pytest.mark.parametrize("first", ["A", "B"])
def test_a_later_attempt_of_a_run_is_taken_up(first: str) -> None:
    """The first one had ended, and another agent was given the second."""
    bench, session = started(job(schedule=[], retry={"limit": 3}))
    run = began(bench, session)

    bench.put_back(60)
    sessions = {}
    for agent in (first, "B" if first == "A" else "A"):
        held = [bench.running(f"{run.id}.2")] if agent == "B" else []
        sessions[agent] = bench.hello(agent, attempts=held)

    taken = bench.runs[run.id]
    assert (taken.state, taken.attempt, taken.agent_id) == ("running", 2, "B")
    bench.report(sessions["B"], bench.ended(f"{run.id}.2"), agent_id="B")
    assert bench.runs[run.id].state == "succeeded"
    assert not bench.told(Cancel, "B")


def test_an_attempt_of_a_run_that_nobody_knows_is_left_alone() -> None:
    """It was given out after the backup: it ends by itself, and is told of once."""
    bench, _ = started(job(schedule=[]))
    unknown = f"{'0' * 24}ZZ.1"
    bench.put_back(60)

    bench.hello(attempts=[bench.running(unknown)])
    assert [(it.key, it.forget) for it in resumed(bench)] == [(unknown, False)]
    assert not bench.told(Cancel)
    again = bench.machine.handle(bench.last_hello, bench.now)
    assert not [it for it in again if isinstance(it, LeaveAttempts)]

    bench.hello(attempts=[bench.ended(unknown)])
    assert [(it.key, it.forget) for it in resumed(bench)] == [(unknown, True)]


def test_an_attempt_of_a_run_made_after_the_restore_is_stopped() -> None:
    """An old coordinator goes on although it must not."""
    bench, _ = started(job(schedule=[]))
    bench.put_back(60)

    bench.hello(attempts=[bench.running(f"7ZZZZZZZZZ{'0' * 16}.1")])

    assert [it.keys for it in bench.told(Cancel)] == [[f"7ZZZZZZZZZ{'0' * 16}.1"]]


def test_a_loss_after_the_restore_is_as_ever() -> None:
    """What is given out by the new coordinator follows its job's policies."""
    bench, _ = started(job(schedule=[], on_lost=OnLost.RETRY.value))
    bench.put_back(60)
    bench.hello()
    bench.pass_time(1)
    (run,) = bench.request("backup")

    bench.hello(spool="another")

    assert bench.runs[run.id].attempt == 2


def test_a_store_that_was_handed_over_goes_on_where_it_was() -> None:
    """Nothing can have run since: what waited is given out, and policies decide on due times."""
    bench = Bench()
    bench.put(job(missed={"policy": "latest"}, overlap="allow"))
    (asked,) = bench.request("backup")

    bench.put_back(HOUR_S, handed_over=True)
    session = bench.hello()

    assert bench.runs[asked.id].state == "dispatched"
    fires = [it for it in bench.records() if it.due_us is not None]
    assert {it.reason for it in fires} == {"missed", ""}
    assert fires[-1].state == "dispatched"
    assert session
    assert bench.restore is not None
    assert bench.restore.settled


def test_it_is_decided_once() -> None:
    """A later start of the coordinator loses nothing more."""
    bench, _ = started(job(schedule=[]))
    bench.put_back(60)
    bench.pass_time(1)
    (run,) = bench.request("backup")
    bench.hello(slots=1)

    bench.restart(5)
    bench.hello()

    assert bench.runs[run.id].state == "dispatched"
    assert bench.orders()
    assert bench.told(Welcome)[-1].epoch == 3
    assert RunState.LOST not in {it.state for it in bench.runs.values()}
