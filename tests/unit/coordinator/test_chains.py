"""One job after another, jobs that are removed when they have succeeded, and parameters."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from tocsin.coordinator.machine.state import Policy
from tocsin.execution import Status
from tocsin.model import Run, RunState, Target

from .bench import Bench, job


def after(*names: str, on: str = "success") -> list[dict[str, str]]:
    """What a job comes after."""
    return [{"job": name, "on": on} for name in names]


class Line(Bench):
    """A bench with one agent that runs everything."""

    def __init__(self, policy: Policy | None = None, *, slots: int = 50) -> None:
        super().__init__(policy)
        self.session = self.hello(slots=slots)

    def end(self, run: Run, status: Status = Status.SUCCEEDED) -> None:
        """Have a run end."""
        code = 0 if status is Status.SUCCEEDED else 1
        agent_id = self.runs[run.id].agent_id
        session = next(s.id for s in self.machine.sessions() if s.agent.id == agent_id)
        said = self.ended(f"{run.id}.{run.attempt}", status, code)
        self.report(session, said, agent_id=agent_id)

    def fire(self, name: str, status: Status = Status.SUCCEEDED) -> Run:
        """Run a job by hand, to its end."""
        (run,) = self.request(name)
        self.end(run, status)
        return self.runs[run.id]

    def states(self, name: str) -> list[str]:
        """Every record of a job: its state, with the reason of a skip."""
        return [
            f"{run.state}/{run.reason}" if run.state is RunState.SKIPPED else str(run.state)
            for run in self.records(name)
        ]


@pytest.mark.parametrize(
    ("on", "status", "fires"),
    [
        ("success", Status.SUCCEEDED, True),
        ("success", Status.FAILED, False),
        ("success", Status.TIMED_OUT, False),
        ("failure", Status.SUCCEEDED, False),
        ("failure", Status.FAILED, True),
        ("failure", Status.LOST, True),
        ("any", Status.SUCCEEDED, True),
        ("any", Status.CANCELLED, True),
    ],
)
def test_a_job_fires_when_another_ends_as_it_asks(on: str, status: Status, *, fires: bool) -> None:
    """Its run says by which fire it began."""
    bench = Line()
    bench.put(job("dump", schedule=[]), job("copy", schedule=[], after=after("dump", on=on)))

    ended = bench.fire("dump", status)

    records = bench.records("copy")
    assert [(run.trigger, run.cause, run.state) for run in records] == (
        [("after", ended.group, "dispatched")] if fires else []
    )


def test_a_retry_is_no_end() -> None:
    """A fire has failed when nothing of it is tried again."""
    bench = Line()
    bench.put(
        job("dump", schedule=[], retry={"limit": 1, "delay": 0}),
        job("alarm", schedule=[], after=after("dump", on="failure")),
    )
    (run,) = bench.request("dump")
    bench.end(run, Status.FAILED)
    bench.pass_time(0)
    assert bench.records("alarm") == []

    bench.end(bench.runs[run.id], Status.FAILED)

    assert bench.states("alarm") == ["dispatched"]


def test_all_must_hold_and_are_taken_back_by_the_fire() -> None:
    """The second end fires; then both are needed again."""
    bench = Line()
    bench.put(
        job("a", schedule=[]), job("b", schedule=[]), job("c", schedule=[], after=after("a", "b"))
    )
    bench.fire("a")
    bench.fire("a")
    assert bench.records("c") == []
    last = bench.fire("b")
    (run,) = bench.records("c")
    assert run.cause == last.group
    bench.end(run)

    bench.fire("b")
    assert len(bench.records("c")) == 1
    bench.fire("a")

    assert len(bench.records("c")) == 2


def test_a_later_failure_takes_back_an_earlier_success() -> None:
    """What counts is how each of them ended last."""
    bench = Line()
    bench.put(
        job("a", schedule=[]), job("b", schedule=[]), job("c", schedule=[], after=after("a", "b"))
    )
    bench.fire("a")
    bench.fire("a", Status.FAILED)
    bench.fire("b")
    assert bench.records("c") == []

    bench.fire("a")

    assert bench.states("c") == ["dispatched"]


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("failed", [False, True])
def test_a_fire_on_several_agents_ends_with_its_last_run(*, failed: bool, restart: bool) -> None:
    """It has succeeded when each of its runs has, whoever was there when the first one ended."""
    bench = Line()
    bench.hello("B")
    bench.put(
        job("a", schedule=[], target=Target(agents="all")),
        job("c", schedule=[], after=after("a")),
        job("alarm", schedule=[], after=after("a", on="failure")),
    )
    first, second = bench.request("a")
    bench.end(first, Status.FAILED if failed else Status.SUCCEEDED)
    assert bench.records("c") == bench.records("alarm") == []
    if restart:
        bench.restart()
        for agent_id in "AB":
            bench.hello(agent_id, attempts=[bench.running(f"{second.id}.1")])

    bench.end(bench.runs[second.id])

    assert len(bench.records("c")) == (not failed)
    assert len(bench.records("alarm")) == failed


def test_a_skip_is_no_end() -> None:
    """Neither success nor failure: nobody is fired by it."""
    bench = Bench(Policy(unplaced_s=30.0, agent_silence_s=1e6))
    bench.put(job("a"), job("c", schedule=[], after=after("a", on="any")))
    bench.pause("a")
    bench.pass_time(60)
    bench.pause("a", paused=False)
    bench.request("a")

    bench.pass_time(31)

    assert {run.reason for run in bench.records("a")} == {"paused", "no_agent"}
    assert bench.records("c") == []


def test_hosts_that_were_skipped_are_left_out_of_a_fires_end() -> None:
    """What ran has succeeded, so the fire has."""
    bench = Line(Policy(unplaced_s=30.0, agent_silence_s=1e6))
    bench.hello("B", slots=1)
    bench.put(
        job("busy", schedule=[], target=Target(tags={"name": "b"})),
        job("a", schedule=[], target=Target(agents="all")),
        job("c", schedule=[], after=after("a")),
    )
    bench.request("busy")
    first, _ = bench.request("a")
    bench.end(first)

    bench.pass_time(31)

    assert bench.states("a") == ["succeeded", "skipped/no_agent"]
    assert bench.states("c") == ["dispatched"]


def test_a_due_time_waits_until_the_job_before_it_has_ended() -> None:
    """It has its record from the start, which a restart keeps waiting; then it runs."""
    bench = Line()
    bench.put(job("dump", schedule=[]), job("copy", after=after("dump")))
    bench.pass_time(60)
    (run,) = bench.records("copy")
    assert (run.state, run.reason, run.due_us) == ("queued", "dependency", bench.wall_us)
    bench.restart()
    bench.session = bench.hello()
    assert bench.orders() == []

    ended = bench.fire("dump")

    (run,) = bench.records("copy")
    assert (run.state, run.reason, run.cause) == ("dispatched", "", ended.group)
    assert not any(condition.held_by for condition in bench.conditions.values())


def test_a_due_time_uses_what_held_already() -> None:
    """The end may come first; the next due time needs another one."""
    bench = Line()
    bench.put(job("dump", schedule=[]), job("copy", after=after("dump")))
    ended = bench.fire("dump")
    bench.restart()
    bench.session = bench.hello()
    bench.pass_time(60)
    (run,) = bench.records("copy")
    assert (run.state, run.cause) == ("dispatched", ended.group)
    bench.end(run)

    bench.pass_time(60)

    assert [run.reason for run in bench.records("copy")] == ["", "dependency"]


def test_a_due_time_that_waits_in_vain_becomes_a_skip_that_says_for_what() -> None:
    """At the next due time, with the last that was heard of what was missing."""
    bench = Line()
    bench.put(
        job("dump", schedule=[]), job("copy", after=after("dump")), job("b", after=after("copy"))
    )
    bench.fire("dump")
    bench.pass_time(60)
    bench.end(bench.records("copy")[0])
    bench.fire("dump", Status.FAILED)
    bench.pass_time(60, steps=2)

    first, second, third = bench.records("copy")
    assert [run.state for run in (first, second, third)] == ["succeeded", "skipped", "queued"]
    assert (second.reason, second.facts) == (
        "dependency",
        {
            "because": (
                "dump has not succeeded since 2026-01-01T00:00:00.000000Z; "
                "its last run failed at 2026-01-01T00:01:00.000000Z"
            ),
            "missing": "dump",
        },
    )
    assert bench.records("b")[0].due_us == first.due_us


def test_a_last_due_time_waits_for_a_day() -> None:
    """Nothing comes behind it that could end its waiting."""
    bench = Line()
    bench.put(
        job("dump", schedule=[]),
        job("copy", schedule=["@at 2026-01-01T01:00:00Z"], after=after("dump")),
    )
    bench.pass_time(3600)
    bench.restart(12 * 3600)
    bench.pass_time(12 * 3600 - 1)
    assert bench.states("copy") == ["queued"]

    bench.pass_time(1)

    assert bench.states("copy") == ["skipped/dependency"]
    assert bench.records("copy")[0].facts["because"] == "dump has not ended"


def test_of_several_missed_due_times_the_last_one_waits() -> None:
    """Each is over with the next: none is without a record, and one run follows."""
    bench = Line()
    bench.put(job("dump", schedule=[]), job("copy", after=after("dump"), missed={"policy": "all"}))
    bench.pass_time(180)
    assert bench.states("copy") == ["skipped/dependency", "skipped/dependency", "queued"]

    bench.fire("dump")

    assert bench.states("copy")[-1] == "dispatched"


def test_a_request_ignores_what_a_job_comes_after() -> None:
    """It runs at once, beside a due time that waits, and takes nothing from it."""
    bench = Line()
    bench.put(job("dump", schedule=[]), job("copy", after=after("dump")))
    bench.pass_time(60)
    asked = bench.fire("copy")
    assert asked.state == "succeeded"
    assert bench.states("copy").count("queued") == 1

    bench.fire("dump")

    assert sorted(bench.states("copy")) == ["dispatched", "succeeded"]


@pytest.mark.parametrize(
    ("overlap", "states"),
    [
        ("skip", ["dispatched", "skipped/overlap"]),
        ("queue", ["dispatched", "queued"]),
        ("allow", ["dispatched", "dispatched"]),
    ],
)
@pytest.mark.parametrize("schedule", [[], ["* * * * *"]])
def test_overlap_holds_for_what_is_fired_by_an_end(
    overlap: str, states: list[str], schedule: list[str]
) -> None:
    """An earlier run that goes on decides, by the job's policy."""
    bench = Line()
    bench.put(
        job("a", schedule=[]),
        job("c", schedule=schedule, after=after("a"), overlap=overlap),
    )
    if schedule:
        bench.pass_time(60)
    else:
        bench.fire("a")
    bench.request("c") if schedule else None
    bench.fire("a")

    assert sorted(bench.states("c")) == sorted(states)


