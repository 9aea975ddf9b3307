"""Lines from pieces: streams apart, nothing lost in silence, memory bounded."""

from __future__ import annotations

import pytest

from tocsin.messages.client_answers import OutputPiece
from tocsin.tui import log_lines
from tocsin.tui.log_lines import Kind, LogLines


def _lines(*pieces: tuple[int, bytes], attempt: int = 1) -> LogLines:
    lines = LogLines()
    lines.add(
        OutputPiece(position, attempt, stream, 0, position, data)
        for position, (stream, data) in enumerate(pieces, 1)
    )
    return lines


def _texts(lines: LogLines) -> list[str]:
    all_lines = (lines.line(number) for number in range(lines.first, lines.end))
    return [f"{line.kind.value} {line.text}" for line in all_lines]


@pytest.mark.parametrize(
    ("pieces", "texts"),
    [
        ([(1, b"one\ntwo\n")], ["o one", "o two"]),
        ([(1, b"on"), (1, b"e\ntw"), (1, b"o")], ["o one", "o two"]),
        ([(1, b"on"), (2, b"err\n"), (1, b"e\n")], ["o one", "e err"]),
        ([(1, b"a\n\nb\n")], ["o a", "o ", "o b"]),
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
    assert _texts(_lines(*pieces)) == texts


def test_gap_is_told() -> None:
    """What was not kept has a line that says how much that is, and ends the line before it."""
    lines = _lines((1, b"head\nto"))
    lines.add([OutputPiece(2, 1, 1, 7, 2, b"", 2048), OutputPiece(3, 1, 1, 2055, 3, b"rn\n")])
    assert _texts(lines) == ["o head", "o to", "- ── 2 KiB of the middle not kept ──", "o rn"]
    assert lines.bytes == 7 + 2048 + 3
    assert lines.position == 3


def test_next_attempt_is_told() -> None:
    """A new attempt begins with a line of its own and joins no line of the one before."""
    lines = _lines((1, b"first"))
    lines.add([OutputPiece(2, 2, 1, 0, 2, b"second")])
    assert _texts(lines) == ["o first", "- ── attempt 2 ──", "o second"]


def test_long_line_is_cut_into_several() -> None:
    """A line without end neither grows for ever nor loses a character."""
    lines = _lines(*[(1, b"x" * 1_500)] * 7, (1, b"\nend\n"))
    texts = [lines.line(number).text for number in range(lines.first, lines.end)]
    assert [len(text) for text in texts] == [4_000, 4_000, 2_500, 3]


def test_oldest_lines_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound the oldest go, the numbers of the others stay, and a line can still grow."""
    monkeypatch.setattr(log_lines, "LINES_MAX", 100)
    lines = _lines((2, b"early"), (1, b"".join(b"%d\n" % i for i in range(100))))
    assert (lines.first, lines.end) == (11, 101)
    assert lines.line(11).text == "10"
    lines.add([OutputPiece(9, 1, 2, 5, 9, b" late\n")])
    assert lines.line(101) == (Kind.ERR, 9, "early late")


def test_characters_are_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few but long lines are forgotten as well."""
    monkeypatch.setattr(log_lines, "CHARS_MAX", 1_000)
    lines = _lines(*[(1, b"x" * 99 + b"\n")] * 40)
    assert lines.end - lines.first <= 10
    assert lines.end == 40


@pytest.mark.parametrize(
    ("needle", "found"), [("warn", [0, 2]), ("WARN", [2]), ("nothing", []), ("", [])]
)
def test_matches(needle: str, found: list[int]) -> None:
    """Small letters match both cases; capitals mean themselves."""
    assert _lines((1, b"warn\nfine\nWARN\n")).matches(needle) == found
