"""What is drawn where there is nothing but ASCII."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from rich.cells import cell_len

from tocsin.tui.ascii import STAND_INS, charset, to_ascii, wanted

TUI = Path(__file__).parents[3] / "tui"


@pytest.mark.parametrize("glyph", STAND_INS)
def test_a_stand_in_is_ascii_and_as_wide(glyph: str) -> None:
    """So that columns stay where they are."""
    assert to_ascii(glyph).isascii()
    assert len(to_ascii(glyph)) == cell_len(glyph) == 1


def test_states_stay_apart() -> None:
    """No two states that stand in one column look the same."""
    states = "●○◐►✗✓‖◇"
    assert len(set(to_ascii(states))) == len(states)


def test_other_texts_keep_their_width() -> None:
    """What people named in other scripts is not there, and takes as much room."""
    assert to_ascii("日本 é ✗ ok") == "???? ? x ok"


def test_every_glyph_of_the_program_has_a_stand_in() -> None:
    """Whatever a module may draw."""
    drawn = {
        char
        for path in TUI.rglob("*.py")
        if path.name != "ascii.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for char in node.value
        if not char.isascii() and char.isprintable()
    }
    assert drawn <= set(STAND_INS)


@pytest.mark.parametrize(
    ("charset", "term", "only"),
    [
        ("UTF-8", "xterm-256color", False),
        ("utf8", "tmux-256color", False),
        ("ISO-8859-1", "xterm", True),
        ("ANSI_X3.4-1968", "xterm", True),
        ("UTF-8", "linux", True),
    ],
)
def test_where_it_is_wanted(charset: str, term: str, *, only: bool) -> None:
    """By the locale, and by the terminal."""
    assert wanted(charset, term) is only


@pytest.mark.parametrize(
    ("environ", "utf8_mode", "found"),
    [
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, True, "ASCII"),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, False, "UTF-8"),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8", "PYTHONUTF8": "1"}, True, "UTF-8"),
        ({"LC_CTYPE": "C.UTF-8"}, True, "otherwise"),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": "POSIX"}, True, "ASCII"),
        ({"LANG": "de_DE.UTF-8", "LC_CTYPE": "C.UTF-8"}, True, "UTF-8"),
        ({"LANG": "de_DE.ISO-8859-15@euro", "LC_ALL": ""}, False, "ISO-8859-15"),
        ({"LANG": "de_DE"}, False, "otherwise"),
        ({}, False, "otherwise"),
    ],
)
def test_the_locale_is_the_one_that_the_user_set(
    environ: dict[str, str], *, utf8_mode: bool, found: str
) -> None:
    """And not the one that Python makes of the C locale."""
    assert charset(environ, "otherwise", utf8_mode=utf8_mode) == found
