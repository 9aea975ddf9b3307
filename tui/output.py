"""Sends a terminal only the cells that changed; Textual alone sends all that was drawn again.

This stands on a part of Textual that is not public (`App._display`, seen in 8.2): where that part
is not as it was, at the start or later, Textual's own way takes over and only more bytes are sent.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from rich.color import ColorSystem
from rich.console import COLOR_SYSTEMS, RenderableType
from rich.segment import Segment
from textual import events
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.app import App, ReturnType
from textual.geometry import Size
from textual.screen import Screen
from textual.strip import Strip

from .cells import Shown
from .narrow import NarrowScreen

Piece = tuple[int, int, Strip]
"""A strip and where it goes: (x, y, strip)."""
_DISPLAY: Final = ["self", "screen", "renderable"]
_LAYOUT: Final = ["self", "strips", "region"]
_CHOPS: Final = ["self", "chops", "spans", "chop_ends"]
_HOLD: Final = "\x1b[?2026h"
_SHOW: Final = "\x1b[?2026l"
"""What is between them appears in one go, where the terminal said that it can."""


def fits(app: type) -> bool:
    """Whether Textual draws as is expected here."""
    display = getattr(app, "_display", None)
    return (
        display is not None
        and _names(display) == _DISPLAY
        and _names(LayoutUpdate.__init__) == _LAYOUT
        and _names(ChopsUpdate.__init__) == _CHOPS
        and callable(getattr(Strip, "render_style", None))
    )


def _names(function: object) -> list[str]:
    return list(inspect.signature(function).parameters) if callable(function) else []


class DiffedApp(App[ReturnType]):
    """An app that sends what changed."""

    _shown: Shown | None = None
    _stock = not fits(App)
    _drawn_size = Size(0, 0)

    def get_default_screen(self) -> Screen[None]:
        """The screen of an app that has no other."""
        return NarrowScreen(id="_default")

    def on_resize(self, event: events.Resize) -> None:
        """A terminal that has another size may have moved what it showed."""
        if event.size != self._drawn_size:
            self.forget_output()

    def on_mount(self) -> None:
        """After a pause, something else is on the screen."""
        self.app_resume_signal.subscribe(self, lambda _: self.action_redraw(), immediate=True)

    def action_redraw(self) -> None:
        """Draw all anew, after something else wrote on the screen."""
        self.forget_output()
        self.screen.refresh()

    def forget_output(self) -> None:
        """Send all that is drawn next, whatever the terminal showed."""
        if self._shown is not None:
            self._shown.forget()

    def take_over(self, lines: Sequence[Sequence[Segment]], size: Size) -> None:
        """Know that a terminal of this size shows these lines already."""
        self._drawn_size = size
        self._shown = Shown(_colours(self.console.color_system))
        for y, segments in enumerate(lines):
            self._shown.draw(0, y, Strip(segments))

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        if self._stock or not self._is_drawing(renderable):
            super()._display(screen, renderable)
            return
        try:
            text = self._changes(renderable)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            self._stock = True  # Textual is not what it was: better many bytes than none
            super()._display(screen, renderable)
            return
        if text:
            self._send(text)
        self.post_display_hook()

    def _is_drawing(self, renderable: RenderableType | None) -> bool:
        """Whether this is what can be told apart, on a terminal of its own."""
        if not isinstance(renderable, LayoutUpdate | ChopsUpdate):
            if renderable is not None:
                self.forget_output()
            return False
        driver = self._driver
        return (
            not self._batch_count
            and self._running
            and not self._closed
            and driver is not None
            and not self.is_headless
            and not driver.is_inline
        )

    def _changes(self, renderable: RenderableType | None) -> str:
        if self._shown is None:
            self._shown = Shown(_colours(self.console.color_system))
        pieces: Iterable[Piece]
        if self.size != self._drawn_size:
            self._drawn_size = self.size
            self.forget_output()
        if isinstance(renderable, LayoutUpdate):
            pieces = _layout_pieces(renderable)
        else:
            assert isinstance(renderable, ChopsUpdate), "see _is_drawing"
            pieces = _chop_pieces(renderable)
        text = "".join(self._shown.draw(x, y, strip) for x, y, strip in pieces)
        cursor = self.screen.outer_size.clamp_offset(self.cursor_position)
        if not text and cursor == self._previous_cursor_position:
            return ""
        self._previous_cursor_position = cursor
        return f"{text}\x1b[{cursor.y + 1};{cursor.x + 1}H"

    def _send(self, text: str) -> None:
        assert self._driver is not None, "see _is_drawing"
        # At once: each write wakes the thread that writes.
        held = f"{_HOLD}{text}{_SHOW}" if self._sync_available else text
        self._driver.write(held)
        self._driver.flush()


def _colours(name: str | None) -> ColorSystem:
    return ColorSystem.TRUECOLOR if name is None else COLOR_SYSTEMS[name]


def _layout_pieces(update: LayoutUpdate) -> Iterator[Piece]:
    for y, strips in enumerate(update.strips, update.region.y):
        x = update.region.x
        for strip in strips:
            yield x, y, strip
            x += strip.cell_length


def _chop_pieces(update: ChopsUpdate) -> Iterator[Piece]:
    """As in `ChopsUpdate.render_segments`."""
    for y, first, last in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is None or x > last or end <= first:
                continue
            if end > last or x < first:
                strip = strip.crop(0, min(end, last) - x)
            yield x, y, strip
