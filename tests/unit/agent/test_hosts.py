"""Who has an attempt, after kills of the agent, of hosts, and of the machine."""

from __future__ import annotations

import pytest

from tocsin.agent.machine.commands import (
    DropOutput,
    LeaveOutput,
    ResumeOutput,
    StartHost,
    SweepOutput,
)
from tocsin.agent.machine.memory import Memory, replay
from tocsin.agent.machine.records import (
    Accepted,
    Began,
    Closed,
    Ended,
    EpochSeen,
    Forgotten,
    Handed,
    Opened,
    Record,
)
from tocsin.execution import Status
from tocsin.hosting import CancelRuns, Confirm, RunBegan, RunEnded
from tocsin.messages.agent_link import Cancel, Hello, Phase, Report, Resume

from .bench import DONE, WALL_US, Bench, key, orders

ACCEPTED: list[Record] = [Opened("SPOOL", "BOOT"), Accepted(WALL_US, orders(1))]
HANDED: list[Record] = [*ACCEPTED, Handed("1:1", [key(1)])]
RUNNING: list[Record] = [*HANDED, Began([RunBegan(key(1), WALL_US)])]
ENDED: list[Record] = [*RUNNING, Ended([RunEnded(key(1), WALL_US, WALL_US + 1, DONE)])]


