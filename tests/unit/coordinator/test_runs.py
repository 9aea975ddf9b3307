from __future__ import annotations

from typing import Any

import pytest

from tocsin import wire
from tocsin.coordinator.machine.state import Policy
from tocsin.execution import AttemptKey, Limits, Status
from tocsin.instants import SECOND_US
from tocsin.messages.agent_link import Ack, Cancel, Chunk, Dispatch, Rejected, Resync, Welcome
from tocsin.model import Agent, Retry, Target

from .bench import Bench, job


def started(bench: Bench, **fields: Any) -> tuple[str, str]:
    """A running run: its session and id."""
    session = bench.hello()
    bench.put(job(schedule=[], **fields))
    (run,) = bench.request("backup")
    bench.report(session, bench.running(f"{run.id}.1"))
    return session, run.id


@pytest.mark.parametrize(
    ("status", "code", "state"),
    [
        (Status.SUCCEEDED, 0, "succeeded"),
        (Status.FAILED, 3, "failed"),
        (Status.TIMED_OUT, None, "timed_out"),
        (Status.LOST, None, "lost"),
    ],
)
def test_a_run_ends_as_its_attempt_did(status: Status, code: int | None, state: str) -> None:
    """The outcome decides the state, the exit code and the slot that is free again."""
    bench = Bench()
    session, run_id = started(bench)

    bench.report(session, bench.ended(f"{run_id}.1", status, code))

    run = bench.runs[run_id]
    assert (run.state, run.exit_code, run.finished_us) == (state, code, bench.wall_us)
    assert bench.machine.sessions()[0].busy == 0
    assert bench.told(Ack)[-1].number == 2


def test_a_report_told_twice_is_applied_once_and_acknowledged_again() -> None:
    """Links deliver at least once; the state follows the first report."""
    bench = Bench()
    session, run_id = started(bench)
    end = bench.ended(f"{run_id}.1")
    bench.report(session, end)

    bench.report(session, bench.ended(f"{run_id}.1", Status.FAILED, 1), number=2)

    assert bench.runs[run_id].state == "succeeded"
    assert [ack.number for ack in bench.told(Ack)] == [1, 2, 2]


def test_a_gap_in_the_reports_asks_for_a_new_hello() -> None:
    """What was in the missing report is learnt from the inventory."""
    bench = Bench()
    session, run_id = started(bench)

    bench.report(session, bench.ended(f"{run_id}.1"), number=5)

    assert bench.runs[run_id].state == "running"
    assert len(bench.told(Resync)) == 1


def test_output_is_kept_once_and_in_order() -> None:
    """A piece that does not continue what is stored is not kept."""
    bench = Bench()
    session, run_id = started(bench)
    key = AttemptKey(f"{run_id}.1")

    bench.report(session, output=[Chunk(key, 1, 0, 0, b"abc"), Chunk(key, 1, 3, 0, b"de")])
    bench.report(session, output=[Chunk(key, 1, 3, 0, b"de"), Chunk(key, 1, 9, 0, b"zz")])
    bench.report(session, output=[Chunk(key, 1, 5, 0, b"f"), Chunk(key, 2, 0, 0, b"err")])

    assert bench.runs[run_id].output_bytes == 9


def test_a_failed_attempt_is_tried_again_after_its_delay_elsewhere() -> None:
    """The retry waits, counts on, and prefers the other agent; the limit ends it."""
    bench = Bench()
    first, second = bench.hello("A"), bench.hello("B")
    retry = Retry(limit=1, delay_s=10.0, jitter=0.0)
    bench.put(job(schedule=[], retry=retry))
    (run,) = bench.request("backup")
    bench.report(first, bench.ended(f"{run.id}.1", Status.FAILED, 1))
    assert (bench.runs[run.id].state, bench.runs[run.id].attempt) == ("queued", 2)

    bench.pass_time(9.9)
    assert bench.orders("B") == []
    bench.pass_time(0.1)
    assert [order.key for order in bench.orders("B")] == [f"{run.id}.2"]
    bench.report(second, bench.ended(f"{run.id}.2", Status.FAILED, 1), agent_id="B")

    assert (bench.runs[run.id].state, bench.runs[run.id].attempt) == ("failed", 2)