def test_a_paused_job_records_that_it_did_not_fire() -> None:
    """A skip without a due time; what held is used up."""
    bench = Line()
    bench.put(job("a", schedule=[]), job("c", schedule=[], after=after("a")))
    bench.pause("c")
    ended = bench.fire("a")
    bench.pause("c", paused=False)

    (run,) = bench.records("c")
    assert (run.state, run.reason, run.trigger) == ("skipped", "paused", "after")
    assert (run.due_us, run.cause) == (None, ended.group)


def test_a_disabled_job_is_not_fired_by_an_end() -> None:
    """As it would not be by its schedule; no record is made."""
    bench = Line()
    bench.put(job("a", schedule=[]), job("c", schedule=[], after=after("a"), enabled=False))

    bench.fire("a")

    assert bench.records("c") == []


def test_a_dependent_for_all_agents_has_one_run_on_each() -> None:
    """Fired by an end, or waiting from its due time on."""
    bench = Line()
    bench.hello("B")
    everywhere = Target(agents="all")
    bench.put(
        job("a", schedule=[]),
        job("c", schedule=[], after=after("a"), target=everywhere),
        job("d", after=after("a"), target=everywhere),
    )
    bench.pass_time(60)
    bench.fire("a")

    for name in "cd":
        records = bench.records(name)
        assert {run.agent for run in records} == {"a", "b"}
        assert len({run.group for run in records}) == 1


