"""From a question to its story, with a store and a machine."""

from __future__ import annotations

import pytest

from tocsin.coordinator.explaining import Explainer
from tocsin.coordinator.machine.commands import Command, MoveCursor
from tocsin.coordinator.machine.state import Policy
from tocsin.coordinator.store.sqlite import SqliteStore
from tocsin.errors import RequestError
from tocsin.execution import Status
from tocsin.instants import SECOND_US
from tocsin.messages.client_answers import Story
from tocsin.messages.client_link import Explain
from tocsin.model import JobRow

from .bench import START_US, Bench, Happening, job


class StoredBench(Bench):
    """A bench whose saves also go into a store, from which stories are told."""

    def __init__(self) -> None:
        super().__init__()
        self.store = SqliteStore(None)

    def _do(self, commands: list[Command], events: list[Happening]) -> None:
        super()._do(commands, events)
        self.store.stage(commands)

    def why(self, name: str = "backup", at_s: float | None = None, run: str = "") -> Story:
        """The story of a job; `at_s` counts from the start."""
        explainer = Explainer(self.store, self.machine, lambda _now: list(self.agents.values()))
        at_us = None if at_s is None else START_US + round(at_s * SECOND_US)
        return explainer.explain(Explain(name, at_us, run), self.now)


@pytest.fixture
def bench() -> StoredBench:
    """At the start of 2026, with a coordinator and no agent."""
    return StoredBench()


def texts(story: Story) -> str:
    """All that a story says."""
    return "\n".join([story.verdict, *(step.text for step in story.steps)])


def test_a_run_that_succeeded(bench: StoredBench) -> None:
    """The last due time is told of when none is named."""
    session = bench.hello()
    bench.put(job())
    bench.pass_time(60)
    (order,) = bench.orders()
    bench.report(session, bench.ended(order.key))

    story = bench.why()

    assert story.verdict == "It ran on a and succeeded after 0s."
    assert story.at_us == START_US + 60 * SECOND_US
    assert [run.id for run in story.runs] == [order.key.partition(".")[0]]


def test_a_due_time_near_the_one_that_is_named_is_told_of(bench: StoredBench) -> None:
    """The story says so, and which ones are near."""
    bench.put(job())
    bench.pass_time(60, steps=3)

    story = bench.why(at_s=61)

    assert story.at_us == START_US + 60 * SECOND_US
    assert "00:01:01 UTC was no due time; the nearest were 00:01 UTC and 00:02 UTC" in texts(story)


def test_the_run_that_was_in_the_way_is_named(bench: StoredBench) -> None:
    """A skip by overlap says which run was under way, and where it is now."""
    bench.put(job(overlap="skip", target={"tags": {"role": "db"}}))
    bench.hello(tags={"role": "web"})
    bench.pass_time(60, steps=2)
    first, _ = bench.records()

    story = bench.why()

    assert f"run {first.id} was waiting to begin since 00:01 UTC (overlap: skip)" in story.verdict
    assert "waiting for an agent since 00:01 UTC: a is tagged" in texts(story)
    assert 'a: tagged role="web", not "db"' in texts(story)


def test_a_due_time_inside_a_shared_record_is_found(bench: StoredBench) -> None:
    """Of thousands that were missed, any one can be asked for."""
    bench.put(job(missed={"policy": "skip"}))
    bench.pass_time(60 * 1000)
    shared = next(run for run in bench.records() if run.dues > 1)

    story = bench.why(at_s=120)

    assert story.at_us == START_US + 120 * SECOND_US
    assert [run.id for run in story.runs] == [shared.id]
    assert f"{shared.dues} due times" in texts(story)


def test_a_retry_is_told_attempt_by_attempt(bench: StoredBench) -> None:
    """The earlier attempt, why it is tried again, and when."""
    session = bench.hello()
    bench.put(job(retry={"limit": 1, "delay": 10.0}))
    bench.pass_time(60)
    (order,) = bench.orders()
    bench.report(session, bench.ended(order.key, Status.FAILED, 3))

    story = bench.why()

    assert story.verdict == "Attempt 2 is due at 00:01:10 UTC, in 10s (retry after: exit code 3)."
    assert "attempt 1 on a failed after 0s: exit code 3" in texts(story)
    assert "is to be tried again (retry 1 of 1)" in texts(story)


