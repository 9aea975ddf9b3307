"""The keys of a screen, from the table of actions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from tocsin.tui.actions.action import Place
from tocsin.tui.actions.table import Table
from tocsin.tui.actions.telling import help_lines

_WIDTH_MAX: Final = 120
"""Longer lines are hard to read."""
_EDGES: Final = 5
"""Borders, padding and scrollbar."""
_MOVES: Final = """\
 Move: up down or k j, pgup pgdn, ctrl+u ctrl+d, g first, G last.
 : takes any of these by name, `:pause etl-orders`; tab completes it.
 ctrl+c leaves from anywhere. esc closes this.
"""


class HelpScreen(ModalScreen[None]):
    """The help.

    Args:
        actions: all there are.
        place: of the screen.
        legend: what the signs of the screen mean, in lines.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "dismiss", "close", show=False),
        Binding("up,k", "move(-1)", "up", show=False),
        Binding("down,j", "move(1)", "down", show=False),
        Binding("pageup", "page(-1)", "page up", show=False),
        Binding("pagedown", "page(1)", "page down", show=False),
        Binding("ctrl+u", "page(-0.5)", "half a page up", show=False),
        Binding("ctrl+d", "page(0.5)", "half a page down", show=False),
        Binding("home,g", "edge(0)", "first", show=False),
        Binding("end,G", "edge(-1)", "last", show=False),
    ]

    def __init__(self, actions: Table, place: Place, legend: Sequence[str] = ()) -> None:
        super().__init__()
        self._actions = actions
        self._place = place
        self._legend = legend

    def compose(self) -> ComposeResult:
        """The keys for moving, and the table."""
        with VerticalScroll(id="help"):
            yield Static(id="help-text", markup=False)

    def on_mount(self) -> None:
        """Lay the lines out."""
        self._lay_out()

    def on_resize(self) -> None:
        """Lay the lines out anew."""
        self._lay_out()

    def _lay_out(self) -> None:
        width = min(self.app.size.width, _WIDTH_MAX)
        room = max(width - _EDGES, 1)
        title = f" Keys of this screen: {self._place.value}\n"
        lines = [title, _MOVES]
        if self._legend:
            lines += [*(f" {line}" for line in self._legend), ""]
        lines += help_lines(self._actions, self._place, room)
        self._scroll.styles.width = width
        self.query_one("#help-text", Static).update("\n".join(lines))

    @property
    def _scroll(self) -> VerticalScroll:
        return self.query_one("#help", VerticalScroll)

    def action_move(self, lines: int) -> None:
        """Scroll by lines."""
        self._go(self._scroll.scroll_offset.y + lines)

    def action_page(self, pages: float) -> None:
        """Scroll by pages."""
        self.action_move(int(pages * max(self._scroll.size.height - 1, 1)))

    def action_edge(self, end: int) -> None:
        """Scroll to the first line, or the last."""
        self._go(0 if end >= 0 else self._scroll.max_scroll_y)

    def _go(self, line: float) -> None:
        self._scroll.scroll_to(y=line, animate=False, force=True)
