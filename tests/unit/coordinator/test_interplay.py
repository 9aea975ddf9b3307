"""Policies that meet: what one of them decides holds when another one, or a restart, comes in."""

from __future__ import annotations

import pytest

from tocsin.coordinator.machine.events import AgentBye, AgentsRevoked
from tocsin.coordinator.machine.state import Policy
from tocsin.execution import Status
from tocsin.instants import SECOND_US
from tocsin.model import Dependency, Run, Target
from tocsin.schedule.spread import spread_us

from .bench import ASKER, START_US, Bench, job

MINUTE_US = 60 * SECOND_US
POLICY = Policy(rejoin_s=30, agent_silence_s=1e6)


def given_us(runs: list[Run]) -> list[int | None]:
    """When each run was given to its agent."""
    return [run.dispatched_us for run in runs]


@pytest.mark.parametrize("restart", [False, True])
def test_jitter_moves_a_roll_out_as_a_whole(*, restart: bool) -> None:
    """The first host begins later, and the others keep their distance from each other."""
    bench = Bench(POLICY)
    for name in "ABC":
        bench.hello(name)
    bench.put(job(jitter_s=50, target=Target(agents="all", stagger_s=10)))
    later_us = spread_us("backup", 50 * SECOND_US)
    bench.pass_time(60)
    if restart:
        bench.restart()
        for name in "ABC":
            bench.hello(name)
    assert {run.not_before_us for run in bench.records()} == {START_US + MINUTE_US + later_us}

    bench.pass_time(later_us / SECOND_US)
    bench.pass_time(10, steps=2)

    first_us = START_US + MINUTE_US + later_us
    assert given_us(bench.records()[:3]) == [first_us + n * 10 * SECOND_US for n in range(3)]


@pytest.mark.parametrize("restart", [False, True])
def test_a_due_time_that_waited_for_another_job_keeps_its_jitter(*, restart: bool) -> None:
    """What it waits for may end before, also when the coordinator began anew meanwhile."""
    bench = Bench(POLICY)
    session = bench.hello()
    bench.put(
        job("up", schedule=[]),
        job(schedule=["0 * * * *"], jitter_s=600, after=[Dependency(job="up")]),
    )
    bench.pass_time(3600)
    if restart:
        bench.restart(1)
        session = bench.hello()

    (run,) = bench.request("up")
    bench.report(session, bench.ended(f"{run.id}.1"))
    assert [run.state for run in bench.records()] == ["queued"]
    due_us = START_US + 60 * MINUTE_US + spread_us("backup", 600 * SECOND_US)
    bench.pass_time((due_us - bench.wall_us) / SECOND_US)

    assert given_us(bench.records()) == [due_us]


def test_a_host_that_does_not_come_back_after_a_restart_is_said_to_be_down_since_then() -> None:
    """Its run waited for it as long as it was expected."""
    bench = Bench(POLICY)
    bench.hello()
    bench.put(job(target=Target(agents="all")))
    bench.restart(60)

    bench.pass_time(30)

    (run,) = bench.records()
    assert run.reason == "no_agent"
    assert run.facts == {"because": "host a is down since 2026-01-01T00:01:00.000000Z"}


def test_a_request_that_is_skipped_names_who_asked() -> None:
    """As one that is not."""
    bench = Bench(POLICY)
    bench.hello()
    bench.put(job(schedule=[], overlap="queue", queue_limit=1))

    runs = [run for _ in range(3) for run in bench.request("backup")]

    assert [run.state for run in runs] == ["dispatched", "queued", "skipped"]
    assert {run.requested_by for run in runs} == {"ann"}


def test_a_retry_that_waits_for_a_run_that_was_found_again_does_not_hold_up_its_own_roll_out() -> (
    None
):
    """When that run is over the retry goes, although another host still waits for its turn."""
    bench = Bench(Policy(rejoin_s=5, agent_silence_s=1e6, lost_after_s=60))
    open_ = {name: bench.hello(name) for name in "ABC"}
    target = Target(agents="all", max_parallel=1)
    bench.put(job(schedule=[], target=target, retry={"limit": 1, "delay": 0}))
    found, *others = bench.request("backup")
    bench.feed(AgentBye("A", open_["A"], final=True))
    bench.pass_time(60)
    for run, name in zip(others, "BC", strict=True):
        bench.report(open_[name], bench.ended(f"{run.id}.1"), agent_id=name)
    _, failing, last = bench.request("backup")
    open_["A"] = bench.hello("A", attempts=[bench.running(f"{found.id}.1")])

    bench.report(open_["B"], bench.ended(f"{failing.id}.1", Status.FAILED, 1), agent_id="B")
    bench.pass_time(1)
    assert bench.runs[failing.id].state == "queued"
    bench.report(open_["A"], bench.ended(f"{found.id}.1"))
    assert bench.runs[failing.id].state == "dispatched"
    bench.report(open_["B"], bench.ended(f"{failing.id}.2"), agent_id="B")

    assert bench.runs[last.id].state == "dispatched"


@pytest.mark.parametrize("lost_now", [False, True])
def test_what_a_revoked_host_alone_was_to_do_is_lost_and_not_tried_again(*, lost_now: bool) -> None:
    """Nobody can know how it ended, and there will be no host for another attempt."""
    bench = Bench(Policy(rejoin_s=5, agent_silence_s=1e6, lost_after_s=60))
    bench.hello()
    bench.put(job(schedule=[], target=Target(agents="all"), on_lost="retry"))
    (run,) = bench.request("backup")

    bench.feed(AgentsRevoked(ASKER, "ann", ["A"], "stolen", lost_now))
    bench.pass_time(60)

    assert bench.runs[run.id].state == "lost"