# Lost, and found again.


def lost(**fields: Any) -> tuple[Line, Run]:
    """`a` was given up, and `c` comes after it."""
    bench = Line(Policy(agent_silence_s=10.0, lost_after_s=30.0, unplaced_s=1e6))
    bench.put(job("a", schedule=[]), job("c", schedule=[], **fields))
    (run,) = bench.request("a")
    bench.pass_time(1, steps=60)
    assert bench.runs[run.id].state == "lost"
    return bench, run


def found(bench: Line, run: Run, status: Status = Status.SUCCEEDED) -> None:
    """The agent comes back with the end of the run."""
    bench.hello(attempts=[bench.ended(f"{run.id}.1", status)])
    bench.end(run, status)


def test_the_later_truth_of_a_lost_run_counts() -> None:
    """It has succeeded after all: what comes after a success fires."""
    bench, run = lost(after=after("a"))
    assert bench.records("c") == []

    found(bench, run)

    assert [fired.cause for fired in bench.records("c")] == [run.group]


@pytest.mark.parametrize("on", ["any", "failure"])
@pytest.mark.parametrize("status", [Status.SUCCEEDED, Status.FAILED])
def test_nothing_fires_twice_for_one_end(on: str, status: Status) -> None:
    """The loss has fired it; the truth about the same fire does not again."""
    bench, run = lost(after=after("a", on=on))
    assert len(bench.records("c")) == 1

    found(bench, run, status)

    assert len(bench.records("c")) == 1


