"""Lines from pieces: streams apart, nothing lost in silence, memory bounded, both ends movable."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.messages.client_answers import OutputPiece
from tocsin.tui import log_lines, log_stretch
from tocsin.tui.log_line import Kind
from tocsin.tui.log_lines import LogLines


def pieces_of(*texts: tuple[int, bytes] | tuple[int, bytes, int]) -> list[OutputPiece]:
    """Pieces of attempt 1 or the one that is named, with the offsets that they would have."""
    offsets: dict[tuple[int, int], int] = {}
    pieces = []
    for position, (stream, data, *more) in enumerate(texts, 1):
        attempt = more[0] if more else 1
        offset = offsets.get((attempt, stream), 0)
        offsets[attempt, stream] = offset + len(data)
        pieces.append(OutputPiece(position, attempt, stream, offset, position, data))
    return pieces


def lines_of(*texts: tuple[int, bytes]) -> LogLines:
    """The window after these pieces have arrived."""
    lines = LogLines()
    lines.add(pieces_of(*texts))
    return lines


def _texts(lines: LogLines) -> list[str]:
    all_lines = (lines.line(number) for number in range(lines.first, lines.end))
    return [f"{line.kind.value} {'…' if line.torn else ''}{line.text}" for line in all_lines]


@pytest.mark.parametrize(
    ("pieces", "texts"),
    [
        ([(1, b"one\ntwo\n")], ["o one", "o two"]),
        ([(1, b"on"), (1, b"e\ntw"), (1, b"o")], ["o one", "o two"]),
        ([(1, b"on"), (2, b"err\n"), (1, b"e\n")], ["o one", "e err"]),
        ([(1, b"a\n\nb\n")], ["o a", "o ", "o b"]),
        ([(1, b"a"), (1, b"\n"), (1, b"\n"), (1, b"b")], ["o a", "o ", "o b"]),
        ([(1, "Grü".encode()[:3]), (1, "Grü".encode()[3:] + b"n\n")], ["o Grün"]),
        ([(1, b"\xff\n")], ["o \ufffd"]),
        ([(1, b"10%\r20%\r"), (1, b"30%\r\n")], ["o 30%"]),
        ([(1, b"dos\r\nline\r\n")], ["o dos", "o line"]),
        ([(1, b"\x1b[3"), (1, b"1mred\n")], ["o red"]),
        ([], []),
    ],
)
def test_lines(pieces: list[tuple[int, bytes]], texts: list[str]) -> None:
    """Pieces become lines wherever they were cut, each stream growing its own."""
    assert _texts(lines_of(*pieces)) == texts


def test_gap_is_told() -> None:
    """What was not kept has a line that says how much that is, and ends the line before it."""
    lines = lines_of((1, b"head\nto"))
    lines.add([OutputPiece(2, 1, 1, 7, 2, b"", 2048), OutputPiece(3, 1, 1, 2055, 3, b"rn\n")])
    assert _texts(lines) == ["o head", "o to", "- ── 2 KiB not kept here ──", "o rn"]
    assert (lines.bytes, lines.position) == (10, 3)


def test_what_went_before_it_was_read_is_told() -> None:
    """A piece that does not follow what is there begins behind a gap; what is there is no gap."""
    lines = lines_of((1, b"head\nto"))
    lines.add([OutputPiece(7, 1, 1, 2055, 3, b"rn\n"), OutputPiece(9, 1, 1, 5, 3, b"x", 3077)])
    told = ["- ── 2 KiB not kept here ──", "o rn", "- ── 1 KiB not kept here ──", "o x"]
    assert _texts(lines) == ["o head", "o to", *told]


def test_next_attempt_is_told() -> None:
    """A new attempt begins with a line of its own and joins no line of the one before."""
    lines = LogLines()
    pieces = pieces_of((1, b"first"), (1, b"second", 2))
    lines.add(pieces)
    told = ["o first", "- ── attempt 2 ──", "o second"]
    assert _texts(lines) == told
    lines.open(pieces[1:], earlier=True, later=False)
    assert _texts(lines) == told[2:]
    lines.add_earlier(pieces[:1], more=False)
    assert _texts(lines) == told


def test_long_line_is_cut_into_several() -> None:
    """A line without end neither grows for ever nor loses a character."""
    texts = [line.text for line in lines_of(*[(1, b"x" * 1_500)] * 7, (1, b"\nend\n")).lines(0)]
    assert [len(text) for text in texts] == [4_000, 4_000, 2_500, 3]
    whole = lines_of((1, b"a\n" + b"x" * 9_000 + b"\nend\n"))
    assert [len(line.text) for line in whole.lines(0)] == [1, 4_000, 4_000, 1_000, 3]


def test_what_follows_the_end_lets_go_of_the_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound the oldest page goes, numbers stay, and what is left of a line grows."""
    monkeypatch.setattr(log_lines, "LINES_MAX", 100)
    lines = lines_of((2, b"early"), *[(1, b"%d\n" % number) for number in range(120)])
    assert (lines.end, lines.at_start, lines.at_end) == (121, False, True)
    assert lines.first > 15
    assert lines.line(lines.first).text == str(lines.first - 1)
    lines.add([OutputPiece(122, 1, 2, 5, 9, b" late\n")])
    assert _texts(lines)[-1] == "e … late"


