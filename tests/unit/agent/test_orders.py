"""Which orders an agent takes, and what it does before it acts on them."""

from __future__ import annotations

import pytest

from tocsin.agent.machine.commands import FinishOutput, Journal, Note, StartHost, ToHost
from tocsin.agent.machine.records import Accepted, Ended, EpochSeen, Handed
from tocsin.execution import Status
from tocsin.hosting import CancelRuns, Confirm
from tocsin.messages.agent_link import Cancel, Dispatch, Hello, Phase

from .bench import Bench, key, orders


@pytest.mark.parametrize(
    ("session", "epoch", "first", "numbers", "taken", "hellos"),
    [
        ("S1", 3, 3, (3, 4), (3, 4), 0),
        ("S0", 3, 3, (3, 4), (), 0),
        ("S1", 2, 3, (3, 4), (), 0),
        ("S1", 4, 3, (3, 4), (3, 4), 0),
        ("S1", 3, 2, (2, 3), (3,), 0),
        ("S1", 3, 1, (1, 2), (), 0),
        ("S1", 3, 4, (4,), (), 1),
        ("S1", 3, 3, (1, 3), (3,), 0),
        ("S1", 3, 3, (3, 3), (3,), 0),
        ("S1", 3, 3, (), (), 0),
    ],
    ids=[
        "the next ones",
        "another session's",
        "a past epoch's",
        "a new epoch's",
        "partly seen",
        "all seen",
        "a gap: say hello",
        "a known key",
        "a key twice",
        "none",
    ],
)
def test_which_orders_are_taken(
    session: str, epoch: int, first: int, numbers: tuple[int, ...], taken: list[int], hellos: int
) -> None:
    """An order is taken once, in its session, in sequence, and of no past epoch."""
    bench = Bench()
    assert bench.open(epoch=3) == "S1"
    bench.met()
    bench.dispatch("S1", 1, 2, epoch=3)
    bench.commands.clear()
    bench.dispatch(session, *numbers, first=first, epoch=epoch)
    assert bench.started() == [key(n) for n in taken]
    assert len(bench.said(Hello)) == hellos


def test_records_come_before_orders_to_hosts() -> None:
    """An order is journaled with the host it is for before the host gets it."""
    bench = Bench()
    session = bench.open()
    bench.met("7:9")
    bench.commands.clear()
    bench.dispatch(session, 1, 2)
    kinds = [type(c) for c in bench.commands]
    assert kinds.index(ToHost) > max(i for i, kind in enumerate(kinds) if kind is Journal)
    assert bench.journal[-2:] == [
        Accepted(bench.now.wall_us, orders(1, 2)),
        Handed("7:9", [key(1), key(2)]),
    ]


def test_a_new_epoch_is_journaled_first() -> None:
    """An order of a higher epoch raises what was seen, for good."""
    bench = Bench()
    session = bench.open(epoch=3)
    bench.dispatch(session, 1, epoch=5)
    epochs = [r for r in bench.journal if isinstance(r, EpochSeen)]
    assert epochs == [EpochSeen(3), EpochSeen(5)]
    bench.restart()
    assert bench.link_up().epoch_seen == 5


def test_a_host_is_started_once() -> None:
    """The first order for an executor starts its host; all orders wait for it."""
    bench = Bench()
    session = bench.open()
    bench.dispatch(session, 1, 2)
    bench.dispatch(session, 3, first=3)
    assert bench.take(StartHost) == [StartHost("shell")]
    bench.met()
    assert bench.started() == [key(1), key(2), key(3)]


def test_an_unknown_executor_is_refused() -> None:
    """An order for an executor that is not offered is refused, with the reason."""
    bench = Bench()
    session = bench.open()
    bench.tell(Dispatch(session, 1, 1, orders(1, executor="nats")))
    assert bench.take(FinishOutput) == [FinishOutput([(key(1), 1000)])]
    bench.over(1)
    status, message = bench.outcomes()[key(1)]
    assert status is Status.REFUSED
    assert "'nats'" in message


def test_a_host_that_does_not_start_refuses() -> None:
    """What waited for a host that cannot be started is refused, with the reason."""
    from tocsin.agent.machine.events import HostFailed

    bench = Bench()
    session = bench.open()
    bench.dispatch(session, 1)
    bench.feed(HostFailed("shell", "it has no legs"))
    bench.over(1)
    assert bench.outcomes()[key(1)] == (Status.REFUSED, "it has no legs")
    bench.commands.clear()
    bench.dispatch(session, 2, first=2)
    assert bench.take(StartHost) == [StartHost("shell")]


