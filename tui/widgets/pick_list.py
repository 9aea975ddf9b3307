"""Lines of coloured cells of which one may be under the cursor; only those that changed are drawn.

It has no columns of its own: whoever fills it makes the lines as wide as `text_width` says. The
cursor belongs to a line's key, so it moves with its line when the order changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tocsin.tui.plain import fit

from .columns import CURSOR, GUTTER, Cell, LineOf

_TONES: Final = ("good", "bad", "warn", "busy", "quiet", "strong")


class PickList(Widget, can_focus=True):
    """A short list. `head` lines above it stay where they are.

    With `stays_first` a cursor on the first line stays on the first, whatever that is then.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "pick--cursor",
        *(f"pick--{tone}" for tone in _TONES),
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "up", show=False),
        Binding("down,j", "move(1)", "down", show=False),
        Binding("pageup", "page(-1)", "page up", show=False),
        Binding("pagedown", "page(1)", "page down", show=False),
        Binding("home,g", "edge(0)", "first", show=False),
        Binding("end,G", "edge(-1)", "last", show=False),
    ]

    class Moved(Message):
        """The cursor is on another line."""

    def __init__(self, *, id: str, stays_first: bool = True) -> None:  # noqa: A002 - as in Widget
        super().__init__(id=id)
        self._stays_first = stays_first
        self._lines: Sequence[LineOf] = ()
        self._head: Sequence[tuple[Cell, ...]] = ()
        self._empty = ""
        self._cursor = 0
        self._top = 0
        self._drawn: list[object] = []

    @property
    def cursor_key(self) -> str:
        """What the line under the cursor is about; empty when there is none."""
        return self._lines[self._cursor].key if self._cursor < len(self._lines) else ""

    @property
    def text_width(self) -> int:
        """How many cells a line has."""
        return max(self.size.width - GUTTER, 1)

    @property
    def room(self) -> int:
        """How many lines are in sight, those of the head left aside."""
        return max(self.size.height - len(self._head), 0)

    def show(
        self, lines: Sequence[LineOf], *, head: Sequence[tuple[Cell, ...]] = (), empty: str = ""
    ) -> None:
        """Show these; `empty` stands there when there are none."""
        before = self.cursor_key
        self._lines, self._head, self._empty = lines, head, empty
        if self.cursor_key != before:
            places = [place for place, line in enumerate(lines) if line.key == before]
            follows = places and (self._cursor or not self._stays_first)
            self._cursor = places[0] if follows else self._cursor
        self._cursor = max(min(self._cursor, len(lines) - 1), 0)
        self._keep_in_sight()
        self._redraw()
        if self.cursor_key != before:
            self.post_message(self.Moved())

    def render_line(self, y: int) -> Strip:
        """One line of the widget."""
        width = self.size.width
        if y < len(self._head):
            return self._strip(self._head[y], " ", self.rich_style, width)
        place = y - len(self._head) + self._top
        if place >= len(self._lines):
            text = f" {self._empty}" if place == 0 else ""
            return Strip([Segment(fit(text, width), self._style("quiet"))], width)
        under = place == self._cursor
        style = self._style("cursor") if under and self.has_focus else self.rich_style
        gutter = CURSOR if under and self.has_focus else " "
        return self._strip(self._lines[place].cells, gutter, style, width)

    def move_to_key(self, key: str) -> bool:
        """Move the cursor to the line of this key; whether there is one."""
        for place, line in enumerate(self._lines):
            if line.key == key:
                self._move_to(place)
                return True
        return False

    def action_move(self, lines: int) -> None:
        """Move the cursor by lines."""
        self._move_to(self._cursor + lines)

    def action_page(self, pages: int) -> None:
        """Move the cursor by what is in sight."""
        self._move_to(self._cursor + pages * max(self.room - 1, 1))

    def action_edge(self, line: int) -> None:
        """Move the cursor to the first line, or the last."""
        self._move_to(line if line >= 0 else len(self._lines) - 1)

    def on_focus(self) -> None:
        """Show where the keys go."""
        self.refresh()

    def on_blur(self) -> None:
        """Show that they do not go here."""
        self.refresh()

    def on_resize(self) -> None:
        """Draw all anew."""
        self._keep_in_sight()
        self._drawn = []
        self.refresh()

    def _move_to(self, line: int) -> None:
        line = max(min(line, len(self._lines) - 1), 0)
        if line != self._cursor:
            self._cursor = line
            self._keep_in_sight()
            self._redraw()
            self.post_message(self.Moved())

    def _keep_in_sight(self) -> None:
        room = max(self.room, 1)
        self._top = max(min(self._top, self._cursor, len(self._lines) - room), 0)
        self._top = max(self._top, self._cursor - room + 1)

    def _redraw(self) -> None:
        """Draw the lines that show something else than before."""
        place = self._top
        shown = self._lines[place : place + self.room]
        now: list[object] = [*self._head]
        now += [(line.cells, place + i == self._cursor) for i, line in enumerate(shown)]
        now += [self._empty] * (self.size.height - len(now))
        if len(now) != len(self._drawn):
            self.refresh()
        else:
            for y, (new, old) in enumerate(zip(now, self._drawn, strict=True)):
                if new != old:
                    self.refresh(Region(0, y, self.size.width, 1))
        self._drawn = now

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"pick--{name}")

    def _strip(self, cells: Sequence[Cell], gutter: str, style: Style, width: int) -> Strip:
        segments = [Segment(gutter, style)]
        for cell in cells:
            look = style + _foreground(self._style(cell.tone)) if cell.tone else style
            segments.append(Segment(cell.text, look))
        return Strip(segments).adjust_cell_length(width, style).crop(0, width)


def _foreground(style: Style) -> Style:
    return Style(color=style.color, bold=style.bold, dim=style.dim)