def test_size_is_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few but long lines are let go of as well."""
    monkeypatch.setattr(log_lines, "BYTES_MAX", 1_000)
    lines = lines_of(*[(1, b"x" * 99 + b"\n")] * 40)
    assert lines.end - lines.first <= 11
    assert lines.end == 40


def test_where_the_reader_is_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that is read is kept; what then arrives beyond the bound is counted, not taken."""
    monkeypatch.setattr(log_lines, "LINES_MAX", 100)
    pieces = pieces_of(*[(1, b"%d\n" % number) for number in range(300)])
    lines = LogLines()
    lines.add(pieces[:90])
    lines.pinned = 40
    for piece in pieces[90:]:
        lines.add([piece])
    assert lines.first <= 40
    assert lines.arrived_lines == 300
    assert lines.end < 200
    lines.pinned = lines.end - 1
    while not lines.at_end:
        lines.add_later(pieces[lines.position :][:30], more=lines.position + 30 < len(pieces))
        lines.pinned = lines.end - 1
    assert (lines.end, lines.line(299).text) == (300, "299")


def test_how_much_is_not_loaded() -> None:
    """It is known at either end, and about known in the middle."""
    pieces = pieces_of(*[(1, b"0123456789")] * 10)
    lines = LogLines()
    lines.open(pieces[6:], earlier=True, later=False)
    assert lines.not_loaded(100) == (60, 0)
    lines.open(pieces[:3], earlier=False, later=True)
    assert lines.not_loaded(100) == (0, 70)
    lines.open(pieces[3:5], earlier=True, later=True)
    assert lines.not_loaded(100) == (30, 50)


