"""All keys, from the table of actions."""

from __future__ import annotations

from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from tocsin.tui.actions import help_lines

_WIDTH: Final = 71
_MOVES: Final = """\
 Move: up down or k j, pgup pgdn, ctrl+u ctrl+d, g first, G last.
 In a log also left and right; G follows its end again.
 ctrl+c leaves from anywhere. esc closes this.
"""


class HelpScreen(ModalScreen[None]):
    """The help."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "dismiss", "close", show=False),
    ]

    def compose(self) -> ComposeResult:
        """The table and the keys for moving."""
        with VerticalScroll(id="help"):
            yield Static("\n".join([_MOVES, *help_lines(_WIDTH)]), markup=False)