def test_what_an_old_attempt_reports_late_changes_nothing() -> None:
    """Everything is keyed by run and attempt."""
    bench = Bench()
    session, run_id = started(bench, retry=Retry(limit=3, delay_s=1.0))
    bench.report(session, bench.ended(f"{run_id}.1", Status.FAILED, 1))
    bench.pass_time(2)

    bench.report(session, bench.ended(f"{run_id}.1"))

    assert (bench.runs[run_id].state, bench.runs[run_id].attempt) == ("dispatched", 2)


@pytest.mark.parametrize("state", ["queued", "running"])
def test_a_killed_run_ends_and_is_not_tried_again(state: str) -> None:
    """A run that waits ends at once; one under way ends when its agent says so."""
    bench = Bench()
    if state == "queued":
        bench.put(job(schedule=[], retry=Retry(limit=3)))
        (run,) = bench.request("backup")
        bench.kill(run.id)
    else:
        session, run_id = started(bench, retry=Retry(limit=3))
        run = bench.runs[run_id]
        bench.kill(run.id)
        assert [cancel.keys for cancel in bench.told(Cancel)] == [[f"{run.id}.1"]]
        bench.report(session, bench.ended(f"{run.id}.1", Status.CANCELLED, None))

    assert bench.runs[run.id].state == "cancelled"
    assert bench.runs[run.id].reason == "killed by ann"


def test_overlap_skip_skips_due_times_but_lets_a_requested_run_wait() -> None:
    """A due time during a run is a skip; a person's request waits and never runs beside it."""
    bench = Bench()
    session = bench.hello()
    bench.put(job())
    bench.pass_time(60)
    (first,) = bench.records()

    bench.pass_time(60)
    (asked,) = bench.request("backup")
    assert [run.state for run in bench.records()] == ["queued", "dispatched", "skipped"]
    bench.report(session, bench.ended(f"{first.id}.1"))

    assert bench.runs[asked.id].state == "dispatched"


def test_overlap_queue_runs_one_after_the_other() -> None:
    """Later due times wait for the earlier run, in order."""
    bench = Bench()
    session = bench.hello()
    bench.put(job(overlap="queue"))
    bench.pass_time(60, steps=3)
    runs = bench.records()
    assert [run.state for run in runs] == ["dispatched", "queued", "queued"]

    bench.report(session, bench.ended(f"{runs[0].id}.1"))

    assert [run.state for run in bench.records()] == ["succeeded", "dispatched", "queued"]


def test_more_fires_than_the_queue_holds_are_skipped() -> None:
    """The bound is of fires that wait, on however many hosts; one that goes makes room."""
    bench = Bench()
    sessions = [bench.hello("A"), bench.hello("B")]
    bench.put(job(overlap="queue", queue_limit=2, target=Target(agents="all")))
    bench.pass_time(60, steps=4)
    states = [(run.slot, run.reason or run.state) for run in bench.records()]
    assert states == [
        (0, "dispatched"), (1, "dispatched"), (0, "queued"), (1, "queued"),
        (0, "queued"), (1, "queued"), (0, "overlap"),
    ]  # fmt: skip

    for session, agent_id in zip(sessions, "AB", strict=True):
        end = bench.ended(bench.orders(agent_id)[0].key)
        bench.report(session, end, agent_id=agent_id)
    bench.pass_time(60)

    assert [run.state for run in bench.records()][-2:] == ["queued", "queued"]


def test_overlap_replace_ends_the_earlier_run_before_the_later_one_starts() -> None:
    """The later run waits until the agent says that the earlier one is over."""
    bench = Bench()
    session = bench.hello()
    bench.put(job(overlap="replace"))
    bench.pass_time(60, steps=2)
    old, new = bench.records()
    assert (new.state, len(bench.told(Cancel))) == ("queued", 1)

    bench.report(session, bench.ended(f"{old.id}.1", Status.CANCELLED, None))

    assert [run.state for run in bench.records()] == ["cancelled", "dispatched"]


def test_slots_bound_what_an_agent_is_given_and_priority_decides_who_waits() -> None:
    """With one slot the higher priority goes first, whenever it came."""
    bench = Bench()
    session = bench.hello(slots=1)
    bench.put(
        job("low", schedule=[]), job("high", schedule=[], priority=5), job("now", schedule=[])
    )
    bench.request("now")
    bench.request("low", "high")

    bench.report(session, bench.ended(bench.orders()[0].key))

    assert [order.job for order in bench.orders()] == ["now", "high"]


