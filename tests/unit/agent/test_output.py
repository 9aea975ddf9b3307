"""Which output is sent, in which pieces, and what becomes of the files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.agent.allowance import WATCHED_BYTES_S
from tocsin.agent.machine.commands import Position
from tocsin.agent.output import CHUNK_BYTES_MAX, LOOK_US, LOOK_US_MAX, WATCHED_LOOK_US_MAX, Outputs
from tocsin.agent.stamps import MARKS_MAX
from tocsin.execution import AttemptKey
from tocsin.instants import Now
from tocsin.log import Log
from tocsin.messages.agent_link import Chunk
from tocsin.output_plan import (
    FREE_MARGIN_BYTES,
    FREE_SLACK_BYTES,
    may_be_freed,
    next_free,
    next_piece,
)

from .bench import key

BUDGET = 1 << 30
SIZES = st.integers(0, 5000)


class TestPlan:
    """The pure choice of the next piece."""

    @given(st.lists(SIZES, min_size=1).map(sorted), st.integers(0, 2000), st.integers(1, 700))
    def test_pieces_cover_the_stream(self, sizes: list[int], keep: int, step: int) -> None:
        """However it grows, the pieces follow each other, and head and tail are what is kept."""
        sent = bytearray()
        stream = bytes(n % 251 for n in range(sizes[-1]))
        gaps = 0
        for n, size in enumerate([*sizes, sizes[-1]]):
            ended = n == len(sizes)
            while piece := next_piece(len(sent), size, keep, with_tail=ended):
                assert piece.offset == len(sent)
                length = piece.length if piece.is_gap else min(piece.length, step)
                gaps += piece.is_gap
                sent += bytes(length) if piece.is_gap else stream[piece.offset :][:length]
        assert len(sent) == len(stream)
        if len(stream) <= keep:
            assert sent == stream
            assert gaps == 0
        else:
            head, tail = keep - keep // 2, keep // 2
            assert sent[:head] == stream[:head]
            assert sent[len(sent) - tail :] == stream[len(stream) - tail :]
            assert gaps == 1

    @given(SIZES, SIZES, st.integers(0, 2000))
    def test_it_goes_on_from_anywhere(self, offset: int, size: int, keep: int) -> None:
        """From any offset the end is reached, and not more than is kept is sent."""
        data = 0
        while piece := next_piece(offset, size, keep, with_tail=True):
            assert piece.length > 0
            offset += piece.length
            data += 0 if piece.is_gap else piece.length
        assert offset >= size
        assert data <= keep

    @given(st.lists(st.integers(0, 100 << 20)).map(sorted), st.integers(0, 3 << 20))
    def test_only_the_middle_is_freed(self, sizes: list[int], keep: int) -> None:
        """What is freed is never sent, and at most the slack of the middle is not freed."""
        freed = 0
        for size in sizes:
            piece = next_free(freed, size, keep)
            if piece is not None:
                assert piece.offset >= max(freed, keep - keep // 2)
                assert piece.length >= FREE_SLACK_BYTES - FREE_MARGIN_BYTES
                freed = piece.offset + piece.length
            assert freed <= max(size - keep // 2, 0)
            assert size - freed <= keep + FREE_SLACK_BYTES
            assert may_be_freed(freed - 1, size, keep) == (freed > 0)

    @given(st.lists(st.tuples(SIZES, st.booleans())), st.integers(0, 2000), st.integers(1, 700))
    def test_watching_costs_nothing_of_the_tail(
        self, grown: list[tuple[int, bool]], keep: int, step: int
    ) -> None:
        """Whenever it was watched, and however little was sent of it then, the tail is complete."""
        size, sent = 0, bytearray()
        stream = bytes(n % 251 for n in range(sum(more for more, _ in grown)))
        for more, is_watched in grown:
            size += more
            left = step
            while left and (piece := next_piece(len(sent), size, keep, with_tail=is_watched)):
                length = piece.length if piece.is_gap else min(piece.length, left)
                left -= 0 if piece.is_gap else length
                sent += bytes(length) if piece.is_gap else stream[piece.offset :][:length]
        while piece := next_piece(len(sent), size, keep, with_tail=True):
            data = bytes(piece.length) if piece.is_gap else stream[piece.offset :][: piece.length]
            sent += data
        assert len(sent) == size
        assert sent[: keep - keep // 2] == stream[: keep - keep // 2]
        assert sent[size - min(keep // 2, size) :] == stream[size - min(keep // 2, size) :]


class Desk:
    """A directory of output files, and a clock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.outputs = Outputs(str(folder), Log("test"))
        self.steady_us = 1_000_000

    def watch(self, n: int, span_us: int = 60_000_000) -> None:
        """Have attempt n watched."""
        self.outputs.watch([key(n)], self.steady_us + span_us, self.now)

    @property
    def now(self) -> Now:
        """Both clocks."""
        return Now(self.steady_us, self.steady_us)

    def path(self, n: int, stream: int = 1) -> Path:
        """The file of a stream of attempt n."""
        return self.folder / f"{key(n)}.{'out' if stream == 1 else 'err'}"

    def append(self, n: int, data: bytes, stream: int = 1) -> None:
        """Have attempt n print."""
        with self.path(n, stream).open("ab") as file:
            file.write(data)
        os.utime(self.path(n, stream), ns=(0, self.steady_us * 1000))

    def follow(self, n: int, keep_bytes: int = 1 << 20) -> None:
        """Follow attempt n."""
        self.outputs.follow(key(n), keep_bytes, self.now)

    def read(self, budget: int = BUDGET) -> tuple[list[Chunk], list[AttemptKey]]:
        """Read once."""
        return self.outputs.read(budget, self.now)

    def next_look(self) -> int:
        """Let time pass until the next look; how long that took."""
        due_us = self.outputs.deadline_us()
        assert due_us is not None
        passed_us, self.steady_us = due_us - self.steady_us, due_us
        return passed_us


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A directory without output."""
    return Desk(tmp_path)


def test_output_is_read_as_it_grows(desk: Desk) -> None:
    """Both streams are followed, each from where it was left."""
    desk.follow(1)
    desk.append(1, b"one")
    printed_us = desk.steady_us
    desk.next_look()
    assert desk.read() == ([Chunk(key(1), 1, 0, printed_us, b"one")], [])
    desk.append(1, b"two")
    desk.append(1, b"err", 2)
    desk.next_look()
    chunks, _ = desk.read()
    assert [(c.stream, c.offset, c.data) for c in chunks] == [(1, 3, b"two"), (2, 0, b"err")]


def test_silence_is_looked_at_less_often(desk: Desk) -> None:
    """The time between looks grows to a second, and shrinks when output comes."""
    desk.follow(1)
    waits = []
    for _ in range(6):
        waits.append(desk.next_look())
        assert desk.read() == ([], [])
    assert waits == [LOOK_US, 2 * LOOK_US, 4 * LOOK_US, 8 * LOOK_US, LOOK_US_MAX, LOOK_US_MAX]
    desk.append(1, b"x")
    desk.next_look()
    assert desk.read()[0]
    assert desk.next_look() == LOOK_US


def test_a_silent_run_is_over_at_once(desk: Desk) -> None:
    """An end without output needs no second turn, and nothing is looked at any more."""
    desk.outputs.finish([(key(1), 1000)])
    assert desk.read() == ([], [key(1)])
    assert desk.outputs.deadline_us() is None
    assert not desk.outputs.has_ready()


def test_all_is_read_before_the_end_is_told(desk: Desk) -> None:
    """Chunks are of bounded size, the last comes with or before the word that it was the last."""
    desk.append(1, bytes(3 * CHUNK_BYTES_MAX))
    desk.outputs.finish([(key(1), 1 << 20)])
    chunks, over = desk.read(2 * CHUNK_BYTES_MAX)
    assert ([len(c.data) for c in chunks], over) == ([CHUNK_BYTES_MAX] * 2, [])
    chunks, over = desk.read()
    assert ([len(c.data) for c in chunks], over) == ([CHUNK_BYTES_MAX], [key(1)])


def test_without_a_budget_nothing_is_told(desk: Desk) -> None:
    """Neither output nor ends."""
    desk.outputs.finish([(key(1), 1000)])
    assert desk.read(0) == ([], [])
    assert desk.read(1) == ([], [key(1)])


def test_attempts_take_turns(desk: Desk) -> None:
    """A run that prints much does not keep the output of others waiting."""
    for n in (1, 2):
        desk.append(n, bytes(2 * CHUNK_BYTES_MAX))
        desk.outputs.finish([(key(n), 1 << 20)])
    assert [c.key for c in desk.read()[0]] == [key(1), key(2), key(1), key(2)]


def test_the_middle_of_much_output_is_left_out(desk: Desk) -> None:
    """Of a stream above the bound, head and tail are read, with a marked gap between."""
    desk.follow(1, keep_bytes=10)
    desk.append(1, b"0123456789abcdef")
    desk.next_look()
    chunks, _ = desk.read()
    assert [c.data for c in chunks] == [b"01234"]
    desk.outputs.finish([(key(1), 10)])
    chunks, over = desk.read()
    assert [(c.offset, c.data, c.gap_bytes) for c in chunks] == [(5, b"", 6), (11, b"bcdef", 0)]
    assert over == [key(1)]


def test_the_middle_of_huge_output_is_freed(desk: Desk) -> None:
    """The disk does not fill, whether or not anybody reads."""
    desk.follow(1, keep_bytes=1 << 20)
    for _ in range(4):
        desk.append(1, b"x" * (16 << 20))
        desk.next_look()
        desk.read(0)
    status = desk.path(1).stat()
    assert status.st_size == 64 << 20
    assert status.st_blocks * 512 < 12 << 20
    desk.outputs.finish([(key(1), 1 << 20)])
    chunks, _ = desk.read()
    assert {c.data.strip(b"x") for c in chunks} == {b""}


def test_it_goes_on_from_given_positions(desk: Desk) -> None:
    """Whatever was read before, for an attempt under way and for one that is over."""
    desk.append(1, b"abcdef")
    desk.append(2, b"abcdef")
    desk.follow(1)
    desk.outputs.resume(
        [Position(key(1), 1000, (2, 0), ended=False), Position(key(2), 1000, (4, 0), ended=True)],
        desk.now,
    )
    chunks, over = desk.read()
    assert [(c.key, c.data) for c in chunks] == [(key(1), b"cdef"), (key(2), b"ef")]
    assert over == [key(2)]


def test_a_stream_that_was_cut_short_ends_there(desk: Desk) -> None:
    """A run that truncates or deletes its own output file holds nothing up."""
    desk.follow(1)
    desk.append(1, b"abcdef")
    desk.next_look()
    desk.read()
    os.truncate(desk.path(1), 0)
    desk.outputs.finish([(key(1), 1000)])
    assert desk.read() == ([], [key(1)])
    desk.append(2, b"x")
    desk.outputs.finish([(key(2), 1000)])
    desk.path(2).unlink()
    assert desk.read() == ([], [key(2)])


def test_dropped_output_is_deleted(desk: Desk) -> None:
    """Both files, also of an attempt that was never looked at."""
    for n in (1, 2, 3):
        desk.append(n, b"x")
    desk.append(1, b"x", 2)
    desk.outputs.finish([(key(1), 1000)])
    desk.outputs.drop([key(1), key(2), key(9)])
    assert os.listdir(desk.folder) == [desk.path(3).name]  # noqa: PTH208 - names


def test_output_that_was_left_is_followed_anew(desk: Desk) -> None:
    """Its run was lost sight of, and is found again: it is read on from where it was known."""
    desk.follow(1)
    desk.append(1, b"one")
    desk.outputs.finish([(key(1), 1000)])
    assert desk.read()[1] == [key(1)]
    desk.outputs.leave([key(1)])
    desk.append(1, b"two")

    desk.follow(1)
    desk.outputs.resume([Position(key(1), 1000, (3, 0), ended=False)], desk.now)
    chunks, over = desk.read()
    assert ([(c.offset, c.data) for c in chunks], over) == ([(3, b"two")], [])


def test_a_sweep_spares_what_is_held(desk: Desk) -> None:
    """Files of other attempts go, files of other kinds stay."""
    for n in (1, 2):
        desk.append(n, b"x")
    (desk.folder / "notes.txt").touch()
    desk.outputs.sweep({key(2)})
    assert sorted(os.listdir(desk.folder)) == ["R2.1.out", "notes.txt"]  # noqa: PTH208 - names


def test_output_has_the_time_at_which_it_was_printed(desk: Desk) -> None:
    """Not that at which it was read or sent: nobody may have listened meanwhile."""
    desk.follow(1)
    printed_us = []
    for n in range(5):
        desk.append(1, b"%d\n" % n)
        printed_us.append(desk.steady_us)
        desk.next_look()
        assert desk.read(0) == ([], [])
        desk.steady_us += 1_000_000
    chunks, _ = desk.read()
    assert [(c.at_us, c.data) for c in chunks] == [
        (at_us, b"%d\n" % n) for n, at_us in enumerate(printed_us)
    ]
    desk.outputs.resume([Position(key(1), 1 << 20, (2, 0), ended=False)], desk.now)
    assert [c.at_us for c in desk.read()[0]] == printed_us[1:]


def test_not_every_instant_is_remembered(desk: Desk) -> None:
    """Of very much that nobody fetches, what is printed one after the other shares a time."""
    desk.follow(1)
    for _ in range(3 * MARKS_MAX):
        desk.append(1, b"x")
        desk.next_look()
        desk.read(0)
    chunks, _ = desk.read()
    assert b"".join(c.data for c in chunks) == b"x" * 3 * MARKS_MAX
    assert MARKS_MAX // 2 <= len(chunks) <= MARKS_MAX
    assert [c.at_us for c in chunks] == sorted(c.at_us for c in chunks)


class TestWatched:
    """Of what somebody watches, the newest is read as well."""

    def test_the_newest_is_read_while_it_is_printed(self, desk: Desk) -> None:
        """Behind the head comes what is the tail now, and then what follows it."""
        desk.follow(1, keep_bytes=10)
        desk.append(1, b"0123456789abcdef")
        desk.next_look()
        assert [c.data for c in desk.read()[0]] == [b"01234"]
        desk.watch(1)
        chunks, _ = desk.read()
        assert [(c.offset, c.data, c.gap_bytes) for c in chunks] == [(5, b"", 6), (11, b"bcdef", 0)]
        desk.append(1, b"gh")
        desk.next_look()
        assert [(c.offset, c.data) for c in desk.read()[0]] == [(16, b"gh")]

    def test_when_nobody_watches_any_more_the_rest_waits(self, desk: Desk) -> None:
        """Until the end, which then follows what was sent."""
        desk.follow(1, keep_bytes=10)
        desk.append(1, b"0123456789abcdef")
        desk.watch(1, span_us=1000)
        desk.next_look()
        desk.read()
        desk.append(1, b"ghi")
        desk.next_look()
        assert desk.read() == ([], [])
        desk.outputs.finish([(key(1), 10)])
        chunks, over = desk.read()
        assert b"".join(c.data for c in chunks)[-5:] == b"efghi"
        assert over == [key(1)]

    def test_it_is_looked_at_more_often(self, desk: Desk) -> None:
        """Somebody waits for the next line, and sees at once when it comes."""
        desk.follow(1)
        for _ in range(6):
            desk.next_look()
            desk.read()
        desk.watch(1)
        waits = [(desk.next_look(), desk.read())[0] for _ in range(4)]
        assert waits == [LOOK_US, *[WATCHED_LOOK_US_MAX] * 3]

    def test_a_flood_is_not_sent(self, desk: Desk) -> None:
        """What may be sent is bounded; what is printed meanwhile becomes gaps, and none is lost."""
        desk.follow(1, keep_bytes=1 << 20)
        desk.watch(1)
        sent, begun_us, chunks = 0, desk.steady_us, []
        for n in range(40):
            desk.append(1, b"%4d" % n * (512 << 10))
            desk.next_look()
            chunks += desk.read()[0]
        sent = sum(len(c.data) for c in chunks)
        passed_us = desk.steady_us - begun_us
        assert sent > 512 << 10
        assert sent <= (1 << 20) + WATCHED_BYTES_S * passed_us // 1_000_000
        assert b"  39" in chunks[-1].data
        assert sum(c.gap_bytes > 0 for c in chunks) > 10
        end = 0
        for chunk in chunks:
            assert chunk.offset == end
            assert b"\0" not in chunk.data
            end = chunk.end

    def test_what_could_not_be_sent_at_once_follows(self, desk: Desk) -> None:
        """Also of a run that prints nothing any more."""
        desk.follow(1, keep_bytes=4 << 20)
        desk.append(1, bytes(4 << 20))
        desk.watch(1)
        got = 0
        while got < 4 << 20:
            desk.next_look()
            chunks, _ = desk.read()
            got += sum(len(c.data) for c in chunks)
            assert desk.steady_us < 60_000_000
        assert got == 4 << 20

    def test_a_flood_on_stdout_leaves_room_for_stderr(self, desk: Desk) -> None:
        """Both share what may be sent."""
        desk.follow(1, keep_bytes=100 << 10)
        desk.watch(1)
        seen = b""
        for n in range(100):
            desk.append(1, bytes(1 << 20))
            desk.append(1, b"%5d" % n * (50 << 10), 2)
            desk.next_look()
            seen += b"".join(c.data for c in desk.read()[0] if c.stream == 2)
        assert b"   99" in seen
