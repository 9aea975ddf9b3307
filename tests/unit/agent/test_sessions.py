"""When an agent says hello, and what it makes of the answers and of silence."""

from __future__ import annotations

import pytest

from tocsin.agent.machine.commands import (
    DropOutput,
    Note,
    Position,
    Redial,
    ResumeOutput,
    SweepOutput,
)
from tocsin.agent.machine.events import LinkDown, LinkUp, Tick, Told
from tocsin.agent.machine.records import EpochSeen, Forgotten
from tocsin.hosting import CancelRuns
from tocsin.messages.agent_link import (
    Dispatch,
    Hello,
    Phase,
    Rejected,
    Report,
    Resume,
    Resync,
    Welcome,
)

from .bench import Bench, key, orders


def test_hello_tells_all_that_is_held() -> None:
    """Each attempt is listed with its phase; outcomes follow their output."""
    bench = Bench()
    bench.running(1, 2)
    bench.dispatch("S1", 3, first=3)
    bench.ended(2)
    bench.feed(LinkDown())
    hello = bench.link_up()
    assert hello.spool == "SPOOL"
    assert [(a.key, a.phase, a.outcome) for a in hello.attempts] == [
        (key(1), Phase.RUNNING, None),
        (key(2), Phase.ENDED, None),
        (key(3), Phase.ACCEPTED, None),
    ]


def test_hello_waits_for_the_hosts_of_before() -> None:
    """What hosts hold is known before anything is said, and what nobody holds is swept."""
    bench = Bench(sought=("shell", "http"))
    bench.feed(LinkUp())
    bench.met(running=(5,))
    assert bench.said(Hello) == []
    bench.gone(executor="http")
    assert [a.key for a in bench.last(Hello).attempts] == [key(5)]
    assert SweepOutput(frozenset([key(5)])) in bench.commands


def test_nothing_is_swept_before_a_host_has_looked_for_what_goes_on() -> None:
    """The last one left handles: what they are of may print, known or not; hello does not wait."""
    bench = Bench(sought=("shell", "http"))
    bench.feed(LinkUp())
    bench.gone(left_handles=True)
    bench.gone(executor="http")
    assert bench.said(Hello)
    assert bench.take(SweepOutput) == []
    bench.met(running=(5,))
    assert bench.take(SweepOutput) == [SweepOutput(frozenset([key(5)]))]


def test_hello_tells_nothing_that_the_journal_does_not_hold() -> None:
    """An order and the end of its session in one turn: the hello leaves behind the write."""
    bench = Bench()
    session = bench.open()
    bench.failure = "the disk is full"
    bench.feed(Told(Dispatch(session, 1, 1, orders(1))), Told(Resync("again")))
    assert [a.phase for a in bench.last(Hello).attempts] == [Phase.ENDED]


def test_hello_does_not_wait_for_ever() -> None:
    """A host that does not answer is left aside after a while; nothing is swept then."""
    bench = Bench(sought=("shell",))
    bench.feed(LinkUp())
    bench.wait(11)
    assert bench.said(Hello)
    assert Note("hosts.silent", {"executors": "shell"}) in bench.commands
    assert bench.take(SweepOutput) == []


def test_a_heartbeat_follows_the_welcome_at_once_and_then_regularly() -> None:
    """Heartbeats carry the number of the last order."""
    bench = Bench()
    session = bench.open()
    bench.wait(0)
    assert len(bench.beats()) == 1
    bench.dispatch(session, 1, 2)
    bench.wait(1.0)
    bench.pulse(session)
    bench.wait(1.0)
    assert [beat.orders_seen for beat in bench.beats()] == [0, 2, 2]


def test_silence_makes_it_dial_anew() -> None:
    """After five heartbeats without any word the socket is suspect."""
    bench = Bench()
    session = bench.open()
    bench.wait(4.0)
    bench.pulse(session)
    bench.wait(4.9)
    assert bench.take(Redial) == []
    bench.wait(0.2)
    assert bench.take(Redial) == [Redial()]
    assert bench.link_up().session != session


