"""What reaches the terminal: the same picture as from Textual alone, in fewer bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import ClassVar

import pytest
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.pilot import Pilot
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tests.tui.driving import expect, fleet, shown, until
from tests.tui.screens import Pair, differences
from tocsin.tui import output
from tocsin.tui.output import DiffedApp, fits
from tocsin.tui.widgets.columns import Cell, Column
from tocsin.tui.widgets.table import Table

SIZE = (100, 30)
WIDE = ("日本語のジョブ", "резерв", "café", "cafe\u0301", "ｗｉｄｅ", "plain")  # noqa: RUF001 - wide on purpose


class Over(ModalScreen[None]):
    """A box over what was there."""

    CSS = "Over { align: center middle; } #box { width: 41; height: 7; border: ascii red; }"

    def compose(self) -> ComposeResult:
        yield Static("本当に? really 消す", id="box")


class Demo(DiffedApp[None]):
    """Tables, colours and wide characters."""

    AUTO_FOCUS = ""
    CSS = "Table { width: 1fr; } #side { width: 31; } .table--bad { color: red; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "app.focus_next", priority=True),
        Binding("ctrl+l", "redraw"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.turn = 0
        columns = [
            Column(title="JOB", width=12, flex=1),
            Column(title="状態", width=9),
            Column(title="N", width=5, right=True),
        ]
        self.table = Table(columns, id="table")

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield self.table
            yield Static(id="side")
        yield Input(id="input")

    def show(self, turn: int, rows: int = 60) -> None:
        """Change what there is to see."""
        self.turn = turn
        self.table.show([str(number) for number in range(rows)], self.cells)
        names = "\n".join(WIDE[(turn + n) % len(WIDE)] * (1 + n % 3) for n in range(12))
        self.query_one("#side", Static).update(f"[bold]turn {turn}[/]\n{names}")

    def cells(self, key: str) -> tuple[Cell, ...]:
        n = int(key) * 7 + self.turn * (int(key) % 3)
        tone = ("", "good", "bad", "quiet")[n % 4]
        return (
            Cell(f"{WIDE[n % len(WIDE)]} {key}"),
            Cell("失敗" if n % 5 else "ok", tone),
            Cell(str(n)),
        )


async def _updates(pilot: Pilot[None], app: Demo) -> None:
    for turn in range(12):
        app.show(turn)
        await pilot.pause()


async def _moves(pilot: Pilot[None], app: Demo) -> None:
    app.table.focus()
    await pilot.press(*"jjjkG", "pageup", "pageup", "j", "g", "ctrl+d", "end", "home")
    app.show(3)
    await pilot.press("pagedown", "down")


async def _modal(pilot: Pilot[None], app: Demo) -> None:
    app.push_screen(Over())
    await pilot.pause()
    app.show(1)
    await pilot.pause()
    app.pop_screen()
    await pilot.pause()
    app.show(2)


async def _typing(pilot: Pilot[None], app: Demo) -> None:
    app.query_one(Input).focus()
    await pilot.press(*"crawl", "left", "left", "backspace")
    app.query_one(Input).value = "日本 and more"
    await pilot.press("home", "delete", "tab", "j")


async def _fewer(pilot: Pilot[None], app: Demo) -> None:
    for rows in (60, 3, 0, 8, 200):
        app.show(rows, rows)
        await pilot.pause()


async def _palette(pilot: Pilot[None], app: Demo) -> None:
    await pilot.press("ctrl+p", *"quit", "escape")
    app.show(5)


async def _themes(pilot: Pilot[None], app: Demo) -> None:
    for theme in ("textual-light", "nord", "ansi-dark", "textual-dark"):
        app.theme = theme
        await pilot.pause()


async def _scrolled_side(pilot: Pilot[None], app: Demo) -> None:
    side = app.query_one("#side", Static)
    for width in (3, 30, 17, 31):
        side.styles.width = width
        await pilot.pause()
        app.show(width)
        await pilot.pause()


SESSIONS: list[Callable[[Pilot[None], Demo], Awaitable[None]]] = [
    _updates,
    _moves,
    _modal,
    _typing,
    _fewer,
    _palette,
    _themes,
    _scrolled_side,
]


def _play(session: Callable[[Pilot[None], Demo], Awaitable[None]]) -> Pair:
    async def play() -> Pair:
        app, pair = Demo(), Pair(SIZE)
        pair.watch(app)
        async with app.run_test(size=SIZE, headless=False) as pilot:
            app.show(0)
            await pilot.pause()
            await session(pilot, app)
            await pilot.pause()
        return pair

    return asyncio.run(play())


@pytest.mark.parametrize("session", SESSIONS)
def test_the_picture_is_the_same(
    session: Callable[[Pilot[None], Demo], Awaitable[None]],
) -> None:
    """After each frame every cell has the text, the colours and the attributes that it should."""
    pair = _play(session)
    assert pair.frames > 3
    assert pair.differences == []
    assert pair.ours.sent < pair.stock.sent


def test_what_is_shown_already_is_not_sent() -> None:
    """Drawing the same again costs nothing, and one cell costs a few bytes."""

    async def play() -> tuple[int, int]:
        app, pair = Demo(), Pair(SIZE)
        pair.watch(app)

        async def showing(text: str) -> int:
            await until(pilot, lambda: any(text in line for line in pair.ours.lines()))
            return pair.ours.sent

        async with app.run_test(size=SIZE, headless=False) as pilot:
            app.show(0)
            await showing("turn 0")
            app.query_one("#side", Static).update("same")
            await showing("same")
            before, frames = pair.ours.sent, pair.frames
            app.screen.refresh()
            await until(pilot, lambda: pair.frames > frames)
            same = pair.ours.sent - before
            app.query_one("#side", Static).update("sane")
            return same, await showing("sane") - before

    same, one = asyncio.run(play())
    assert same == 0
    assert 0 < one < 80


@pytest.mark.parametrize("how", ["resize", "ctrl+l", "resume"])
def test_a_terminal_that_lost_its_picture_is_drawn_anew(how: str) -> None:
    """After another size, a pause, or the key for it, nothing is taken for shown."""

    async def play() -> Pair:
        app, pair = Demo(), Pair(SIZE)
        pair.watch(app)
        async with app.run_test(size=SIZE, headless=False) as pilot:
            app.show(0)
            await pilot.pause()
            size = (80, 24) if how == "resize" else SIZE
            for one in (pair.ours, pair.stock):
                one.scribble() if how != "resize" else one.resize(size)
            pair.frames = 0
            if how == "resize":
                await pilot.resize_terminal(*size)
            elif how == "resume":
                app._resume_signal()
                app.refresh(layout=True)
            else:
                await pilot.press("ctrl+l")
            await pilot.pause()
        return pair

    pair = asyncio.run(play())
    assert pair.frames
    assert differences(pair.ours, pair.stock) == []
    assert not any("mail from root" in line for line in pair.ours.lines())


def test_the_whole_program_looks_the_same() -> None:
    """Screens, tables and the log of a real session."""

    async def play() -> Pair:
        pair = Pair(SIZE)
        with fleet() as coordinator:
            async with shown(coordinator, SIZE, pair=pair) as pilot:
                await expect(pilot, "● live", "agents 2/3")
                for key in ("down", "space", "3", "down", "enter", "escape", "question_mark"):
                    await pilot.press(key)
        return pair

    pair = asyncio.run(play())
    assert pair.frames > 5
    assert pair.differences == []


def test_this_textual_is_as_expected() -> None:
    """The pinned version has what the output stands on."""
    assert fits(App)
    assert not DiffedApp._stock


def test_another_textual_is_left_to_itself() -> None:
    """Where the private part is not as it was, this is noticed at the start."""

    class Other(App[None]):
        def _display(self, screen: object, renderable: object, region: object) -> None:  # type: ignore[override]
            """Takes one argument more."""

    assert not fits(Other)


@pytest.mark.parametrize("when", ["at the start", "later"])
def test_textual_takes_over(when: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without what it stands on, the picture is the same and only the bytes are more."""

    def broken(_update: object) -> list[output.Piece]:
        raise AttributeError("chop_ends")

    if when == "later":
        monkeypatch.setattr(output, "_chop_pieces", broken)
    else:
        monkeypatch.setattr(DiffedApp, "_stock", True)
    pair = _play(_updates)
    assert pair.differences == []
    assert pair.ours.sent > 0.8 * pair.stock.sent
