"""What is looked for in a log: texts, expressions, and expressions that never end."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.tui.test_log_lines import lines_of, pieces_of
from tocsin.coordinator.output_reading import matches
from tocsin.errors import RequestError
from tocsin.messages.client_answers import OutputFound, OutputPage, OutputPiece
from tocsin.messages.client_link import Ask, FindOutput, ReadOutput, ReadOutputBack
from tocsin.tui.log_line import LogLine
from tocsin.tui.log_lines import LogLines
from tocsin.tui.log_reader import LogReader
from tocsin.tui.log_search import needle
from tocsin.tui.log_seek import number_now
from tocsin.tui.log_sight import Sight
from tocsin.tui.log_view import LogView, Mode
from tocsin.tui.session import Session

ENDLESS = "/(a+)+b/"
AS = b"a" * 60 + b"\n"


@pytest.mark.parametrize(
    ("typed", "data", "is_in"),
    [
        ("/5\\d\\d/", b"GET / 502", True),
        ("/5\\d\\d/", b"GET / 40", False),
        ("/warn|err/", b"ERROR", True),
        ("/Err/", b"ERROR", False),
        ("/\\S+ err/", b"an ERR", True),
        ("/^d w/", b"\x1b[31md\x1b[m w", True),
        ("/ü$/", "GRÜ".encode(), True),
        ("//", b"http://x", True),
        ("/var/log", b"in /var/log/x", True),
        ("/", b"a/b", True),
    ],
)
def test_between_slashes_is_an_expression(typed: str, data: bytes, is_in: bool) -> None:  # noqa: FBT001 - a row of the table
    """Small letters match both cases; a path is a text."""
    assert needle(typed).holds(lines_of((1, data)).line(0)) is is_in


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (
            "/(x/",
            "/(x/ is no regular expression: missing ), unterminated subpattern at character 1",
        ),
        ("/*x/", "nothing to repeat"),
        ("/" + "x" * 300 + "/", "at most 256 characters"),
        ("/" + "a{99999999999}/", "too much"),
    ],
)
def test_a_wrong_expression_is_told(typed: str, says: str) -> None:
    """With what is wrong, and where."""
    with pytest.raises(RequestError) as caught:
        needle(typed)
    assert says in caught.value.message


def test_what_is_marked() -> None:
    """Where a text or an expression is; what matches nothing marks nothing."""
    assert needle("ab").spans("xABab") == [(1, 3), (3, 5)]
    assert needle("/a.?/").spans("xABa") == [(1, 3), (3, 4)]
    assert needle("/z*/").spans("abc") == []
    assert needle(ENDLESS).spans("a" * 60) == []


@pytest.mark.parametrize(
    ("mode", "sought", "given_up"),
    [
        (Mode(), ENDLESS, ENDLESS),
        (Mode(f"!{ENDLESS}"), "", f"!{ENDLESS}"),
        (Mode(ENDLESS), "a", ENDLESS),
        (Mode("/a/"), ENDLESS, f"/a/ and {ENDLESS}"),
    ],
)
def test_an_endless_expression_is_given_up(mode: Mode, sought: str, given_up: str) -> None:
    """Everything is shown again, and what was given up is told."""
    view = LogView(lines_of((1, AS * 3)))
    view.mode, view.needle = mode, sought
    view.update()
    assert (view.given_up, view.count) == (given_up, 3)
    assert view.found == ([0, 1, 2] if sought == "a" else [])


def test_an_expression_that_becomes_endless_with_what_arrives() -> None:
    """Lines that were found before are not found any more, rather than some of them."""
    view = LogView(lines_of((1, b"aab\nab\n")))
    view.needle = ENDLESS
    view.update()
    assert view.found == [0, 1]
    view.lines.add(pieces_of((1, b"aab\nab\n"), (1, AS))[1:])
    view.update()
    assert (view.given_up, view.found, view.needle) == (ENDLESS, [], "")


class _Store:
    """Answers as the coordinator does, a few pieces at a time."""

    def __init__(self, pieces: list[OutputPiece], at_once: int) -> None:
        self._pieces, self._at_once = pieces, at_once

    async def ask(self, ask: Ask) -> object:
        pieces = self._pieces
        match ask:
            case ReadOutput(_, after):
                rest = [piece for piece in pieces if piece.position > after]
                return OutputPage(
                    rest[: self._at_once], ended=False, more=len(rest) > self._at_once
                )
            case ReadOutputBack(_, before):
                rest = [piece for piece in pieces if not before or piece.position < before]
                return OutputPage(
                    rest[-self._at_once :], ended=False, more=len(rest) > self._at_once
                )
            case FindOutput(_, text, position, backward, exact):
                found = list(matches(text, [], pieces, exact=exact))
                if backward:
                    hits = [hit for hit in found if not position or hit < position]
                else:
                    hits = [hit for hit in found if hit > position]
                hit = (hits[-1] if backward else hits[0]) if hits else 0
                return OutputFound(hit, hit, 1)
            case _:
                raise AssertionError(ask)


_TEXTS = st.lists(
    st.tuples(st.sampled_from([1, 1, 1, 2]), st.text("ab\n", min_size=1, max_size=4)),
    min_size=1, max_size=30,
)  # fmt: skip


@settings(deadline=None, max_examples=150)
@given(
    texts=_TEXTS,
    typed=st.sampled_from(["ab", "bb", "aba", "/ab/", "/^b+$/", "/a.*a/"]),
    spare=st.integers(0, 5),
    step=st.sampled_from([1, -1]),
    start=st.integers(0, 29),
)
def test_every_match_is_come_by(
    texts: list[tuple[int, str]], typed: str, spare: int, step: int, start: int
) -> None:
    """Going from match to match leaves none out, wherever parts of the output are torn."""
    pieces = pieces_of(*((stream, text.encode()) for stream, text in texts))
    whole = LogLines()
    whole.add(pieces)
    all_lines = whole.lines(0)
    # A page holds every line as a whole, as real ones do.
    at_once = max(line.last - line.position for line in all_lines) + 3 + spare
    expected = {line.key for line in all_lines if needle(typed).holds(line)}
    seen = asyncio.run(_come_by(pieces, typed, at_once, step, start))
    numbers = [number_now(whole, line) for line in seen]
    assert {whole.line(number).key for number in numbers if number is not None} >= expected


async def _come_by(
    pieces: list[OutputPiece], typed: str, at_once: int, step: int, start: int
) -> list[LogLine]:
    lines, sight = LogLines(), Sight(LogLines())
    session = cast("Session", _Store(pieces, at_once))  # all that it needs of one
    reader = LogReader(session, "01", lines, lambda: None)
    sight.look_at(lines)
    sight.height = 5
    await reader.around(1 + start % len(pieces))
    sight.hold()
    sight.look_for(typed)
    seen = []
    for _ in range(2 * len(pieces) + 4):
        number = sight.match(step)
        if number is None:
            number = await reader.find(sight, step, lambda _: None)
        if number is None and sight.view.found:
            number = sight.view.found[0 if step > 0 else -1]
        if number is None:
            break
        sight.to(number)
        seen.append(lines.line(number))
    return seen