def test_one_run_of_several_is_told_alone_and_with_the_others(bench: StoredBench) -> None:
    """By its id in detail; by its due time as one line of the group."""
    sessions = {agent: bench.hello(agent) for agent in ("A", "B")}
    bench.put(job(target={"agents": "all"}))
    bench.pass_time(60)
    (order,) = bench.orders("A")
    bench.report(sessions["A"], bench.ended(order.key, Status.FAILED, 3))
    (other,) = bench.orders("B")
    bench.report(sessions["B"], bench.ended(other.key), agent_id="B")

    group = bench.why()
    member = bench.why(run=order.key.partition(".")[0])

    assert group.verdict == "1 of 2 runs succeeded; a failed after 0s: exit code 3."
    assert len(group.runs) == 2
    assert member.verdict == "It ran on a and failed after 0s: exit code 3."
    assert "one of 2 runs of this due time" in texts(member)


def test_a_job_that_runs_when_asked_to_is_told_by_its_last_run(bench: StoredBench) -> None:
    """Who asked for it, and that it waits."""
    bench.put(job(schedule=[]))
    (run,) = bench.request("backup")

    story = bench.why()

    assert story.at_us is None
    assert [told.id for told in story.runs] == [run.id]
    assert "asked for by ann at 00:00 UTC" in texts(story)


def test_what_is_ahead_is_foretold(bench: StoredBench) -> None:
    """A pause that will still hold then is said."""
    bench.hello()
    bench.put(job())
    bench.pause()

    story = bench.why(at_s=180)

    assert story.verdict.startswith("It is due in 3m, and would be skipped: the job is paused")
    assert "maintenance" in story.verdict


def test_a_blackout_is_said_of_the_past_and_of_the_future(bench: StoredBench) -> None:
    """By the same words: which window, and until when."""
    bench.put(job(blackout=[{"from": "00:00", "to": "06:00"}]))
    bench.pass_time(60)

    past, coming = bench.why(at_s=60), bench.why(at_s=120)

    assert past.verdict.startswith("It was skipped: blackout")
    assert past.verdict.endswith(", until 06:00 UTC.")
    assert coming.verdict.startswith("It is due in 1m, and would be skipped: blackout")
    assert coming.verdict.endswith(", until 06:00 UTC.")


def test_a_due_time_that_waits_for_another_job_says_for_which(bench: StoredBench) -> None:
    """And until when; afterwards its record keeps the reason."""
    bench.put(job("quiesce", schedule=[]), job(after=[{"job": "quiesce"}]))
    bench.hello()
    bench.pass_time(60)
    waiting = bench.why()
    bench.pass_time(60)
    skipped = bench.why(at_s=60)

    assert waiting.verdict == "It waits for other jobs: quiesce has not ended."
    assert "given up at 00:02 UTC, in 1m" in texts(waiting)
    assert skipped.verdict == "It was skipped: quiesce has not ended."


def test_hosts_that_wait_for_others_say_so(bench: StoredBench) -> None:
    """In a roll-out all but the canary wait for their turn."""
    for agent in ("A", "B"):
        bench.hello(agent)
    bench.put(job(target={"agents": "all", "canary": 1}))
    bench.pass_time(60)

    waiting = next(run for run in bench.records() if not run.dispatched_us)
    story = bench.why(run=waiting.id)

    assert story.verdict == ("It waits for its turn: the canaries must succeed before (canary: 1).")


def test_hosts_of_a_fire_that_goes_on_are_told_apart(bench: StoredBench) -> None:
    """Each by its name, whether its run waits or was sent."""
    for agent in ("A", "B"):
        bench.hello(agent)
    bench.put(job(target={"agents": "all", "max_parallel": 1}))
    bench.pass_time(60)

    story = bench.why(at_s=60)

    assert ": it was sent to " in story.verdict
    assert ": it waits for its turn: 1 is under way (max_parallel: 1)" in story.verdict