def test_a_line_is_known_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its key finds it after its page was let go of and read again."""
    monkeypatch.setattr(log_lines, "LINES_MAX", 40)
    pieces = pieces_of(*[(1, b"%d\n%d\n" % (number, number)) for number in range(100)])
    lines = LogLines()
    lines.add(pieces[:10])
    key = lines.line(7).key
    lines.add(pieces[10:])
    assert lines.number_of(key) is None
    while lines.before > 2:
        lines.pinned = lines.first
        lines.add_earlier(pieces[: lines.before - 1][-5:], more=True)
    number = lines.number_of(key)
    assert number is not None
    assert lines.line(number).text == "3"


_STEPS = st.lists(st.sampled_from(["arrive", "earlier", "later", "up", "down", "follow", "end"]))


@settings(max_examples=300, deadline=None)
@given(
    texts=st.lists(
        st.tuples(st.sampled_from([1, 2]), st.text("ab\n", min_size=1, max_size=8)), max_size=60
    ),
    retried=st.integers(0, 60),
    opened=st.integers(0, 60),
    steps=_STEPS,
)
def test_any_way_through_shows_the_same_lines(
    texts: list[tuple[int, str]], retried: int, opened: int, steps: list[str]
) -> None:
    """Whatever is read, let go of and read again: the window holds a stretch of the whole."""
    pieces = pieces_of(
        *((s, text.encode(), 1 + (n >= retried)) for n, (s, text) in enumerate(texts))
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_lines, "LINES_MAX", 20)
        patch.setattr(log_lines, "PAGES", 5)
        lines, arrived = LogLines(), min(opened, len(pieces))
        tail = pieces[max(arrived - 10, 0) : arrived]
        lines.open(tail, earlier=arrived > 10, later=False)
        for step in steps:
            arrived = _step(lines, pieces, arrived, step)
            _check(lines, pieces[:arrived])


def _step(lines: LogLines, pieces: list[OutputPiece], arrived: int, step: str) -> int:
    match step:
        case "arrive":
            lines.add(pieces[arrived : arrived + 4])
            return min(arrived + 4, len(pieces))
        case "earlier" if not lines.at_start:
            page = pieces[: lines.before - 1][-4:]
            lines.add_earlier(page, more=page[0].position > 1)
        case "later" if not lines.at_end:
            page = pieces[lines.position : arrived][:4]
            lines.add_later(page, more=lines.position + len(page) < arrived)
        case "up" if lines.end > lines.first:
            lines.pinned = lines.first
        case "down" if lines.end > lines.first:
            lines.pinned = lines.end - 1
        case "follow":
            lines.pinned = None
        case "end":
            lines.open(pieces[max(arrived - 5, 0) : arrived], earlier=arrived > 5, later=False)
    return arrived


def _check(lines: LogLines, arrived: list[OutputPiece]) -> None:
    inside = [p for p in arrived if lines.before <= p.position <= lines.position]
    assert lines.bytes == sum(len(piece.data) for piece in inside)
    for stream, kind in ((1, Kind.OUT), (2, Kind.ERR)):
        for attempt in (1, 2):
            mine = [p for p in arrived if (p.attempt, p.stream) == (attempt, stream)]
            expected = _naive(mine, {piece.position for piece in inside})
            shown = [
                line
                for line in lines.lines(lines.first)
                if line.kind is kind and _attempt_of(arrived, line.position) == attempt
            ]
            # The end of a line that ended just behind its last character need not be there.
            unsure = bool(shown) and shown[0].torn and not shown[0].data
            shown = shown[1:] if unsure else shown
            if expected and not expected[0][1] and (unsure or expected[0][2]):
                expected = expected[1:]
            assert [(line.start, line.data.decode()) for line in shown] == [
                (start, text) for start, text, _ in expected
            ]
            for nth, (line, (_, _, torn)) in enumerate(zip(shown, expected, strict=True)):
                # Of the first line of all it cannot be known, unless what is before was there.
                assert line.torn or not torn
                assert not line.torn or (nth == 0 and not lines.at_start)
    notes = [line.text for line in lines.lines(lines.first) if line.kind is Kind.NOTE]
    assert notes in ([], ["── attempt 2 ──"])
    if lines.at_start and {piece.attempt for piece in inside} == {1, 2}:
        assert notes == ["── attempt 2 ──"]


def _attempt_of(pieces: Iterable[OutputPiece], position: int) -> int:
    return next(piece.attempt for piece in pieces if piece.position == position)


def _naive(pieces: list[OutputPiece], inside: set[int]) -> list[tuple[int, str, bool]]:
    """The lines of one stream, by walking over all of its bytes; only what is inside counts."""
    lines: list[tuple[int, str, bool]] = []
    offset, begun = 0, False
    for piece in pieces:
        for char in piece.data.decode():
            if piece.position in inside:
                if not lines or not begun:
                    fresh = begun and not lines
                    lines.append((offset, "", fresh))
                    begun = True
                if char != "\n":
                    start, text, torn = lines[-1]
                    lines[-1] = (start, text + char, torn)
            else:
                begun = True
            if char == "\n":
                begun = False
            offset += 1
    return lines


def test_lines_longer_than_a_page_are_whole_when_all_is_read() -> None:
    """Read back page by page, an endless line loses nothing."""
    pieces = pieces_of(*[(1, b"x" * 3_000)] * 20)
    lines = LogLines()
    lines.open(pieces[-1:], earlier=True, later=False)
    while not lines.at_start:
        lines.add_earlier(pieces[: lines.before - 1][-3:], more=lines.before > 4)
    texts = [line.text for line in lines.lines(lines.first)]
    assert "".join(texts) == "x" * 60_000
    assert max(map(len, texts)) <= 2 * log_stretch.LINE_BYTES_MAX