class TestCancel:
    """What a cancel does, by how far the attempt is."""

    def test_running(self) -> None:
        """The host is told, and its outcome counts."""
        bench = Bench()
        session = bench.running(1)
        bench.tell(Cancel(session, [key(1), key(9)]))
        assert bench.to_hosts(CancelRuns) == [CancelRuns([key(1)])]

    def test_waiting_for_a_host(self) -> None:
        """It is over at once, and never handed over."""
        bench = Bench()
        session = bench.open()
        bench.dispatch(session, 1)
        bench.tell(Cancel(session, [key(1)]))
        bench.over(1)
        assert bench.outcomes()[key(1)][0] is Status.CANCELLED
        bench.met()
        assert bench.started() == []

    def test_in_the_same_turn(self) -> None:
        """The host gets the order first, so the cancel is not lost."""
        from tocsin.agent.machine.events import Told

        bench = Bench()
        session = bench.open()
        bench.met()
        bench.commands.clear()
        bench.feed(Told(Dispatch(session, 1, 1, orders(1))), Told(Cancel(session, [key(1)])))
        kinds = [type(c.message).__name__ for c in bench.take(ToHost)]
        assert kinds == ["StartRuns", "CancelRuns"]

    def test_while_the_host_is_away(self) -> None:
        """A host that is met later is told then."""
        bench = Bench()
        bench.running(1)
        bench.restart("shell")
        bench.met(running=(1,))
        session = bench.open()
        bench.tell(Cancel(session, [key(1)]))
        assert bench.to_hosts(CancelRuns) == [CancelRuns([key(1)])]
        bench.commands.clear()
        bench.met(running=(1,))
        assert bench.to_hosts(CancelRuns) == [CancelRuns([key(1)])]

    def test_of_another_session(self) -> None:
        """It is not heard."""
        bench = Bench()
        bench.running(1)
        bench.tell(Cancel("S0", [key(1)]))
        assert bench.to_hosts(CancelRuns) == []


class TestFullDisk:
    """What happens while the journal cannot be written."""

    def test_orders_are_refused(self) -> None:
        """What cannot be recorded is not run, and the reason is told."""
        bench = Bench()
        session = bench.open()
        bench.met()
        bench.commands.clear()
        bench.failure = "no space left"
        bench.dispatch(session, 1, 2)
        assert bench.started() == []
        bench.over(1, 2)
        status, message = bench.outcomes()[key(1)]
        assert status is Status.REFUSED
        assert "no space left" in message

    def test_orders_that_wait_are_refused(self) -> None:
        """So are orders whose host is not there yet."""
        bench = Bench()
        session = bench.open()
        bench.failure = "no space left"
        bench.dispatch(session, 1)
        bench.failure = ""
        bench.met()
        assert bench.started() == []
        bench.over(1)
        assert bench.outcomes()[key(1)][0] is Status.REFUSED

    def test_ends_are_reported_and_kept_by_the_host(self) -> None:
        """An end is told at once; the host keeps it until the journal has it."""
        bench = Bench()
        bench.running(1)
        bench.failure = "no space left"
        bench.ended(1)
        assert bench.outcomes()[key(1)][0] is Status.SUCCEEDED
        bench.wait(0.5)
        bench.met(running=(), ended=(1,))
        assert bench.to_hosts(Confirm) == []
        bench.failure = ""
        bench.wait(2.0)
        assert [c.keys for c in bench.to_hosts(Confirm)] == [[key(1), key(1)]]
        assert any(isinstance(r, Ended) for r in bench.journal)
        assert not bench.machine.has_unwritten

    def test_it_is_said(self) -> None:
        """The log names the reason."""
        bench = Bench()
        session = bench.open()
        bench.failure = "no space left"
        bench.dispatch(session, 1)
        assert Note("journal.failed", {"reason": "no space left"}) in bench.commands

    def test_an_epoch_is_not_lost(self) -> None:
        """An epoch that could not be written is written later."""
        bench = Bench()
        session = bench.open(epoch=1)
        bench.failure = "no space left"
        bench.dispatch(session, 1, epoch=4)
        bench.failure = ""
        bench.wait(2.0)
        assert EpochSeen(4) in bench.journal


def test_attempts_are_accepted_first() -> None:
    """An accepted attempt is told as such when nothing more is known soon."""
    bench = Bench()
    session = bench.open()
    bench.dispatch(session, 1)
    assert bench.reported() == []
    bench.wait(0.006)
    assert [a.phase for a in bench.reported()] == [Phase.ACCEPTED]
