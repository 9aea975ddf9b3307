"""What is kept of output that is watched is what would be kept if nobody had watched."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.coordinator.machine import keeping
from tocsin.coordinator.machine.commands import CutOutput, SaveJob, SaveOutput, SaveRun
from tocsin.coordinator.machine.events import OutputFollowed
from tocsin.coordinator.machine.watching import AGAIN_US, SPAN_S, WATCHED_MAX
from tocsin.coordinator.store.sqlite.store import SqliteStore
from tocsin.execution import AttemptKey
from tocsin.instants import SECOND_US
from tocsin.messages.agent_link import Chunk, Watch
from tocsin.model import JobRow, OutputRule, Run, RunState, Trigger
from tocsin.output_plan import head_bytes, next_piece, tail_bytes

from .bench import Bench, job
from .test_runs import started

KEY = AttemptKey("01.1")
RUN = Run(
    id="01", job_id=1, job="j", job_version=1, trigger=Trigger.MANUAL,
    state=RunState.RUNNING, created_us=0,
)  # fmt: skip


class Kept:
    """A store of one stream, and the tail that the machine has in mind."""

    def __init__(self, keep: int) -> None:
        self.keep = keep
        self.tails: dict[int, keeping.Tail] = {}
        self.store = SqliteStore(None)
        rule = OutputRule(keep_bytes=keep)
        self.store.stage([SaveJob(JobRow(id=1, job=job("j", output=rule), version=1))])
        self.store.stage([SaveRun(RUN)])
        self.bytes = 0
        self.pieces = 0

    def take(self, chunk: Chunk) -> None:
        """A chunk comes."""
        self.pieces += 1
        self.bytes += len(chunk.data)
        self.store.stage([SaveOutput(self.pieces, chunk)])
        span = keeping.Span(chunk.offset + chunk.gap_bytes, chunk.end)
        keeping.add(self.tails, chunk.stream, span, self.keep)
        self.cut(ended=False)

    def cut(self, *, ended: bool) -> None:
        """Let go of what has to go."""
        if 1 not in self.tails:
            return
        gone = keeping.cut(self.tails[1], self.keep, ended=ended)
        if gone is not None:
            self.bytes -= gone.bytes
            self.store.stage([CutOutput(KEY, 1, gone.start, gone.end)])

    def stored(self) -> bytes:
        """The stream as it is stored, which must have no hole; zeros where it has a gap."""
        self.store.commit()
        pieces, _ = self.store.read_output("01", 0, 0, 1 << 40)
        stream = bytearray()
        for piece in pieces:
            assert piece.offset == len(stream)
            stream += bytes(piece.gap_bytes) + piece.data
        assert sum(len(piece.data) for piece in pieces) == self.bytes
        return bytes(stream)

    def restart(self) -> None:
        """The coordinator begins anew with what is stored."""
        self.store.commit()
        (restored,) = self.store.past_runs(["01"]).values()
        assert restored.tails == self.tails
        self.tails = restored.tails


GROWTH = st.lists(st.tuples(st.integers(0, 300), st.booleans(), st.booleans()), max_size=30)


@settings(max_examples=60)
@given(GROWTH, st.integers(0, 400), st.integers(1, 90))
def test_head_and_tail_are_kept(grown: list[tuple[int, bool, bool]], keep: int, step: int) -> None:
    """However it grew, was watched, and the coordinator began anew; nothing is there twice."""
    kept, offset, size = Kept(keep), 0, 0
    stream = bytes(n % 250 + 1 for n in range(sum(more for more, *_ in grown)))

    def send(*, with_tail: bool, left: int) -> None:
        nonlocal offset
        while left and (piece := next_piece(offset, size, keep, with_tail=with_tail)):
            length = piece.length if piece.is_gap else min(piece.length, left, 64)
            data = b"" if piece.is_gap else stream[offset : offset + length]
            kept.take(Chunk(KEY, 1, offset, 0, data, length - len(data)))
            left -= len(data)
            offset += length

    for more, is_watched, begins_anew in grown:
        size += more
        send(with_tail=is_watched, left=step)
        assert kept.bytes <= keep + keep // keeping.SLACK_PARTS
        if begins_anew:
            kept.restart()
    send(with_tail=True, left=1 << 40)
    kept.cut(ended=True)

    stored = kept.stored()
    head, tail = head_bytes(keep), max(size - tail_bytes(keep), 0)
    assert stored[:head] == stream[:head]
    assert stored[tail:] == stream[tail:]
    assert {*zip(stored, stream, strict=True)} <= {(n, n) for n in stream} | {
        (0, n) for n in stream
    }
    assert kept.bytes == min(size, keep)


def test_a_cut_can_be_done_twice() -> None:
    """A transaction that broke off after the output was written is repeated."""
    kept = Kept(200)
    for n in range(20):
        kept.take(Chunk(KEY, 1, 50 * n, 0, b"%2d" % n * 25))
    before = kept.stored()
    cuts = [CutOutput(KEY, 1, 100, 500), CutOutput(KEY, 1, 100, 820)]
    kept.store.stage(cuts)
    kept.store.stage([SaveOutput(10, Chunk(KEY, 1, 450, 0, b" 9" * 25))])
    kept.store.stage(cuts)
    assert kept.stored() == before


def _follow(bench: Bench, run_id: str) -> list[Watch]:
    """What the agent is told when somebody follows a run."""
    told = len(bench.told(Watch))
    bench.feed(OutputFollowed(run_id))
    return bench.told(Watch)[told:]


def test_a_run_counts_what_is_kept_of_it() -> None:
    """Of what is sent of a watched run, and let go again, nothing is left in its size."""
    bench = Bench()
    session, run_id = started(bench, output=OutputRule(keep_bytes=320))
    key = AttemptKey(f"{run_id}.1")
    for n in range(40):
        bench.report(session, output=[Chunk(key, 1, 20 * n, 0, b"x" * 20)])
        assert bench.runs[run_id].output_bytes <= 340
    bench.report(session, bench.ended(key))
    assert bench.runs[run_id].output_bytes == 320


def test_an_agent_is_asked_for_what_somebody_follows() -> None:
    """Once, and again while that goes on, or when it has begun a new session."""
    bench = Bench()
    session, run_id = started(bench)
    key = AttemptKey(f"{run_id}.1")
    assert _follow(bench, run_id) == [Watch(session, [key], SPAN_S)]
    assert _follow(bench, run_id) == []
    bench.pass_time(AGAIN_US / SECOND_US)
    assert _follow(bench, run_id) == [Watch(session, [key], SPAN_S)]
    session = bench.hello(attempts=[bench.running(key)])
    assert _follow(bench, run_id) == [Watch(session, [key], SPAN_S)]
    bench.report(session, bench.ended(key))
    assert _follow(bench, run_id) == []


def test_a_run_that_waits_for_an_agent_can_be_followed() -> None:
    """There is nobody to be asked yet."""
    bench = Bench()
    bench.put(job(schedule=[]))
    (run,) = bench.request("backup")
    assert _follow(bench, run.id) == []


def test_so_many_runs_are_watched_at_the_same_time() -> None:
    """Others are when the first are not followed any more."""
    bench = Bench()
    bench.hello(slots=WATCHED_MAX + 1)
    bench.put(job(schedule=[], overlap="allow"))
    runs = [bench.request("backup")[0].id for _ in range(WATCHED_MAX + 1)]
    for run_id in runs[:-1]:
        assert _follow(bench, run_id)
    assert not _follow(bench, runs[-1])
    bench.pass_time(SPAN_S + 1)
    assert _follow(bench, runs[-1])