def test_the_target_chooses_by_tags_and_the_least_busy() -> None:
    """Globs select, `name` is always a tag, and load spreads."""
    bench = Bench()
    bench.hello("A", tags={"role": "db", "dc": "eu-1"})
    bench.hello("B", tags={"role": "db", "dc": "eu-2"})
    bench.hello("C", tags={"role": "web", "dc": "eu-1"})
    bench.put(
        job("dbs", schedule=[], overlap="allow", target=Target(tags={"role": "db", "dc": "eu-*"})),
        job("c", schedule=[], target=Target(tags={"name": "c"})),
    )

    bench.request(*["dbs"] * 4, "c")

    assert len(bench.orders("A")) == len(bench.orders("B")) == 2
    assert [order.job for order in bench.orders("C")] == ["c"]


def test_a_fire_for_all_agents_has_one_run_on_each() -> None:
    """The runs of one fire share a group and go to different agents."""
    bench = Bench()
    for agent_id in "ABC":
        bench.hello(agent_id, slots=1)
    bench.put(job(target=Target(agents="all")))

    bench.pass_time(60)

    runs = bench.records()
    assert {run.agent for run in runs} == {"a", "b", "c"}
    assert len({run.group for run in runs}) == 1
    assert [run.slot for run in runs] == [0, 1, 2]


def test_a_run_that_no_agent_can_take_becomes_a_skip() -> None:
    """It waits for its time, then says why it never ran."""
    bench = Bench(Policy(unplaced_s=30.0))
    bench.put(job(schedule=[]))
    (run,) = bench.request("backup")
    bench.pass_time(29)
    assert bench.runs[run.id].state == "queued"

    bench.pass_time(2)

    assert (bench.runs[run.id].state, bench.runs[run.id].reason) == ("skipped", "no_agent")


def test_an_order_that_never_arrived_is_sent_again_with_the_same_number() -> None:
    """The agent's unbroken memory proves that the attempt was never received."""
    bench = Bench()
    bench.hello(spool="same")
    bench.put(job(schedule=[]))
    (run,) = bench.request("backup")

    bench.restart()
    bench.hello(spool="same")

    assert [order.key for order in bench.orders()] == [f"{run.id}.1"] * 2
    assert bench.runs[run.id].state == "dispatched"


def test_an_agent_that_lost_its_memory_loses_the_runs_it_was_given() -> None:
    """Nobody can know whether they ran, so they are not sent again."""
    bench = Bench()
    bench.hello(spool="old")
    bench.put(job(schedule=[], on_lost="report"))
    (run,) = bench.request("backup")

    bench.hello(spool="new")

    assert bench.runs[run.id].state == "lost"
    assert len(bench.orders()) == 1


def test_an_idempotent_job_is_tried_again_when_it_is_lost() -> None:
    """`on_lost: retry` is the author's word that twice does no harm."""
    bench = Bench()
    bench.hello(spool="old")
    bench.put(job(schedule=[], on_lost="retry", retry=Retry(delay_s=1.0)))
    (run,) = bench.request("backup")

    bench.hello(spool="new")
    bench.pass_time(2)

    assert [order.key for order in bench.orders()] == [f"{run.id}.1", f"{run.id}.2"]


def test_a_silent_agent_is_down_and_later_its_runs_are_lost() -> None:
    """Silence first closes the session, and only after `lost_after` gives the runs up."""
    bench = Bench(Policy(agent_silence_s=10.0, lost_after_s=60.0))
    _, run_id = started(bench)

    bench.pass_time(1, steps=12)
    assert (bench.agents["A"].state, bench.runs[run_id].state) == ("down", "running")
    bench.pass_time(1, steps=60)

    assert bench.runs[run_id].state == "lost"


def test_a_step_of_the_wall_clock_makes_no_agent_silent() -> None:
    """Spans are measured on the steady clock."""
    bench = Bench()
    _, run_id = started(bench)

    bench.step_wall(25 * 3600)

    assert (bench.agents["A"].state, bench.runs[run_id].state) == ("up", "running")


def test_a_result_that_comes_after_the_run_was_given_up_is_the_truth() -> None:
    """The agent comes back with the attempt: the run is taken up again, and ends as it did."""
    bench = Bench(Policy(agent_silence_s=10.0, lost_after_s=30.0))
    _, run_id = started(bench)
    bench.pass_time(1, steps=60)
    assert bench.runs[run_id].state == "lost"

    session = bench.hello(attempts=[bench.ended(f"{run_id}.1")])
    (resume,) = bench.told(Welcome)[-1].resume
    assert not resume.forget
    bench.report(session, bench.ended(f"{run_id}.1"))

    assert bench.runs[run_id].state == "succeeded"


