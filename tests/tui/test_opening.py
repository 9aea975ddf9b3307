"""The first picture, drawn while Textual is still being loaded."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from tests.tui.coordinator import Coordinator
from tests.tui.driving import expect, fleet, lines, screen, shown, until
from tests.tui.on_terminal import ALT_SCREEN_OFF, ALT_SCREEN_ON, terminal
from tests.tui.screens import Emulator
from tocsin.tui.opening import first_picture

SIZES = [(60, 15), (60, 18), (60, 20), (80, 24), (100, 30), (140, 40), (203, 61)]
TAKEN_OVER = b"\x1b[?1004h"
"""Textual asks to be told of the focus when it begins."""


def slow_disk(fifo: Path) -> str:
    """Has the program wait for Textual until somebody opens `fifo`."""
    os.mkfifo(fifo)
    return f"""
import importlib.machinery
class Slow:
    def find_spec(self, name, path=None, target=None):
        if name != "textual":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        read = spec.loader.exec_module
        def exec_module(module):
            open({str(fifo)!r}).close()
            read(module)
        spec.loader.exec_module = exec_module
        return spec
sys.meta_path.insert(0, Slow())
"""


def load(fifo: Path) -> None:
    """Let Textual be loaded."""
    fifo.write_text("")


def at_first(line: str) -> str:
    """A line without what all others do: that is reckoned only afterwards."""
    return line.split(" other job", maxsplit=1)[0]


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("fixture", [fleet, lambda: Coordinator([], [], [])], ids=["fleet", "none"])
def test_it_is_the_overview_line_for_line(size: tuple[int, int], fixture: object) -> None:
    """What Textual draws afterwards changes nothing, whatever there is to see."""

    async def look() -> None:
        with fixture() as coordinator:  # type: ignore[operator] # two ways to make one
            async with shown(coordinator, size, "overview") as pilot:
                await expect(pilot, "Next fires", "live")
                app = pilot.app

                def picture() -> list[str]:
                    rows = first_picture(app.scene(), app.actions, *size)  # type: ignore[attr-defined]
                    texts = ["".join(cell.text for cell in row.cells) for row in rows]
                    return [at_first(text.rstrip()) for text in texts]

                def is_same() -> bool:
                    return picture() == [at_first(text) for text in lines(pilot)]

                await until(pilot, is_same, lambda: screen(pilot))

    asyncio.run(look())


def test_there_is_none_where_the_panes_have_no_room() -> None:
    """On a terminal too low for all of them Textual begins alone."""

    async def look() -> None:
        with fleet() as coordinator:
            async with shown(coordinator, (80, 11), "overview") as pilot:
                await expect(pilot, "live")
                app = pilot.app
                assert first_picture(app.scene(), app.actions, 80, 11) == []  # type: ignore[attr-defined]

    asyncio.run(look())


@pytest.mark.parametrize(
    "environ",
    [
        {"COLORTERM": "truecolor"},
        {"COLORTERM": ""},
        {"COLORTERM": "", "TERM": "xterm"},
        {"COLORTERM": "", "TERM": "linux"},
        {"COLORTERM": "truecolor", "COLORFGBG": "0;15"},
        {"COLORTERM": "truecolor", "NO_COLOR": "1"},
    ],
    ids=["true", "256", "16", "console", "light", "none"],
)
def test_it_looks_as_what_follows(tmp_path: Path, environ: dict[str, str]) -> None:
    """Each cell below the clock has the character, the colours and the attributes it will have."""
    fifo = tmp_path / "fifo"
    with terminal(tmp_path, first=slow_disk(fifo), **environ) as t:
        t.read_until(b"etl-orders", b"quit")
        assert TAKEN_OVER not in t.output
        first = t.screen()
        load(fifo)
        t.read_until(TAKEN_OVER)

        def settled() -> Emulator:
            while (now := t.screen()).lines()[1:] != first.lines()[1:]:
                t.read_more()
            return now

        drawn = settled()
        wrong = [
            f"{y}: {a} {b}"
            for y, (row, its) in enumerate(zip(first.cells(), drawn.cells(), strict=True))
            for a, b in zip(row, its, strict=True)
            if y and a != b
        ]
        assert not wrong, wrong[:10]
        assert t.output.count(ALT_SCREEN_ON) == 1
        os.write(t.master, b"q")
        assert t.end() == 0
        # What stands there already is not sent again.
        assert len(t.output.partition(TAKEN_OVER)[2]) < 4_000


def test_keys_wait_for_the_screen(tmp_path: Path) -> None:
    """What is pressed while nothing can be done yet is not echoed, and done afterwards."""
    fifo = tmp_path / "fifo"
    with terminal(tmp_path, first=slow_disk(fifo)) as t:
        t.read_until(b"etl-orders", b"quit")
        os.write(t.master, b"2")
        load(fifo)
        t.read_until(b"[2 Jobs]")
        os.write(t.master, b"q")
        assert t.end() == 0
        assert t.attributes() == t.before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_restores_the_terminal(tmp_path: Path, number: signal.Signals) -> None:
    """As later on."""
    fifo = tmp_path / "fifo"
    with terminal(tmp_path, first=slow_disk(fifo)) as t:
        t.read_until(b"etl-orders", b"quit")
        assert t.attributes() != t.before
        t.process.send_signal(number)
        t.read_until(ALT_SCREEN_OFF)
        load(fifo)
        assert t.end() == 0
        assert t.attributes() == t.before
        assert b"Traceback" not in t.output
