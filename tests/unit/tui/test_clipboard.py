"""Which way a copied text takes."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tocsin.tui.clipboard import SEQUENCE_BYTES_MAX, Way, choose, save, sequence

LONGEST = SEQUENCE_BYTES_MAX // 4 * 3


@pytest.mark.parametrize(
    ("environ", "size", "way"),
    [
        ({"TERM": "xterm-256color"}, 10, Way.TERMINAL),
        ({"TERM": "xterm-256color"}, LONGEST, Way.TERMINAL),
        ({"TERM": "xterm-256color"}, LONGEST + 1, Way.FILE),
        ({"TERM": "tmux-256color", "TMUX": "/tmp/tmux-0/default,1,0"}, 10, Way.TMUX),
        ({"TERM": "tmux-256color", "TMUX": "/tmp/tmux-0/default,1,0"}, LONGEST + 1, Way.TMUX),
        ({"TERM": "tmux-256color"}, 10, Way.FILE),
        ({"TERM": "screen.xterm-256color"}, 10, Way.FILE),
        ({"TERM": "linux"}, 10, Way.FILE),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "Apple_Terminal"}, 10, Way.FILE),
        (
            {"TERM": "xterm", "TEXTUAL_DRIVER": "textual.drivers.web_driver:WebDriver"},
            10,
            Way.FILE,
        ),
    ],
)
def test_the_way(environ: dict[str, str], size: int, way: Way) -> None:
    """Through tmux inside tmux; the terminal where it listens; else a file."""
    assert choose(environ, "x" * size) is way


def test_the_longest_sequence_is_within_the_limit() -> None:
    """What goes to the terminal is never cut there."""
    assert len(sequence("x" * LONGEST)) <= SEQUENCE_BYTES_MAX + len("\x1b]52;c;\a")


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    """It is whole, replaces the one before, and nobody else reads it."""
    save("one", tmp_path / "data")
    path = save("zwei ✓\n", tmp_path / "data")
    assert path.read_text(encoding="utf-8") == "zwei ✓\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["copied.txt"]
