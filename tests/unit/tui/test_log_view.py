"""Rows of a log: filtered, wrapped, with words for what is left out, at places that stay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.tui.test_log_lines import lines_of, pieces_of
from tocsin.tui import log_lines
from tocsin.tui.log_lines import LogLines
from tocsin.tui.log_search import needle
from tocsin.tui.log_view import LogView, Mode, Place, Streams, wrapped

HEIGHT = 1_000
ALL = Mode()


def _view(*texts: tuple[int, bytes], mode: Mode = ALL, width: int = 0) -> LogView:
    view = LogView(lines_of(*texts))
    view.mode, view.width = mode, width
    view.update()
    return view


def _rows(view: LogView, place: Place | None = None, height: int = HEIGHT) -> list[str]:
    place = place or Place(view.lines.first)
    return [row.text for _, row in view.rows(place, height)]


SOME = ((1, b"one\ntwo\n"), (2, b"ERR three\n"), (1, b"four\n"))


@pytest.mark.parametrize(
    ("mode", "rows"),
    [
        (Mode(), ["one", "two", "ERR three", "four"]),
        (
            Mode("o"),
            ["one", "two", "── 1 line hidden by filter o ──", "four"],
        ),
        (Mode("!o"), ["── 2 lines hidden by filter !o ──", "ERR three",
                      "── 1 line hidden by filter !o ──"]),
        (Mode("err"), ["── 2 lines hidden by filter err ──", "ERR three",
                       "── 1 line hidden by filter err ──"]),
        (Mode("Err"), ["── 4 lines hidden by filter Err ──"]),
        (
            Mode("!/^t|e$/"),
            ["── 3 lines hidden by filter !/^t|e$/ ──", "four"],
        ),
        (Mode(streams=Streams.OUT), ["one", "two", "── 1 line hidden all but stdout ──", "four"]),
        (
            Mode("two", Streams.ERR),
            ["── 4 lines hidden by filter two and all but stderr ──"],
        ),
    ],
)  # fmt: skip
def test_what_is_shown(mode: Mode, rows: list[str]) -> None:
    """What a filter hides is counted where it was."""
    assert _rows(_view(*SOME, mode=mode)) == rows


def test_what_is_not_loaded_is_told() -> None:
    """Before the first line and behind the last, with about how much it is."""
    pieces = pieces_of(*((1, b"line %d\n" % number) for number in range(9)))
    lines = LogLines()
    lines.open(pieces[3:5], earlier=True, later=True)
    view = LogView(lines)
    view.total_bytes = 9 * 7
    view.update()
    assert _rows(view) == [
        "── about 21 B before this, not loaded: scroll on ──",
        "line 3",
        "line 4",
        "── about 28 B behind this, not loaded: scroll on ──",
    ]


@pytest.mark.parametrize(
    ("text", "width", "parts"),
    [
        ("abcdefg", 0, ["abcdefg"]),
        ("abcdefg", 7, ["abcdefg"]),
        ("abcdefg", 3, ["abc", "def", "g"]),
        ("漢字漢字", 4, ["漢字", "漢字"]),
        ("漢字漢字", 5, ["漢字", "漢字"]),
        ("", 5, [""]),
    ],
)
def test_wrapping(text: str, width: int, parts: list[str]) -> None:
    """No part is wider than the pane, and nothing is lost."""
    assert wrapped(text, width) == parts


def test_moving_over_wrapped_lines() -> None:
    """Places go row by row, and the last screen is full."""
    view = _view((1, b"abcdef\nxy\nuvwxyz\n"), width=2)
    assert _rows(view) == ["ab", "cd", "ef", "xy", "uv", "wx", "yz"]
    assert _rows(view, view.last(4)) == ["xy", "uv", "wx", "yz"]
    assert view.back(view.last(4), 2) == Place(0, 1)
    assert view.on(Place(0, 1), 1, 4) == Place(0, 2)
    assert view.on(Place(0, 1), 9, 4) == Place(1, 0)
    assert view.back(Place(0, 1), 9) == Place(0, 0)


@pytest.mark.parametrize(
    ("needle", "found"), [("warn", [0, 2]), ("WARN", [2]), ("nothing", []), ("", [])]
)
def test_finding(needle: str, found: list[int]) -> None:
    """Small letters match both cases; capitals mean themselves."""
    view = _view((1, b"warn\nfine\nWARN\n"))
    view.needle = needle
    view.update()
    assert view.found == found


@pytest.mark.parametrize(
    ("data", "typed"),
    [
        (b"a \x1b[31mred\x1b[m word", "red word"),
        ("Über".encode(), "über"),
        (b"10%\r20%", "20%"),
        (b"plain", "PLAIN".lower()),
    ],
)
def test_what_is_drawn_is_found(data: bytes, typed: str) -> None:
    """Colours do not hide a text, nor do letters beyond ASCII."""
    assert needle(typed).holds(lines_of((1, data)).line(0))


@given(
    texts=st.lists(
        st.tuples(st.sampled_from([1, 2]), st.text("ab\n", min_size=1, max_size=6)), max_size=60
    ),
    filter_text=st.sampled_from(["", "a", "!a", "ab", "!b"]),
    streams=st.sampled_from(Streams),
    width=st.integers(0, 3),
    batch=st.integers(1, 9),
)
def test_growing_shows_what_beginning_anew_shows(
    texts: list[tuple[int, str]], filter_text: str, streams: Streams, width: int, batch: int
) -> None:
    """A view that followed all changes is the same as one that is made of their result."""
    pieces = pieces_of(*((stream, text.encode()) for stream, text in texts))
    mode = Mode(filter_text, streams)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_lines, "LINES_MAX", 20)
        patch.setattr(log_lines, "PAGES", 5)
        lines = LogLines()
        view = LogView(lines)
        view.mode, view.width, view.needle = mode, width, "a"
        for at in range(0, len(pieces), batch):
            lines.add(pieces[at : at + batch])
            view.update()
            fresh = LogView(lines)
            fresh.mode, fresh.width, fresh.needle = mode, width, "a"
            fresh.update()
            assert _rows(view) == _rows(fresh)
            assert view.found == fresh.found
            rows = _rows(view)
            assert _rows(view, view.last(5)) == rows[-5:]
            assert _rows(view, view.back(view.last(5), 3), 5) == rows[-8:][:5]