def test_a_hello_without_an_answer_is_said_again_on_a_fresh_socket() -> None:
    """Each further hello is given more time, within bounds."""
    bench = Bench()
    waits = []
    for _ in range(5):
        bench.link_up()
        before_us = bench.steady_us
        while not bench.take(Redial):
            due_us = bench.machine.deadline()
            assert due_us is not None
            bench.steady_us = due_us
            bench.feed(Tick())
        waits.append((bench.steady_us - before_us) // 1_000_000)
    assert waits == [5, 10, 20, 30, 30]


def test_resync_makes_it_say_hello() -> None:
    """A session that is not known is replaced; what is said of the old one is no news."""
    bench = Bench()
    bench.open()
    bench.tell(Resync("who are you?"), Resync("who are you?"))
    assert [hello.session for hello in bench.said(Hello)] == ["S2"]


def test_rejected_makes_it_wait() -> None:
    """A rejection is logged, and asked again on a fresh socket half a minute later."""
    bench = Bench()
    bench.link_up()
    bench.commands.clear()
    bench.tell(Rejected("you are too old"))
    assert bench.take(Note) == [
        Note("session.rejected", {"reason": "you are too old", "again_in_s": 30})
    ]
    bench.wait(29)
    assert bench.commands == []
    bench.wait(2)
    assert bench.take(Redial) == [Redial()]


def test_a_refused_key_makes_it_wait() -> None:
    """A socket that is refused never tries again, so a fresh one does after a while."""
    bench = Bench()
    bench.feed(LinkDown(refused=True))
    assert bench.take(Redial) == []
    bench.wait(31)
    assert bench.take(Redial) == [Redial()]


def test_an_unacknowledged_report_was_lost() -> None:
    """After ten seconds without an acknowledgement a new session settles it."""
    bench = Bench()
    session = bench.running(1)
    bench.ended(1)
    for _ in range(9):
        bench.wait(1)
        bench.pulse(session)
    assert bench.said(Hello) == []
    bench.wait(1.1)
    assert len(bench.said(Hello)) == 1


@pytest.mark.parametrize("epoch", [4, 5, 6])
def test_a_welcome_of_a_past_epoch_is_not_taken(epoch: int) -> None:
    """A coordinator whose rule is over is not served; a newer one is remembered."""
    bench = Bench([EpochSeen(5)])
    session = bench.link_up().session
    bench.welcome(session, epoch=epoch)
    bench.wait(0)
    assert bool(bench.beats()) is (epoch >= 5)
    assert (EpochSeen(6) in bench.journal) is (epoch == 6)


def test_a_welcome_of_another_session_is_not_taken() -> None:
    """Only the answer to the last hello opens a session."""
    bench = Bench()
    bench.link_up()
    bench.tell(Welcome("S0", 1, "A", "a", 1.0, []))
    bench.wait(0)
    assert bench.beats() == []


class TestResume:
    """What follows from each entry of a welcome."""

    def test_an_end_that_is_recorded_is_forgotten(self) -> None:
        """Journal and output lose the attempt."""
        bench = Bench()
        bench.running(1)
        bench.ended(1)
        bench.tell(Resync(""))
        bench.welcome("S2", Resume(key(1), 0, 0, forget=True))
        assert DropOutput([key(1)]) in bench.commands
        assert bench.journal[-1] == Forgotten([key(1)])
        bench.restart("shell")
        bench.gone()
        assert bench.link_up().attempts == []

    def test_what_goes_on_is_told_again(self) -> None:
        """Output goes on from the given offsets, and the latest state is reported."""
        bench = Bench()
        bench.running(1)
        bench.tell(Resync(""))
        bench.commands.clear()
        bench.welcome("S2", Resume(key(1), 7, 8, forget=False))
        position = Position(key(1), 1000, (7, 8), ended=False)
        assert ResumeOutput([position]) in bench.commands
        bench.wait(0.01)
        assert [a.phase for a in bench.reported()] == [Phase.RUNNING]

    def test_an_end_is_reported_behind_its_output(self) -> None:
        """An ended attempt waits for its output to be read again."""
        bench = Bench()
        bench.running(1)
        bench.ended(1)
        bench.tell(Resync(""))
        bench.commands.clear()
        bench.welcome("S2", Resume(key(1), 0, 0, forget=False))
        bench.wait(0.01)
        assert bench.said(Report) == []
        bench.over(1)
        assert [a.phase for a in bench.reported()] == [Phase.ENDED]

    def test_what_is_unknown_there_and_runs_is_ended(self) -> None:
        """It is cancelled, and kept until its end."""
        bench = Bench()
        bench.running(1)
        bench.tell(Resync(""))
        bench.welcome("S2", Resume(key(1), 0, 0, forget=True), Resume(key(9), 0, 0, forget=True))
        assert bench.to_hosts(CancelRuns) == [CancelRuns([key(1)])]