def test_a_loss_that_was_none_is_taken_back() -> None:
    """While it has fired nothing, a failure that turns out a success does not hold any more."""
    bench = Line(Policy(agent_silence_s=10.0, lost_after_s=30.0, unplaced_s=1e6))
    bench.put(
        job("a", schedule=[]),
        job("b", schedule=[]),
        job("c", schedule=[], after=after("a", "b", on="failure")),
    )
    (run,) = bench.request("a")
    bench.pass_time(1, steps=60)
    found(bench, run)

    bench.fire("b", Status.FAILED)

    assert bench.records("c") == []


# Definitions.


def test_a_change_keeps_what_held_and_fires_nothing() -> None:
    """A condition that is still there stays; a new one is not there yet."""
    bench = Line()
    bench.put(
        job("a", schedule=[]), job("b", schedule=[]), job("c", schedule=[], after=after("a", "b"))
    )
    bench.fire("a")
    bench.put(job("c", schedule=[], after=after("b", "a"), timeout_s=5.0))
    bench.fire("b")
    assert len(bench.records("c")) == 1

    bench.fire("a")
    bench.put(job("c", schedule=[], after=after("a")))
    assert len(bench.records("c")) == 1


def test_a_change_lets_a_due_time_go_that_waits_for_nothing_any_more() -> None:
    """Who takes the condition out of the job means the run that waits for it."""
    bench = Line()
    bench.put(job("a", schedule=[]), job("c", after=after("a")))
    bench.pass_time(60)

    bench.put(job("c"))

    assert bench.states("c") == ["dispatched"]
    assert bench.conditions == {}


def test_a_removed_job_waits_for_nothing() -> None:
    """Its due time that waits is cancelled, and no end concerns it."""
    bench = Line()
    bench.put(job("a", schedule=[]), job("c", after=after("a")))
    bench.pass_time(60)
    (run,) = bench.records("c")
    bench.remove("c")

    bench.fire("a")

    assert bench.runs[run.id].state == "cancelled"
    assert bench.conditions == {}


