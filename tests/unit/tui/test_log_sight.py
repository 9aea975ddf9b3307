"""The reader's place in a log: the end followed, or a screen that stands still."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.tui.test_log_lines import pieces_of
from tocsin.tui import log_lines
from tocsin.tui.log_lines import LogLines
from tocsin.tui.log_sight import Sight, Want
from tocsin.tui.log_view import Mode

PIECES = pieces_of(*((1, b"line %d\n" % number) for number in range(300)))
HEIGHT = 5


def _sight(count: int) -> Sight:
    lines = LogLines()
    lines.add(PIECES[:count])
    sight = Sight(lines)
    sight.height = HEIGHT
    sight.lay()
    return sight


def _texts(sight: Sight) -> list[str]:
    return [row.text for row in sight.rows]


def test_the_end_is_followed_until_it_is_let_go() -> None:
    """What arrives then is counted, and moves nothing."""
    sight = _sight(20)
    assert _texts(sight) == [f"line {number}" for number in range(15, 20)]
    sight.hold()
    before = _texts(sight)
    sight.lines.add(PIECES[20:57])
    sight.lay()
    assert (_texts(sight), sight.unseen) == (before, 37)
    sight.follow = True
    sight.lay()
    assert (_texts(sight)[-1], sight.unseen) == ("line 56", 0)


def test_the_screen_moves_no_more_than_the_cursor_needs() -> None:
    """Within the screen the cursor alone moves; beyond its edges the screen follows."""
    sight = _sight(20)
    for _ in range(4):
        sight.step(-1)
    assert (sight.cursor, _texts(sight)[0]) == (15, "line 15")
    sight.step(-1)
    assert (sight.cursor, _texts(sight)[0]) == (14, "line 14")
    sight.scroll(-9)
    assert _texts(sight)[0] == "line 5"
    sight.scroll(99)
    assert _texts(sight)[-1] == "line 19"
    assert not sight.follow


def test_what_is_not_loaded_is_wanted_before_it_is_needed() -> None:
    """At both sides, a screen ahead."""
    sight = _sight(0)
    sight.lines.open(PIECES[100:200], earlier=True, later=True)
    sight.to(50)
    assert list(sight.wants()) == []
    sight.scroll(-47)
    assert list(sight.wants()) == [Want.EARLIER]
    sight.scroll(94)
    assert list(sight.wants()) == [Want.LATER]


def test_marks_and_matches_go_round() -> None:
    """The next one behind the cursor; behind the last mark the first."""
    sight = _sight(50)
    for number in (30, 10):
        sight.to(number)
        sight.toggle_mark()
    first = sight.next_mark()
    assert first == sight.lines.line(30).key
    sight.to(30)
    assert sight.next_mark() == sight.lines.line(10).key
    sight.look_for("line 4")
    assert sight.match(1) == 40
    sight.to(40)
    assert (sight.match(-1), sight.match(1)) == (4, 41)
    sight.toggle_mark()
    sight.toggle_mark()
    assert len(sight.marks) == 2


@given(
    moves=st.lists(
        st.one_of(
            st.tuples(st.just("step"), st.integers(-30, 30)),
            st.tuples(st.just("scroll"), st.integers(-30, 30)),
            st.tuples(st.just("only"), st.sampled_from(["", "1", "!2", "nothing"])),
            st.tuples(st.just("arrive"), st.integers(1, 40)),
            st.tuples(st.just("follow"), st.none()),
            st.tuples(st.just("wrap"), st.integers(0, 4)),
        ),
        max_size=30,
    )
)
def test_any_move_leaves_a_screen_that_fits(moves: list[tuple[str, int | str | None]]) -> None:
    """The rows are never too many, the cursor is on a line, and who holds sees the same lines."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_lines, "LINES_MAX", 60)
        sight, arrived = _sight(20), 20
        for move, value in moves:
            before = _texts(sight)
            match move, value:
                case "step", int(lines):
                    sight.step(lines)
                case "scroll", int(rows):
                    sight.scroll(rows)
                case "only", str(text):
                    sight.show_only(Mode(text))
                case "wrap", int(width):
                    sight.view.width = width
                    sight.lay_around(sight.cursor)
                case "arrive", int(count):
                    sight.lines.add(PIECES[arrived : arrived + count])
                    arrived = min(arrived + count, len(PIECES))
                    sight.lay()
                    full = len(before) == HEIGHT and sight.view.count
                    if full and not sight.follow and "hidden" not in "".join(before):
                        assert _texts(sight) == before
                case _:
                    sight.follow = sight.lines.at_end
                    sight.lay()
            assert len(sight.rows) <= HEIGHT
            assert not sight.view.count or sight.current is not None
