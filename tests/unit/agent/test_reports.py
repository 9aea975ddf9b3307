"""What is reported, when, and how much of it at once."""

from __future__ import annotations

from tocsin.agent.machine.commands import DropOutput
from tocsin.agent.machine.events import HostSaid, OutputRead
from tocsin.agent.machine.records import Forgotten
from tocsin.agent.machine.reports import WINDOW_OUTPUT_BYTES
from tocsin.execution import Outcome, Status
from tocsin.hosting import Confirm, HostReport, RunBegan, RunEnded
from tocsin.messages.agent_link import Phase, Report
from tocsin.wire import FRAME_BYTES_MAX, encode

from .bench import DONE, WALL_US, Bench, chunk, key


def test_a_lone_run_is_one_report() -> None:
    """A run that begins and ends at once is told of once, at once, as ended."""
    bench = Bench()
    session = bench.open()
    bench.met()
    bench.dispatch(session, 1)
    began, ended = RunBegan(key(1), WALL_US), RunEnded(key(1), WALL_US, WALL_US + 1, DONE)
    bench.feed(HostSaid("shell", HostReport([began], [ended])))
    bench.over(1)
    assert [(r.number, [a.phase for a in r.attempts]) for r in bench.said(Report)] == [
        (1, [Phase.ENDED])
    ]


def test_under_load_reports_gather() -> None:
    """Within five milliseconds of a report nothing leaves, unless much waits or all is over."""
    bench = Bench()
    bench.running(*range(1, 100))
    bench.ended(1)
    assert len(bench.said(Report)) == 1
    bench.ended(2)
    bench.ended(3)
    assert len(bench.said(Report)) == 1
    bench.wait(0.005)
    assert [len(r.attempts) for r in bench.said(Report)] == [1, 2]
    bench.ended(*range(4, 70))
    assert [len(r.attempts) for r in bench.said(Report)] == [1, 2, 66]
    bench.ended(*range(70, 99))
    bench.ended(99)
    assert [len(r.attempts) for r in bench.said(Report)] == [1, 2, 66, 30]


def test_an_end_never_precedes_its_output() -> None:
    """The end goes out in the report that carries the last of the output, or a later one."""
    bench = Bench()
    bench.running(1)
    bench.ended(1, over=False)
    pieces = [chunk(1, bytes(60_000), n * 60_000) for n in range(20)]
    bench.feed(OutputRead(pieces[:10], []))
    bench.feed(OutputRead(pieces[10:], [key(1)]))
    reports = bench.said(Report)
    assert [c for r in reports for c in r.output] == pieces
    assert [bool(r.attempts) for r in reports] == [False] * (len(reports) - 1) + [True]


def test_reports_fit_their_frames() -> None:
    """However much is to be told, each message is of a size that is taken."""
    bench = Bench()
    numbers = tuple(range(1, 4001))
    session = bench.running(*numbers)
    outcome = Outcome(Status.FAILED, 1, "ü" * 500, {"body": "x" * 200})
    bench.ended(*numbers, outcome=outcome, over=False)
    bench.feed(OutputRead([chunk(1, bytes(65536), n * 65536) for n in range(10)], []))
    bench.over(*numbers)
    while len(bench.outcomes()) < len(numbers):
        bench.wait(0.005)
        bench.ack(session, bench.last(Report).number)
    reports = bench.said(Report)
    assert max(len(encode(report)) for report in reports) <= FRAME_BYTES_MAX
    assert max(len(report.attempts) for report in reports) <= 2000


def test_few_reports_are_under_way() -> None:
    """The ninth report waits for an acknowledgement."""
    bench = Bench()
    session = bench.running(*range(1, 12))
    for n in range(1, 11):
        bench.ended(n)
        bench.wait(0.005)
    sent = bench.said(Report)
    assert len(sent) == 8
    assert bench.machine.output_budget == 0
    bench.ack(session, sent[0].number)
    assert len(bench.said(Report)) == 9
    assert [a.key for a in bench.last(Report).attempts] == [key(9), key(10)]


def test_output_is_bounded() -> None:
    """What was read and is not acknowledged counts against what may be read."""
    bench = Bench()
    assert bench.machine.output_budget == 0
    session = bench.running(1)
    full = bench.machine.output_budget
    assert full == WINDOW_OUTPUT_BYTES
    bench.feed(OutputRead([chunk(1, b"x" * 1000)], []))
    assert bench.machine.output_budget == full - 1000
    bench.wait(0.01)
    assert bench.machine.output_budget == full - 1000
    bench.ack(session, bench.last(Report).number)
    assert bench.machine.output_budget == full


def test_an_acknowledged_end_is_forgotten() -> None:
    """Its output is deleted and the journal told; the host had been told before."""
    bench = Bench()
    session = bench.running(1, 2)
    bench.ended(1)
    assert bench.to_hosts(Confirm) == [Confirm([key(1)])]
    number = bench.last(Report).number
    bench.ack(session, number - 1)
    assert bench.take(DropOutput) == []
    bench.ack(session, number)
    assert bench.take(DropOutput) == [DropOutput([key(1)])]
    assert bench.journal[-1] == Forgotten([key(1)])


def test_nothing_of_one_session_enters_another() -> None:
    """Reports that wait die with their session: the hello and the welcome replace them."""
    bench = Bench()
    bench.running(1, 2)
    bench.ended(1)
    bench.feed(OutputRead([chunk(2, b"x")], []))
    bench.restart("shell")
    bench.met(running=(2,))
    bench.open()
    bench.feed(OutputRead([chunk(2, b"x")], []))
    assert bench.last(Report).number == 1


def test_output_that_is_read_without_a_session_is_dropped() -> None:
    """It is read again from where the coordinator says."""
    bench = Bench()
    bench.running(1)
    bench.restart("shell")
    bench.met(running=(1,))
    bench.feed(OutputRead([chunk(1, b"x")], []))
    bench.open()
    bench.wait(0.1)
    assert bench.said(Report) == []