def test_an_agent_forgets_what_is_recorded() -> None:
    """An acknowledgement that was lost is made good at the next hello."""
    bench = Bench()
    session, run_id = started(bench)
    end = bench.ended(f"{run_id}.1")
    bench.report(session, end)

    bench.hello(attempts=[end])

    (resume,) = bench.told(Welcome)[-1].resume
    assert resume.forget


def test_a_restart_keeps_running_runs_and_takes_their_ends() -> None:
    """A coordinator that was away learns from the inventory and the reports after it."""
    bench = Bench()
    session, run_id = started(bench)

    bench.restart(5)
    session = bench.hello(attempts=[bench.running(f"{run_id}.1")])
    bench.report(session, bench.ended(f"{run_id}.1"))

    assert bench.runs[run_id].state == "succeeded"
    assert bench.told(Welcome)[-1].epoch == 2
    assert len(bench.orders()) == 1


def test_messages_of_another_session_are_not_applied() -> None:
    """A late message of a session that was replaced asks for a hello and changes nothing."""
    bench = Bench()
    old, run_id = started(bench)
    bench.hello(attempts=[bench.running(f"{run_id}.1")])

    bench.report(old, bench.ended(f"{run_id}.1"))

    assert bench.runs[run_id].state == "running"
    assert len(bench.told(Resync)) == 1


def test_an_agent_that_has_seen_a_later_epoch_is_not_commanded() -> None:
    """A coordinator whose rule is over gives no orders."""
    from tocsin.coordinator.machine.events import AgentHello
    from tocsin.messages.agent_link import Hello

    bench = Bench()
    agent = Agent(id="A", key="A", name="a")
    said = Hello(1, "s", "spool", 9, "1", {}, 1, ["scripted"], [], 0, 1)

    bench.feed(AgentHello(agent, said, {}))

    assert len(bench.told(Rejected)) == 1
    assert bench.machine.sessions() == []


def test_every_order_names_its_run_to_the_job() -> None:
    """The environment carries what a job needs to be idempotent."""
    bench = Bench()
    bench.hello()
    bench.put(job(env={"PGHOST": "db1"}))

    bench.pass_time(60)

    (order,) = bench.orders()
    (run,) = bench.records()
    assert order.env["PGHOST"] == "db1"
    assert order.env["TOCSIN_RUN_ID"] == run.id
    assert (order.env["TOCSIN_AGENT"], order.env["TOCSIN_TRIGGER"]) == ("a", "schedule")
    assert order.env["TOCSIN_DUE"] == "2026-01-01T00:01:00.000000Z"
    assert order.env["TOCSIN_IDEMPOTENCY_KEY"] == "backup/2026-01-01T00:01:00.000000Z"
    assert order.due_us == 1_767_225_660 * SECOND_US


def test_an_order_says_who_runs_it_and_within_which_limits() -> None:
    """Only where the job does."""
    bench = Bench()
    bench.hello()
    bench.put(job(run_as="backup", limits=Limits(tasks=5)), job("other"))

    bench.pass_time(60)

    said = {order.job: (order.run_as, order.limits) for order in bench.orders()}
    assert said == {"backup": ("backup", Limits(tasks=5)), "other": ("", None)}


def test_orders_travel_in_messages_of_a_bounded_size() -> None:
    """Many large orders at once are several messages, numbered on without a gap."""
    bench = Bench()
    bench.hello(slots=100)
    bench.put(job(schedule=[], overlap="allow", env={"TEXT": "x" * 100_000}))

    bench.request(*["backup"] * 20)

    messages = bench.told(Dispatch)
    assert all(len(wire.encode(message)) < wire.FRAME_BYTES_MAX for message in messages)
    assert sum(len(message.orders) for message in messages) == 20
    firsts = [1]
    for message in messages[:-1]:
        firsts.append(firsts[-1] + len(message.orders))
    assert [message.first for message in messages] == firsts


def test_tags_that_an_agent_was_let_in_with_are_not_its_to_change() -> None:
    """What the token said counts over what the agent says of itself."""
    bench = Bench()
    bench.agents["A"] = Agent(id="A", key="A", name="a", given_tags={"role": "web"})

    bench.hello(tags={"role": "db", "dc": "eu"})

    assert bench.agents["A"].tags == {"role": "web", "dc": "eu"}
