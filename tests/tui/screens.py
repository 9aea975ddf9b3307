"""Emulated terminals: what a stream of bytes looks like on one."""

from __future__ import annotations

from typing import Any

import pyte
from rich.console import Console, RenderableType
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.drivers.headless_driver import HeadlessDriver
from textual.screen import Screen

from tocsin.tui.output import DiffedApp

ATTRIBUTES = ("fg", "bg", "bold", "italics", "underscore", "strikethrough", "reverse")


class Emulator:
    """A terminal of a size, fed with text."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size
        self.sent = 0
        self._screen = pyte.Screen(*size)
        self._stream = pyte.Stream(self._screen)

    def feed(self, text: str) -> None:
        """Take text as a terminal does."""
        self.sent += len(text.encode())
        self._stream.feed(text)

    def resize(self, size: tuple[int, int]) -> None:
        """Be of another size, and show nothing: terminals differ in what they keep."""
        self.size = size
        self._screen.resize(size[1], size[0])
        self._screen.reset()

    def scribble(self) -> None:
        """Show what somebody else wrote."""
        self._screen.cursor_position()
        self._stream.feed("\x1b[0mmail from root\r\n" * 3)

    def lines(self) -> list[str]:
        """The text of each line."""
        return list(self._screen.display)

    def cells(self) -> list[list[tuple[Any, ...]]]:
        """Text, colours and attributes of each cell."""
        buffer = self._screen.buffer
        width, height = self.size
        return [
            [
                (cell.data, *(getattr(cell, name) for name in ATTRIBUTES))
                for cell in (buffer[y][x] for x in range(width))
            ]
            for y in range(height)
        ]


def differences(one: Emulator, other: Emulator) -> list[str]:
    """Where two terminals do not show the same."""
    return [
        f"({x},{y}): {a} {b}"
        for y, (row, its_row) in enumerate(zip(one.cells(), other.cells(), strict=True))
        for x, (a, b) in enumerate(zip(row, its_row, strict=True))
        if a != b
    ]


class Pair:
    """What an app sends, and beside it what Textual alone would have sent, each on a terminal."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.ours = Emulator(size)
        self.stock = Emulator(size)
        self.frames = 0
        self.differences: list[str] = []

    def watch(self, app: DiffedApp[Any]) -> None:
        """Make an app that does not run yet write to these terminals."""
        ours, pair = self.ours, self

        class Driver(HeadlessDriver):
            is_headless = property(lambda _: False)

            def write(self, data: str) -> None:
                ours.feed(data)

        app.driver_class = Driver
        display = app._display

        def both(screen: Screen[object], renderable: RenderableType | None) -> None:
            draws = app._running and not app._batch_count
            display(screen, renderable)
            if draws and isinstance(renderable, LayoutUpdate | ChopsUpdate):
                pair.draw(app.console, renderable)

        app._display = both  # type: ignore[method-assign]

    def draw(self, console: Console, update: CompositorUpdate) -> None:
        """Draw as Textual does, and compare."""
        self.stock.feed(update.render_segments(console))
        self.frames += 1
        self.differences = self.differences or differences(self.ours, self.stock)
