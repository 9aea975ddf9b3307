"""The question before something that cannot be undone."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from tocsin.tui.actions import Action, Situation, command_line


class ConfirmScreen(ModalScreen[bool]):
    """Ends with True only for `y`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "yes", show=False),
        Binding("n,escape,q", "answer(False)", "no", show=False),
    ]

    def __init__(self, action: Action, at: Situation) -> None:
        super().__init__()
        self._action = action
        self._at = at

    def compose(self) -> ComposeResult:
        """The question, what follows from it, and the two answers."""
        command = command_line(self._action, self._at)
        with Vertical(id="confirm"):
            yield Static(self._action.question(self._at), markup=False)
            yield Static(f"\nsame as: {command}" if command else "", markup=False)
            yield Static(f"\ny {self._action.name}    n, esc leave it", markup=False)

    def action_answer(self, sure: bool) -> None:  # noqa: FBT001 - the answer itself
        """Close with the answer."""
        self.dismiss(sure)
