"""How an agent ends."""

from __future__ import annotations

from tocsin.agent.machine.commands import Exit, StartHost
from tocsin.agent.machine.events import LinkDown, Terminate
from tocsin.hosting import Retire
from tocsin.messages.agent_link import Bye, Phase, Report

from .bench import Bench, key


def test_an_idle_agent_ends_at_once() -> None:
    """It says goodbye for good, and lets its hosts end."""
    bench = Bench()
    bench.open()
    bench.met()
    bench.feed(Terminate())
    assert [bye.final for bye in bench.said(Bye)] == [False, True]
    assert bench.to_hosts(Retire) == [Retire()]
    assert bench.take(Exit) == [Exit(0)]


def test_it_waits_for_its_runs_and_their_reports() -> None:
    """It ends when the last end is acknowledged."""
    bench = Bench()
    session = bench.running(1)
    bench.feed(Terminate())
    assert [bye.final for bye in bench.said(Bye)] == [False]
    bench.ended(1)
    bench.wait(1)
    number = bench.last(Report).number
    assert bench.take(Exit) == []
    bench.ack(session, number)
    assert bench.take(Exit) == [Exit(0)]


def test_it_does_not_wait_for_ever() -> None:
    """After the time it has, it ends; what runs goes on in its host."""
    bench = Bench()
    session = bench.running(1)
    bench.feed(Terminate())
    for _ in range(19):
        bench.wait(1)
        bench.pulse(session)
    assert bench.take(Exit) == []
    bench.wait(1)
    assert bench.last(Bye).final
    assert bench.take(Exit) == [Exit(0)]


def test_a_second_signal_ends_it_at_once() -> None:
    """Nothing is waited for."""
    bench = Bench()
    bench.running(1)
    bench.feed(Terminate())
    assert bench.take(Exit) == []
    bench.feed(Terminate())
    assert bench.take(Exit) == [Exit(1)]


def test_without_a_session_only_runs_are_waited_for() -> None:
    """Ends that cannot be delivered now are safe in the journal."""
    bench = Bench()
    bench.running(1, 2)
    bench.ended(1)
    bench.feed(LinkDown())
    bench.feed(Terminate())
    assert bench.take(Exit) == []
    bench.ended(2, over=False)
    assert bench.take(Exit) == [Exit(0)]


def test_orders_that_come_late_are_kept() -> None:
    """They are not started, not refused, and not waited for: the next agent has them."""
    bench = Bench()
    session = bench.running(1)
    bench.feed(Terminate())
    bench.dispatch(session, 2, first=2)
    bench.pulse(session)
    assert bench.started() == []
    bench.ended(1)
    bench.wait(1)
    bench.ack(session, bench.last(Report).number)
    assert bench.take(Exit) == [Exit(0)]
    bench.restart("shell")
    bench.gone()
    hello = bench.link_up()
    assert [(a.key, a.phase) for a in hello.attempts] == [(key(2), Phase.ACCEPTED)]
    bench.welcome(hello.session)
    bench.pulse(hello.session)
    assert StartHost("shell") in bench.commands


def test_a_new_session_is_told_again() -> None:
    """Goodbye is said in each session until the end."""
    bench = Bench()
    bench.running(1)
    bench.feed(Terminate())
    bench.feed(LinkDown())
    bench.commands.clear()
    bench.welcome(bench.link_up().session)
    assert [bye.final for bye in bench.said(Bye)] == [False]
