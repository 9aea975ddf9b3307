"""A table of any length that draws the rows in sight and nothing else.

The cells of a row are asked for when it is drawn, so a change costs as much in a table of a
hundred thousand rows as in one of ten, and only lines whose cells changed are drawn again. The
cursor belongs to a row, not to a position: it moves with its row when the order changes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Final

import msgspec
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tocsin.tui.plain import fit

from .columns import CURSOR, GAP, Cell, Column, widths

MARK: Final = "*"
_GUTTER: Final = 2
_HEADER_LINES: Final = 1


class Line(msgspec.Struct, frozen=True):
    """What a line of the table shows; equal lines need not be drawn again."""

    cells: tuple[Cell, ...] = ()
    cursor: bool = False
    marked: bool = False


CellsOf = Callable[[str], tuple[Cell, ...]]


class Table(ScrollView, can_focus=True):
    """Rows by key, with one line of titles that stays in sight."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "table--header",
        "table--cursor",
        "table--good",
        "table--bad",
        "table--warn",
        "table--busy",
        "table--quiet",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "up", show=False),
        Binding("down,j", "move(1)", "down", show=False),
        Binding("pageup", "page(-1)", "page up", show=False),
        Binding("pagedown", "page(1)", "page down", show=False),
        Binding("ctrl+u", "page(-0.5)", "half a page up", show=False),
        Binding("ctrl+d", "page(0.5)", "half a page down", show=False),
        Binding("home,g", "edge(0)", "first", show=False),
        Binding("end,G", "edge(-1)", "last", show=False),
    ]

    class Moved(Message):
        """The cursor is on another row, or the first is there."""

    def __init__(self, columns: Sequence[Column], *, id: str) -> None:  # noqa: A002 - as in Widget
        super().__init__(id=id)
        self.marked: set[str] = set()
        """The keys of rows that are marked; whoever changes it calls `redraw`."""
        self.stays_first = False
        """Whether a cursor on the first row stays there with the focus as well."""
        self._empty = ""
        self._columns = columns
        self._keys: Sequence[str] = ()
        self._cells_of: CellsOf = lambda _: ()
        self._cursor = 0
        self._lines: list[Line] = []

    @property
    def cursor_key(self) -> str:
        """The key of the row under the cursor; empty when there is none."""
        return self._keys[self._cursor] if self._cursor < len(self._keys) else ""

    @property
    def chosen(self) -> list[str]:
        """The keys of the rows that are marked, in their order; else of that under the cursor."""
        if self.marked:
            return [key for key in self._keys if key in self.marked]
        return [self.cursor_key] if self.cursor_key else []

    def retitle(self, columns: Sequence[Column]) -> None:
        """Have other columns."""
        self._columns = columns
        self._lines = []
        self.refresh()

    def toggle_mark(self) -> None:
        """Mark the row under the cursor, or unmark it, and go to the next."""
        self.marked ^= {self.cursor_key} - {""}
        self.redraw()
        self.move_to(self._cursor + 1)

    def mark_all(self) -> None:
        """Mark all rows; when all are marked, none."""
        every = set(self._keys)
        self.marked = set() if self.marked >= every else every
        self.redraw()

    def show(self, keys: Sequence[str], cells_of: CellsOf, *, empty: str = "") -> None:
        """Show these rows, or `empty`; the cursor stays on its row, or else at its place.

        Without the focus, or if it `stays_first`, a cursor on the first row stays there: so the
        newest stays in sight.
        """
        before, place = self.cursor_key, self._cursor
        top = self._keys[self.scroll_offset.y] if self.scroll_offset.y < len(self._keys) else ""
        self._keys, self._cells_of = keys, cells_of
        if not keys and empty != self._empty:
            self._empty = empty
            self.refresh()
        stays = not self._cursor and (self.stays_first or not self.has_focus)
        if self.cursor_key != before and not stays:
            self._cursor = _position(keys, before, self._cursor)
        self._cursor = max(min(self._cursor, len(keys) - 1), 0)
        size = Size(0, len(keys) + _HEADER_LINES)
        if size != self.virtual_size or self._cursor != place:
            self.virtual_size = size
            self._keep_in_sight(top)
        self.redraw()
        if self.cursor_key != before:
            self.post_message(self.Moved())

    def redraw(self) -> None:
        """Ask for the cells in sight again, and draw the lines that changed."""
        lines = self._lines_in_sight()
        if len(lines) != len(self._lines):
            self._lines = lines
            self.refresh()
            return
        changed = [y for y, line in enumerate(lines) if line != self._lines[y]]
        self._lines = lines
        for y in changed:
            self.refresh(Region(0, y + _HEADER_LINES, self.size.width, 1))

    def move_to(self, row: int) -> None:
        """Put the cursor on a row, and bring it into sight."""
        row = max(min(row, len(self._keys) - 1), 0)
        if row == self._cursor:
            return
        self._cursor = row
        self._keep_in_sight("")
        self.redraw()
        self.post_message(self.Moved())

    def move_to_key(self, key: str) -> bool:
        """Put the cursor on the row of a key; False when there is none."""
        if key not in self._keys:
            return False
        self.move_to(self._keys.index(key))
        return True

    def render_line(self, y: int) -> Strip:
        """One line of the widget, see `ScrollView`."""
        width = self.size.width
        if y < _HEADER_LINES:
            titles = tuple(Cell(column.title) for column in self._columns)
            return self._strip(titles, " " * _GUTTER, self._style("header"), width)
        y -= _HEADER_LINES
        if y >= len(self._lines):
            self._lines = self._lines_in_sight()
        line = self._lines[y] if y < len(self._lines) else Line()
        if not line.cells:
            text = self._empty if y == 0 and not self._keys else ""
            style = self._style("quiet")
            return Strip([Segment(fit(" " * _GUTTER + text, width), style)], width)
        gutter = f"{CURSOR if line.cursor else ' '}{MARK if line.marked else ' '}"
        style = self._style("cursor") if line.cursor and self.has_focus else self.rich_style
        return self._strip(line.cells, gutter, style, width)

    def action_move(self, rows: int) -> None:
        """Move the cursor by rows."""
        self.move_to(self._cursor + rows)

    def action_page(self, pages: float) -> None:
        """Move the cursor by pages."""
        self.move_to(self._cursor + int(pages * max(self._height - 1, 1)))

    def action_edge(self, row: int) -> None:
        """Move the cursor to the first row, or the last."""
        self.move_to(row if row >= 0 else len(self._keys) - 1)

    def on_focus(self) -> None:
        """Show where the keys go."""
        self.refresh()

    def on_blur(self) -> None:
        """Show that they do not go here."""
        self.refresh()

    def on_resize(self) -> None:
        """Draw all anew."""
        self._keep_in_sight("")
        self._lines = self._lines_in_sight()
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse was clicked."""
        if event.y >= _HEADER_LINES:
            self.move_to(self.scroll_offset.y + event.y - _HEADER_LINES)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Draw what came into sight."""
        super().watch_scroll_y(old_value, new_value)
        self._lines = self._lines_in_sight()

    @property
    def _height(self) -> int:
        return max(self.size.height - _HEADER_LINES, 0)

    def _lines_in_sight(self) -> list[Line]:
        top = self.scroll_offset.y
        keys = self._keys[top : top + self._height]
        lines = [
            Line(self._cells_of(key), top + i == self._cursor, key in self.marked)
            for i, key in enumerate(keys)
        ]
        return lines + [Line()] * (self._height - len(lines))

    def _keep_in_sight(self, top_key: str) -> None:
        """Scroll as little as shows the cursor; with rows that came above, stay at `top_key`."""
        top = self.scroll_offset.y
        if top and top_key:
            top = _position(self._keys, top_key, top)
        top = min(top, self._cursor)
        top = max(top, self._cursor - self._height + 1, 0)
        if self._height and top != self.scroll_offset.y:
            self.scroll_to(y=top, animate=False, force=True)

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"table--{name}")

    def _strip(self, cells: tuple[Cell, ...], gutter: str, style: Style, width: int) -> Strip:
        segments = [Segment(gutter, style)]
        sizes = widths(self._columns, width - _GUTTER - 1)
        for column, cell, size in zip(self._columns, cells, sizes, strict=True):
            if size:
                colour = style + _foreground(self._style(cell.tone)) if cell.tone else style
                segments.append(Segment(fit(cell.text, size, right=column.right), colour))
                segments.append(Segment(" " * GAP, style))
        return Strip(segments).adjust_cell_length(width, style).crop(0, width)


def _foreground(style: Style) -> Style:
    return Style(color=style.color, bold=style.bold, dim=style.dim)


def _position(keys: Sequence[str], key: str, near: int) -> int:
    """Where a key is now, or `near` when it is gone."""
    try:
        return keys.index(key)
    except ValueError:
        return near
