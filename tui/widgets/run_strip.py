"""Runs side by side, one column each: what stands there is given, the keys go to whoever asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from .columns import Cell

_TONES: Final = ("good", "bad", "warn", "busy", "quiet", "strong")
_PAGE: Final = 10
_ALL: Final = 1_000_000


class RunStrip(Widget, can_focus=True):
    """Three lines."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"strip--{tone}" for tone in _TONES}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "step(-1)", "earlier", show=False),
        Binding("right", "step(1)", "later", show=False),
        Binding("pageup", f"step(-{_PAGE})", "ten earlier", show=False),
        Binding("pagedown", f"step({_PAGE})", "ten later", show=False),
        Binding("home,g", f"step(-{_ALL})", "the first", show=False),
        Binding("end,G", f"step({_ALL})", "the last", show=False),
    ]

    class Stepped(Message):
        """The cursor is to go by so many runs."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    def __init__(self, *, id: str) -> None:  # noqa: A002 - as in Widget
        super().__init__(id=id)
        self._lines: Sequence[Sequence[Cell]] = ()

    def show(self, lines: Sequence[Sequence[Cell]]) -> None:
        """Show these lines."""
        if lines != self._lines:
            self._lines = lines
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line of the widget."""
        base, width = self.rich_style, self.size.width
        segments = []
        for cell in self._lines[y] if y < len(self._lines) else ():
            look = self.get_component_rich_style(f"strip--{cell.tone}") if cell.tone else base
            segments.append(Segment(cell.text, look))
        return Strip(segments).adjust_cell_length(width, base).crop(0, width)

    def action_step(self, by: int) -> None:
        """Move the cursor."""
        self.post_message(self.Stepped(by))