def test_a_chain_of_a_thousand_and_a_fan_of_a_thousand_run_through() -> None:
    """Nothing recurses, and every job fires once."""
    bench = Line(slots=10_000)
    names = [f"j{number}" for number in range(1000)]
    bench.put(job("j0", schedule=[]))
    bench.put(
        *(job(later, schedule=[], after=after(earlier, on="any"), overlap="replace")
          for earlier, later in pairwise(names))
    )  # fmt: skip
    bench.put(*(job(f"fan{number}", schedule=[], after=after("j0")) for number in range(1000)))
    (run,) = bench.request("j0")
    for _ in names:
        bench.end(run)
        (run, *_) = [*bench.records(f"j{int(run.job[1:]) + 1}"), run]

    assert all(len(bench.records(name)) == 1 for name in names)
    assert all(bench.states(f"fan{number}") == ["dispatched"] for number in range(1000))


def test_a_cascade_of_cancelled_runs_does_not_recurse() -> None:
    """Where no agent is, each fire replaces the one that waits, whose end fires the next job."""
    bench = Bench()
    names = [f"j{number}" for number in range(1000)]
    bench.put(job("j0", schedule=[], overlap="replace"))
    bench.put(
        *(job(later, schedule=[], after=after(earlier, on="any"), overlap="replace")
          for earlier, later in pairwise(names))
    )  # fmt: skip

    for _ in range(3):
        bench.request("j0")

    assert [len(bench.records(name)) for name in names[:4]] == [3, 2, 1, 0]


# Once.


def test_an_ephemeral_job_is_gone_when_a_fire_of_it_has_succeeded() -> None:
    """Its records stay; a failure leaves it where it is."""
    bench = Line()
    bench.put(job("once", schedule=[], ephemeral=True))
    bench.fire("once", Status.FAILED)
    assert bench.row("once").version == 1

    bench.fire("once")

    assert bench.rows == {}
    assert bench.states("once") == ["failed", "succeeded"]


def test_an_ephemeral_job_on_several_agents_is_gone_when_all_have_succeeded() -> None:
    """Half of it is not it."""
    bench = Line()
    bench.hello("B")
    bench.put(job("once", schedule=[], ephemeral=True, target=Target(agents="all")))
    first, second = bench.request("once")
    bench.end(first, Status.FAILED)
    bench.end(second)
    assert len(bench.rows) == 1

    first, second = bench.request("once")
    bench.end(first)
    bench.end(second)

    assert bench.rows == {}


def test_an_ephemeral_job_stays_when_it_was_changed_while_it_ran() -> None:
    """What has succeeded is not what is defined."""
    bench = Line()
    bench.put(job("once", schedule=[], ephemeral=True))
    (run,) = bench.request("once")
    bench.put(job("once", schedule=[], ephemeral=True, timeout_s=5.0))

    bench.end(run)

    assert bench.row("once").version == 2


# Parameters.


def test_a_run_has_what_was_given_and_the_defaults() -> None:
    """In its record and in its process; retries keep it."""
    bench = Line()
    bench.put(
        job("rotate", schedule=[], params={"days": "7", "host": None},
            retry={"limit": 1, "delay": 0})
    )  # fmt: skip
    (run,) = bench.request("rotate", host="db1")
    assert run.params == {"days": "7", "host": "db1"}
    bench.end(run, Status.FAILED)
    bench.pass_time(0)

    first, second = bench.orders()
    assert first.env["TOCSIN_PARAM_DAYS"] == second.env["TOCSIN_PARAM_DAYS"] == "7"
    assert second.env["TOCSIN_PARAM_HOST"] == "db1"


def test_a_due_time_has_the_defaults() -> None:
    """There is nobody who could give it anything."""
    bench = Line()
    bench.put(job("rotate", params={"days": "7"}))

    bench.pass_time(60)

    assert bench.records("rotate")[0].params == {"days": "7"}
