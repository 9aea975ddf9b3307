"""What a program under the exec executor writes, and what becomes of it."""

from __future__ import annotations

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.execution import Outcome, Status
from tocsin.executors.exec.account import FACTS_BYTES_MAX, Account
from tocsin.executors.exec.lines import LINE_BYTES_MAX, Line, LineSplitter, read_line

GOOD = Outcome(Status.SUCCEEDED, 0)
BAD = Outcome(Status.FAILED, 3, "exit code 3")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b'{"output": "a\\n"}', Line(output="a\n")),
        (b'{"output": "a", "stream": "stderr"}\r\n', Line(output="a", stream="stderr")),
        (b'{"facts": {"n": 1}, "later": true}\n', Line(facts={"n": 1})),
        (b'{"result": "failed", "message": "no"}', Line(result="failed", message="no")),
        (b'{"output_base64": "AP8="}', Line(output_base64="AP8=")),
    ],
)
def test_lines_of_the_protocol(text: bytes, line: Line) -> None:
    """An object with one of its keys is one; keys of a later version are skipped."""
    assert read_line(text) == line


@pytest.mark.parametrize(
    "text",
    [
        b"{", b"{}", b"{'output': 1}", b'{"level": "info", "message": "up"}', b'{"output": 5}',
        b'{"output": "a", "stream": "stdin"}', b'{"facts": [1]}', b'{"output_base64": "?"}',
        b'{"output": "\xff"}', b'{"output": "a"} {"output": "b"}', b"{" * 5000,
        b'{"facts": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    ],
)  # fmt: skip
def test_lines_that_are_output(text: bytes) -> None:
    """What is none, or garbled, is nothing but output."""
    assert read_line(text) is None


@pytest.mark.parametrize(
    "text",
    [
        b'{"result": "success"}', b'{"result": 0}', b'{"result": {"rows": 5}}',
        b'{"result": "failed", "message": 5}', b'{"result": "succeeded", "exit_code": "0"}',
    ],
)  # fmt: skip
def test_a_result_that_makes_no_sense(text: bytes) -> None:
    """A result is never taken for output: a run would succeed that says otherwise."""
    with pytest.raises(ValueError, match="its result"):
        read_line(text)


def pieces(chunks: list[bytes]) -> list[tuple[bytes, bool]]:
    """All that a splitter makes of what comes."""
    splitter = LineSplitter()
    found = [piece for chunk in chunks for piece in splitter.feed(chunk)]
    return found + list(splitter.rest())


@given(
    st.lists(st.sampled_from([b"{a}", b"b", b"\n", b"{", b"\r\n", b"long" * 9]), max_size=12),
    st.integers(1, 9),
)
def test_lines_however_they_come(parts: list[bytes], size: int) -> None:
    """No byte is lost, and the lines that begin with a brace are found whole."""
    data = b"".join(parts)
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    found = pieces(chunks)
    assert b"".join(piece for piece, _ in found) == data
    spoken = [piece for piece, may_speak in found if may_speak]
    every = re.findall(rb"[^\n]*\n|[^\n]+", data)
    assert spoken == [line for line in every if line.startswith(b"{")]


def test_a_line_without_end() -> None:
    """A line that is too long is passed on as it comes, and the next one is heard again."""
    long = b"{" + b"x" * (2 * LINE_BYTES_MAX)
    chunks = [long[at : at + 65536] for at in range(0, len(long), 65536)]
    found = pieces([*chunks, b"\n", b'{"a"}\n'])
    assert b"".join(piece for piece, _ in found) == long + b'\n{"a"}\n'
    assert [piece for piece, may_speak in found if may_speak] == [b'{"a"}\n']
    assert max(len(piece) for piece, _ in found) <= LINE_BYTES_MAX + 65536


@pytest.mark.parametrize(
    ("said", "end", "outcome"),
    [
        (None, GOOD, GOOD),
        (None, BAD, BAD),
        (Line(result="succeeded", message="5 rows"), GOOD, Outcome(Status.SUCCEEDED, 0, "5 rows")),
        (
            Line(result="succeeded"),
            BAD,
            Outcome(Status.FAILED, 3, "it said succeeded, then: exit code 3"),
        ),
        (Line(result="failed", message="no"), GOOD, Outcome(Status.FAILED, None, "no")),
        (Line(result="failed", message="no"), BAD, Outcome(Status.FAILED, 3, "no")),
        (Line(result="failed"), GOOD, Outcome(Status.FAILED, None, "it says that it failed")),
        (Line(result="failed"), BAD, BAD),
        (
            Line(result="failed", exit_code=0),
            GOOD,
            Outcome(Status.FAILED, 0, "it says that it failed"),
        ),
        (Line(result="failed", exit_code=9), BAD, Outcome(Status.FAILED, 9, "exit code 3")),
        (
            Line(result="succeeded", message="half"),
            Outcome(Status.CANCELLED, 143),
            Outcome(Status.CANCELLED, 143, "half"),
        ),
    ],
)
def test_an_end(said: Line | None, end: Outcome, outcome: Outcome) -> None:
    """A result counts as far as the exit does not say otherwise."""
    account = Account()
    if said is not None:
        account.hear(said)
    assert account.settle(end) == outcome


def test_the_last_result_counts() -> None:
    """A result takes the place of the one before, a garbled one too."""
    account = Account()
    account.hear(Line(result="failed", message="at first"))
    account.hear(Line(result="succeeded"))
    assert account.settle(GOOD) == GOOD
    account.hear_wrong("its result is no result")
    assert account.settle(GOOD) == Outcome(Status.FAILED, None, "its result is no result")
    account.hear(Line(result="succeeded"))
    assert account.settle(GOOD) == GOOD


def test_facts_are_laid_over_each_other() -> None:
    """Later facts take the place of earlier ones, and what is too much is counted."""
    account = Account()
    for n in range(10_000):
        account.hear(Line(facts={"n": n}))
    account.hear(Line(facts={"big": "x" * FACTS_BYTES_MAX}))
    account.invalid_lines = 2
    assert account.settle(GOOD).facts == {"n": 9_999, "facts_dropped": 1, "invalid_lines": 2}


def test_bytes_as_base64() -> None:
    """Output that is no text comes as base64."""
    line = read_line(b'{"output_base64": "' + base64.b64encode(b"\0\xff") + b'"}')
    assert line is not None
    assert line.data() == b"\0\xff"
