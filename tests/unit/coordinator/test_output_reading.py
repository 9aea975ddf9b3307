"""A text is found in output wherever its pieces were cut, in either direction, part by part."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.coordinator import output_reading
from tocsin.coordinator.machine.commands import SaveOutput, SaveRun
from tocsin.coordinator.store.sqlite.store import SqliteStore
from tocsin.errors import RequestError
from tocsin.execution import AttemptKey
from tocsin.messages.agent_link import Chunk
from tocsin.messages.client_answers import Declined, OutputFound, OutputPage, OutputPiece
from tocsin.messages.client_link import FindOutput, ReadOutputBack
from tocsin.model import Run, RunState, Trigger

RUN = Run(
    id="01", job_id=1, job="j", job_version=1, trigger=Trigger.MANUAL,
    state=RunState.SUCCEEDED, created_us=0,
)  # fmt: skip


def _store(*pieces: tuple[int, bytes]) -> SqliteStore:
    store = SqliteStore(None)
    store.stage([SaveRun(RUN)])
    store.stage(
        SaveOutput(position, Chunk(AttemptKey("01.1"), stream, 0, 0, data))
        for position, (stream, data) in enumerate(pieces, 1)
    )
    store.commit()
    return store


def _all(
    store: SqliteStore, text: str, *, backward: bool = False, exact: bool = False
) -> list[int]:
    """Every position, as a client that goes on until there is no more."""
    found: list[int] = []
    position = 0
    while True:
        ask = FindOutput("01", text, position, backward, exact)
        answer = output_reading.answer(ask, store)
        assert isinstance(answer, OutputFound)
        found += [answer.position] if answer.position else []
        position = answer.next
        if not position:
            return found


@pytest.mark.parametrize(
    ("text", "exact", "found"),
    [
        ("warn", False, [1, 3, 6]),
        ("WARN", True, [3, 6]),
        ("warn", True, [1]),
        ("grün", False, [4]),
        ("GRÜN", False, [4]),
        ("torn over pieces", False, [8]),
        ("red", False, [9]),
        ("one red word", False, [9]),
        ("nothing", False, []),
        ("headtail", False, []),
    ],
)
def test_finding(text: str, found: list[int], *, exact: bool) -> None:
    """The pieces in which a text ends, streams apart, and not over what was not kept."""
    store = _store(
        (1, b"a warn"), (2, b"fine"), (1, b"WARN\n"), (1, "so grün\n".encode()), (1, b"to"),
        (2, b"WARN"), (1, b"rn over"), (1, b" pieces\n"), (1, b"one \x1b[31mred\x1b[m word\n"),
        (2, b"head"),
    )  # fmt: skip
    store.stage([SaveOutput(11, Chunk(AttemptKey("01.1"), 2, 0, 0, b"tail", gap_bytes=7))])
    store.commit()
    assert _all(store, text, exact=exact) == found
    assert _all(store, text, exact=exact, backward=True) == found[::-1]


@given(
    pieces=st.lists(
        st.tuples(st.sampled_from([1, 2]), st.text("ab\n", min_size=1, max_size=4)), max_size=20
    ),
    text=st.text("ab", min_size=1, max_size=4),
    part_bytes=st.integers(1, 600),
)
def test_parts_do_not_hide_a_text(
    pieces: list[tuple[int, str]], text: str, part_bytes: int
) -> None:
    """However little is looked through at once, the same is found, both ways."""
    store = _store(*((stream, data.encode()) for stream, data in pieces))
    whole = [OutputPiece(n, 1, s, 0, 0, d.encode()) for n, (s, d) in enumerate(pieces, 1)]
    expected = list(output_reading.matches(text, [], whole, exact=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(output_reading, "FIND_BYTES_MAX", part_bytes)
        assert _all(store, text, exact=True) == expected
        assert _all(store, text, exact=True, backward=True) == expected[::-1]


@pytest.mark.parametrize("text", ["", "x" * 257])
def test_what_cannot_be_looked_for(text: str) -> None:
    """A text is neither empty nor without bound."""
    with pytest.raises(RequestError, match="1 to 256 characters"):
        output_reading.answer(FindOutput("01", text), _store())


@pytest.mark.parametrize("ask", [FindOutput("02", "x"), ReadOutputBack("02")])
def test_no_such_run(ask: FindOutput | ReadOutputBack) -> None:
    """It is said, as with other questions."""
    answer = output_reading.answer(ask, _store())
    assert isinstance(answer, Declined)
    assert answer.message == "there is no run 02"


def test_reading_backwards() -> None:
    """The end first, and from each page on to the one before, until there is no more."""
    store = _store(*((1, b"%d" % number * 90) for number in range(5)))
    last = output_reading.answer(ReadOutputBack("01", 0, 300), store)
    assert isinstance(last, OutputPage)
    assert ([piece.position for piece in last.pieces], last.more) == ([4, 5], True)
    first = output_reading.answer(ReadOutputBack("01", 4, 10_000), store)
    assert isinstance(first, OutputPage)
    assert ([piece.position for piece in first.pieces], first.more) == ([1, 2, 3], False)


def test_a_page_says_how_much_is_not_kept_elsewhere() -> None:
    """So who sees the end of a long output knows that it is not all there."""
    store = _store((1, b"one"))
    store.stage([SaveOutput(2, Chunk(AttemptKey("01.1"), 1, 3, 0, b"", gap_bytes=7))])
    store.stage([SaveOutput(3, Chunk(AttemptKey("01.1"), 1, 10, 0, b"two", gap_bytes=5))])
    store.commit()
    page = output_reading.answer(ReadOutputBack("01", 2), store)
    assert isinstance(page, OutputPage)
    assert ([piece.data for piece in page.pieces], page.not_kept_bytes) == ([b"one"], 12)
    assert store.not_kept(["01", "02"]) == {"01": 12}