def test_a_run_on_a_host_that_left_is_not_said_to_go_on(bench: StoredBench) -> None:
    """Nobody knows how it stands; the story says since when, and what becomes of it."""
    bench.policy = Policy(agent_silence_s=90.0, rejoin_s=5.0, lost_after_s=3600.0)
    bench.restart()
    bench.hello("A")
    bench.put(job())
    bench.pass_time(60)
    bench.pass_time(60)

    story = bench.why(at_s=60)

    assert story.verdict.startswith("It was sent to a at 00:01 UTC, which has not been heard of")
    assert story.verdict.endswith("it counts as lost, unless a comes back.")


def test_a_host_that_left_is_said_with_its_time(bench: StoredBench) -> None:
    """Each host that was asked for has its own reason."""
    bench.policy = Policy(agent_silence_s=10.0, rejoin_s=5.0, unplaced_s=60.0)
    bench.restart()
    bench.hello("A")
    bench.put(job(target={"agents": "all"}, schedule=["0 * * * *"]))
    bench.pass_time(600)
    bench.pass_time(3000)

    story = bench.why()

    assert story.verdict == "It was skipped: host a is down since 00:00 UTC."


def test_a_removed_job_is_found_by_its_name(bench: StoredBench) -> None:
    """Its runs before, and who removed it after."""
    bench.put(job())
    bench.pass_time(60)
    bench.remove()
    bench.pass_time(600)

    before = bench.why(at_s=60)
    after = bench.why(at_s=600)

    assert "cancelled before it began: its job was removed by ann" in before.verdict
    assert "since then removed by ann" in texts(before)
    assert after.verdict == (
        "There was no job backup at 2026-01-01 00:10 UTC: ann removed it 2026-01-01 00:01 UTC."
    )


def test_every_instant_has_an_answer_and_every_due_time_its_record(bench: StoredBench) -> None:
    """Through changes, a pause, an absence, failures and a removal; asked at any time."""
    session = bench.hello("A")
    bench.pass_time(60)
    bench.put(job(), job("queue", overlap="queue"), job("all", target={"agents": "all"}))
    bench.put(job("other", schedule=["*/2 * * * *"], jitter_s=20.0, retry={"limit": 1}))
    bench.pass_time(60, steps=2)
    bench.report(session, *(bench.ended(o.key, Status.FAILED, 1) for o in bench.orders("A")))
    bench.pause()
    bench.pass_time(60, steps=2)
    bench.pause(paused=False)
    bench.put(job(schedule=["30 * * * * *"]))
    bench.restart(300)
    bench.pass_time(30, steps=4)
    bench.remove("other")
    bench.pass_time(60)

    for name in ("backup", "queue", "all", "other"):
        for at_s in range(0, 900, 15):
            story = bench.why(name, at_s)
            assert story.verdict.endswith(".")
            assert "broke its promise" not in story.verdict
            if story.at_us is not None:
                assert bool(story.runs) == (story.at_us <= bench.wall_us), story.verdict


def test_a_broken_promise_is_admitted(bench: StoredBench) -> None:
    """A due time without the record that it should have is not explained away."""
    (row,) = bench.put(job())
    moved = JobRow(id=row.id, job=row.job, version=1, next_due_us=START_US + 300 * SECOND_US)
    bench.rows[row.id] = moved
    bench.store.stage([MoveCursor(moved)])
    bench.pass_time(240)

    story = bench.why(at_s=120)

    assert story.verdict.startswith("It should have a record, and there is none")
    assert not story.runs


def test_a_job_that_never_was_is_not_explained(bench: StoredBench) -> None:
    """The answer names it, and where to look."""
    with pytest.raises(RequestError, match="there is no job backup"):
        bench.why()


def test_a_run_of_another_job_is_not_mixed_in(bench: StoredBench) -> None:
    """The hint is the command that was meant."""
    bench.put(job(), job("other"))
    (run,) = bench.request("other")

    with pytest.raises(RequestError, match="is of job other") as refused:
        bench.why(run=run.id)

    assert refused.value.hint == f"see: tocsin why other --run {run.id}"
