"""Lines of coloured texts that scroll; only lines that changed are drawn again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from .columns import Cell

Line = tuple[Cell, ...]
_BELOW = 4
_TONES = frozenset({"good", "bad", "warn", "quiet", "strong"})


class Lines(ScrollView, can_focus=True):
    """Any number of lines."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"lines--{tone}" for tone in _TONES}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "up", show=False),
        Binding("down,j", "move(1)", "down", show=False),
        Binding("pageup", "page(-1)", "page up", show=False),
        Binding("pagedown", "page(1)", "page down", show=False),
    ]

    def __init__(self, *, id: str) -> None:  # noqa: A002 - as in Widget
        super().__init__(id=id)
        self._lines: Sequence[Line] = ()

    def show(self, lines: Sequence[Line]) -> None:
        """Show these lines."""
        before, self._lines = self._lines, lines
        size = Size(0, len(lines))
        if size != self.virtual_size:
            self.virtual_size = size
        top = self.scroll_offset.y
        for y in range(self.size.height):
            if _at(before, top + y) != _at(lines, top + y):
                self.refresh_line(y)

    def refresh_line(self, y: int) -> None:
        """Draw one line in sight again."""
        self.refresh(Region(0, y, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        """One line of the widget, see `ScrollView`."""
        line = _at(self._lines, self.scroll_offset.y + y)
        base = self.rich_style
        segments = [Segment(cell.text, base + self._style(cell.tone)) for cell in line]
        width = self.size.width
        return Strip(segments).adjust_cell_length(width, base).crop(0, width)

    def action_move(self, lines: int) -> None:
        """Scroll by lines."""
        self.scroll_to(y=self.scroll_offset.y + lines, animate=False, force=True)

    def action_page(self, pages: int) -> None:
        """Scroll by pages."""
        self.action_move(pages * max(self.size.height - 1, 1))

    def _style(self, tone: str) -> Style:
        if tone not in _TONES:
            return Style.null()
        found = self.get_component_rich_style(f"lines--{tone}")
        return Style(color=found.color, bold=found.bold, dim=found.dim)


class FormLines(Lines):
    """Lines with a caret in them; what is typed goes to whoever keeps the form.

    `take` is told the key and the character it stands for, and says whether it was for the form.
    """

    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(
        self,
        take: Callable[[str, str | None], bool],
        paste: Callable[[str], None],
        click: Callable[[int], None],
        *,
        id: str,  # noqa: A002 - as in Widget
    ) -> None:
        super().__init__(id=id)
        self._take = take
        self._paste = paste
        self._click = click
        self._caret: tuple[int, int] | None = None

    def show_form(self, lines: Sequence[Line], caret: tuple[int, int] | None) -> None:
        """Show these lines, with the caret at a line and a column, in sight."""
        before, self._caret = self._caret, caret
        self.show(lines)
        if caret is None or not self.size.height:
            return
        top = self.scroll_offset.y
        # What is said below a field is in sight with it, and where one goes.
        wanted = max(top, min(caret[0] + _BELOW, len(lines)) - self.size.height)
        wanted = min(wanted, max(caret[0] - 1, 0))
        if wanted != top:
            self.scroll_to(y=wanted, animate=False, force=True)
        elif caret != before:
            for y in {caret[0] - top, *([before[0] - top] if before is not None else [])}:
                self.refresh_line(y)

    def render_line(self, y: int) -> Strip:
        """One line of the widget, with the caret where it is in it."""
        strip = super().render_line(y)
        if self._caret is None or self._caret[0] != self.scroll_offset.y + y or not self.has_focus:
            return strip
        column = min(self._caret[1], self.size.width - 1)
        left, under, right = strip.divide([column, column + 1, self.size.width])
        return Strip.join([left, under.apply_style(Style(reverse=True)), right])

    def on_key(self, event: events.Key) -> None:
        """Type."""
        if self._take(event.key, event.character if event.is_printable else None):
            event.stop()
            event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        """Type all of it."""
        self._paste(event.text)
        event.stop()

    def on_click(self, event: events.Click) -> None:
        """Go to the field that was clicked."""
        self._click(self.scroll_offset.y + event.y)


def _at(lines: Sequence[Line], number: int) -> Line:
    return lines[number] if 0 <= number < len(lines) else ()
