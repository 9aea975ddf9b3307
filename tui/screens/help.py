"""The keys of a screen, from the table of actions."""

from __future__ import annotations

from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from tocsin.tui.actions.action import Place
from tocsin.tui.actions.table import Table
from tocsin.tui.actions.telling import help_lines

_WIDTH: Final = 71
_MOVES: Final = """\
 Move: up down or k j, pgup pgdn, ctrl+u ctrl+d, g first, G last.
 : takes any of these by name, `:pause etl-orders`; tab completes it.
 ctrl+c leaves from anywhere. esc closes this.
"""


class HelpScreen(ModalScreen[None]):
    """The help."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "dismiss", "close", show=False),
    ]

    def __init__(self, actions: Table, place: Place) -> None:
        super().__init__()
        self._actions = actions
        self._place = place

    def compose(self) -> ComposeResult:
        """The keys for moving, and the table."""
        title = f" Keys of this screen: {self._place.value}\n"
        lines = [title, _MOVES, *help_lines(self._actions, self._place, _WIDTH)]
        with VerticalScroll(id="help"):
            yield Static("\n".join(lines), markup=False)