@pytest.mark.parametrize(
    ("journal", "sure", "host", "phase", "status", "restarted"),
    [
        (ACCEPTED, True, "none", Phase.ACCEPTED, None, True),
        (ACCEPTED, True, "same, does not know it", Phase.ACCEPTED, None, True),
        (ACCEPTED, False, "none", Phase.ENDED, Status.LOST, False),
        (ACCEPTED, False, "same, does not know it", Phase.ENDED, Status.LOST, False),
        (ACCEPTED, False, "same, runs it", Phase.RUNNING, None, False),
        (HANDED, True, "none", Phase.ENDED, Status.LOST, False),
        (HANDED, True, "same, does not know it", Phase.ACCEPTED, None, True),
        (HANDED, True, "another", Phase.ENDED, Status.LOST, False),
        (HANDED, True, "same, runs it", Phase.RUNNING, None, False),
        (HANDED, True, "same, ended it", Phase.ENDED, Status.SUCCEEDED, False),
        (HANDED, False, "same, does not know it", Phase.ENDED, Status.LOST, False),
        (RUNNING, True, "none", Phase.ENDED, Status.LOST, False),
        (RUNNING, True, "same, runs it", Phase.RUNNING, None, False),
        (RUNNING, True, "same, ended it", Phase.ENDED, Status.SUCCEEDED, False),
        (ENDED, True, "none", Phase.ENDED, Status.SUCCEEDED, False),
        (ENDED, True, "same, ended it", Phase.ENDED, Status.SUCCEEDED, False),
        (ENDED, True, "same, does not know it", Phase.ENDED, Status.SUCCEEDED, False),
    ],
)
def test_after_a_restart(
    journal: list[Record],
    sure: bool,  # noqa: FBT001 - a column of the table
    host: str,
    phase: Phase,
    status: Status | None,
    restarted: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """What becomes of an attempt, by what the journal says and what its host says."""
    bench = Bench(list(journal))
    bench.restart("shell", sure=sure)
    match host:
        case "none":
            bench.gone()
        case "another":
            bench.met("2:2")
        case _:
            bench.met(running=(1,) if "runs" in host else (), ended=(1,) if "ended" in host else ())
    hello = bench.link_up()
    assert [a.phase for a in hello.attempts] == [phase]
    bench.welcome(hello.session)
    bench.pulse(hello.session)
    if StartHost("shell") in bench.commands:
        bench.met("3:3")
    assert bench.started() == ([key(1)] if restarted else [])
    bench.over(1)
    bench.wait(0.01)
    outcomes = bench.outcomes()
    assert (outcomes[key(1)][0] if outcomes else None) is status
    if status is Status.LOST:
        assert "while the agent was away" in outcomes[key(1)][1]


def test_what_was_kept_waits_for_the_coordinator() -> None:
    """An order that no host was given is started only when the coordinator still wants it."""
    bench = Bench(list(ACCEPTED))
    hello = bench.link_up()
    bench.welcome(hello.session)
    bench.tell(Cancel(hello.session, [key(1)]))
    bench.pulse(hello.session)
    assert StartHost("shell") not in bench.commands
    bench.over(1)
    assert bench.outcomes()[key(1)] == (Status.CANCELLED, "cancelled before it was started")


def test_an_end_is_confirmed_once_it_is_journaled() -> None:
    """Also one that was journaled before the agent was killed."""
    bench = Bench(list(ENDED))
    bench.restart("shell")
    bench.met(ended=(1,))
    assert bench.to_hosts(Confirm) == [Confirm([key(1)])]


def test_attempts_that_only_a_host_knows_are_taken_up() -> None:
    """With a lost journal, what runs is still told, and its end too."""
    bench = Bench(sought=("shell",))
    bench.met(running=(1,), ended=(2,))
    hello = bench.link_up()
    assert {a.key: a.phase for a in hello.attempts} == {
        key(1): Phase.RUNNING,
        key(2): Phase.ENDED,
    }
    bench.welcome(hello.session)
    bench.over(2)
    assert bench.outcomes()[key(2)][0] is Status.SUCCEEDED


def test_a_host_that_crashes_loses_what_it_had() -> None:
    """Its attempts are lost, and the message names executor and reason."""
    bench = Bench()
    bench.running(1)
    bench.gone(reason="it ended with signal 9")
    bench.over(1)
    assert bench.outcomes()[key(1)] == (
        Status.LOST,
        "the host of executor shell is gone: it ended with signal 9",
    )


def test_what_a_host_was_never_sent_is_for_the_next_one() -> None:
    """Only what left the agent is lost."""
    bench = Bench()
    session = bench.running(1)
    bench.dispatch(session, 2, first=2)
    bench.commands.clear()
    bench.gone(2)
    assert StartHost("shell") in bench.commands
    bench.met("2:2")
    assert bench.started() == [key(2)]
    bench.over(1)
    bench.wait(0.01)
    assert list(bench.outcomes()) == [key(1)]
    bench.restart("shell")
    bench.met("2:2")
    assert bench.started() == [key(2)]


def test_what_was_decided_in_the_turn_of_the_end_is_for_the_next_host() -> None:
    """An order that was about to be sent when the host's end was seen is not lost."""
    from tocsin.agent.machine.events import HostGone, Told
    from tocsin.messages.agent_link import Dispatch

    bench = Bench()
    session = bench.open()
    bench.met()
    bench.feed(Told(Dispatch(session, 1, 1, orders(1))), HostGone("shell", "exit code 0", []))
    assert bench.started() == []
    bench.met("2:2")
    assert bench.started() == [key(1)]


def test_a_connection_that_broke_is_settled() -> None:
    """A host that lives and answers again is sent what it does not know."""
    bench = Bench()
    session = bench.running(1)
    bench.dispatch(session, 2, first=2)
    bench.commands.clear()
    bench.met("1:1", running=(1,))
    assert bench.started() == [key(2)]


def test_a_damaged_journal_loses_what_nobody_knows() -> None:
    """An attempt whose executor is unknown, and that no host tells of, is lost."""
    bench = Bench([Opened("S", "B"), Began([RunBegan(key(1), WALL_US)])])
    bench.restart("shell", sure=False)
    bench.gone()
    hello = bench.link_up()
    bench.welcome(hello.session)
    bench.over(1)
    assert bench.outcomes()[key(1)][0] is Status.LOST


@pytest.mark.parametrize(
    "journal",
    [
        ACCEPTED,
        HANDED,
        RUNNING,
        ENDED,
        [*ENDED, Forgotten([key(1)])],
        [*ACCEPTED, EpochSeen(7), EpochSeen(6)],
        [*HANDED, Handed("", [key(1)])],
        [Ended([RunEnded(key(1), None, WALL_US, DONE)])],
    ],
)
def test_a_snapshot_brings_the_same_memory_back(journal: list[Record]) -> None:
    """What is written when the journal is compacted says the same as what it replaces."""
    from tocsin.agent.machine.memory import snapshot

    before, after = Memory(), Memory()
    replay(before, journal)
    replay(after, snapshot(before))
    before.attempts = {k: _bare(a) for k, a in before.attempts.items()}  # type: ignore[misc]
    after.attempts = {k: _bare(a) for k, a in after.attempts.items()}  # type: ignore[misc]
    assert after == before


def _bare(attempt: object) -> object:
    """An attempt without what is not needed after its end."""
    from tocsin.agent.machine.memory import Attempt

    assert isinstance(attempt, Attempt)
    order = None if attempt.outcome is not None else attempt.order
    return (attempt.key, attempt.phase, attempt.host, attempt.started_us, attempt.outcome, order)


def test_a_closed_journal_is_open_again_after_any_record() -> None:
    """Only the last record makes a journal closed."""
    memory = Memory()
    replay(memory, [*ACCEPTED, Closed()])
    assert memory.closed
    replay(memory, [EpochSeen(1)])
    assert not memory.closed


def test_the_next_host_finds_runs_again_by_their_handles() -> None:
    """A host that died is replaced at once; only what its successor does not find is lost."""
    bench = Bench()
    bench.running(1, 2)
    bench.gone(reason="signal 9", left_handles=True)
    assert StartHost("shell") in bench.commands
    bench.met("2:2", running=(1,))
    bench.over(2)
    bench.wait(0.01)
    status, message = bench.outcomes()[key(2)]
    assert status is Status.LOST
    assert message == (
        "the host of executor shell is gone: signal 9, and the next one does not find it"
    )
    bench.ended(1)
    bench.wait(0.01)
    assert bench.outcomes()[key(1)][0] is Status.SUCCEEDED
    assert bench.started() == []


def test_runs_of_a_host_that_left_no_handles_are_lost_at_once() -> None:
    """Nothing is started for them."""
    bench = Bench()
    bench.running(1, 2)
    bench.gone(reason="signal 9")
    bench.over(1, 2)
    bench.wait(0.01)
    assert StartHost("shell") not in bench.commands
    assert {status for status, _ in bench.outcomes().values()} == {Status.LOST}


def test_hosts_that_die_of_what_they_find_are_not_started_for_ever() -> None:
    """After some in a row the runs are given up."""
    bench = Bench()
    bench.running(1, 2)
    for n in range(2, 5):
        bench.gone(reason="signal 11", left_handles=True)
        bench.met(f"{n}:{n}", running=(1, 2))
    bench.gone(reason="signal 11", left_handles=True)
    bench.over(1, 2)
    bench.wait(0.01)
    assert {status for status, _ in bench.outcomes().values()} == {Status.LOST}


def test_runs_are_lost_when_no_other_host_can_be_started() -> None:
    """And an end that is asked for meanwhile reaches the next host."""
    bench = Bench()
    bench.running(1, 2)
    bench.gone(reason="signal 9", left_handles=True)
    bench.failed("no module")
    bench.over(1, 2)
    bench.wait(0.01)
    messages = {message for _, message in bench.outcomes().values()}
    assert messages == {"its executor host is gone, and there is no other: no module"}


def test_a_cancel_waits_for_the_host_that_finds_the_run() -> None:
    """It is passed on as soon as that host answers."""
    bench = Bench()
    session = bench.running(1, 2)
    bench.gone(reason="signal 9", left_handles=True)
    bench.tell(Cancel(session, [key(1)]))
    bench.met("2:2", running=(1, 2))
    assert bench.to_hosts(CancelRuns) == [CancelRuns([key(1)])]


@pytest.mark.parametrize("is_over", [False, True])
def test_runs_that_were_given_up_and_are_found_again_are_told_of(*, is_over: bool) -> None:
    """The coordinator has them as lost: a hello corrects that, and their output is still there."""
    bench = Bench()
    bench.running(1, 2)
    bench.gone(reason="signal 9", left_handles=True)
    bench.failed("no module")
    bench.over(1, 2)
    bench.wait(0.01)
    report = bench.said(Report)[-1]
    bench.commands.clear()
    bench.ack(report.session, report.number)
    assert LeaveOutput([key(1), key(2)]) in bench.commands
    assert bench.take(DropOutput) == []

    bench.met("2:2", running=() if is_over else (1,), ended=(1,) if is_over else ())

    assert SweepOutput(frozenset([key(1)])) in bench.commands
    (said,) = bench.last(Hello).attempts
    assert (said.key, said.phase) == (key(1), Phase.ENDED if is_over else Phase.RUNNING)
    bench.welcome(bench.last(Hello).session, Resume(key(1), 5, 0, forget=False))
    (resumed,) = bench.take(ResumeOutput)
    assert resumed.positions[0].offsets == (5, 0)
