"""Which cells are sent, and when what is shown is not known."""

from __future__ import annotations

import re

import pyte
from hypothesis import given
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tocsin.tui.cells import Shown

PLAIN = Style()
RED = Style(color="red")
STYLES = (PLAIN, RED, Style(color="red", bold=True), Style(bgcolor="#112233", reverse=True))
WIDTH = 24


def strip(*parts: tuple[str, Style]) -> Strip:
    """A strip of texts in styles."""
    return Strip([Segment(text, style) for text, style in parts])


def moves(text: str) -> list[str]:
    """What is drawn behind each move of the cursor, without codes."""
    return [re.sub(r"\x1b\[[0-9;]*m", "", part) for part in re.split(r"\x1b\[\d+;\d+H", text)[1:]]


def shown(*parts: tuple[str, Style]) -> Shown:
    """A terminal that shows these at the left of its first line."""
    terminal = Shown(ColorSystem.TRUECOLOR)
    terminal.draw(0, 0, strip(*parts))
    return terminal


def test_what_differs_is_sent() -> None:
    """One span for each change; those close by in one; a change of colour alone is one."""
    terminal = shown(("due 12:00:00          running   ", PLAIN))
    assert moves(terminal.draw(0, 0, strip(("due 12:00:01          running   ", PLAIN)))) == ["1"]
    assert moves(terminal.draw(0, 0, strip(("due 13:00:02          failed    ", PLAIN)))) == [
        "3:00:02",
        "failed ",
    ]
    red = strip(("due 13:00:02          ", PLAIN), ("failed", RED), ("    ", PLAIN))
    assert moves(terminal.draw(0, 0, red)) == ["failed"]
    assert terminal.draw(0, 0, red) == ""


def test_half_of_a_wide_character_is_none() -> None:
    """It is sent whole, and gone as a whole where it is overwritten in part."""
    terminal = shown(("a日b", PLAIN))
    assert moves(terminal.draw(0, 0, strip(("a月b", PLAIN)))) == ["月"]
    terminal.draw(2, 0, strip(("x", PLAIN)))
    assert moves(terminal.draw(0, 0, strip(("a月b", PLAIN)))) == ["月"]
    terminal.draw(0, 0, strip(("月", PLAIN)))
    assert moves(terminal.draw(0, 0, strip(("月 b", PLAIN)))) == [" "]


def test_doubtful_widths_are_sent_whole() -> None:
    """Where terminals may differ, nothing but the same strip counts as shown."""
    family = strip(("👩‍👩‍👧 family", PLAIN))
    terminal = shown(("👩‍👩‍👧 family", PLAIN))
    assert terminal.draw(0, 0, family) == ""
    assert moves(terminal.draw(0, 0, strip(("👩‍👩‍👧 familx", PLAIN)))) == ["👩‍👩‍👧 familx"]
    assert moves(terminal.draw(0, 0, strip(("ab family", PLAIN)))) == ["ab family"]


def test_nothing_is_known_after_forgetting() -> None:
    """All is sent again."""
    terminal = shown(("due", PLAIN))
    terminal.forget()
    assert moves(terminal.draw(0, 0, strip(("due", PLAIN)))) == ["due"]


_TEXT = st.text(alphabet="ab 日本х─", min_size=0, max_size=9)
_PARTS = st.lists(st.tuples(_TEXT, st.sampled_from(STYLES)), max_size=3)
_DRAWS = st.lists(st.tuples(st.integers(0, WIDTH - 1), _PARTS), max_size=12)


@given(_DRAWS)
def test_any_order_of_drawing_ends_in_the_same_picture(
    draws: list[tuple[int, list[tuple[str, Style]]]],
) -> None:
    """However strips lie over each other, a terminal shows what it would if all were sent."""
    terminal = Shown(ColorSystem.TRUECOLOR)
    screens = [pyte.Screen(WIDTH * 3, 1) for _ in range(2)]
    ours, whole = (pyte.Stream(screen) for screen in screens)
    for x, parts in draws:
        one = strip(*parts)
        ours.feed(terminal.draw(x, 0, one))
        whole.feed(f"\x1b[1;{x + 1}H")
        for text, style in parts:
            whole.feed(Strip.render_style(style, text, ColorSystem.TRUECOLOR))
    assert screens[0].buffer[0] == screens[1].buffer[0]
