"""The question before something that has consequences."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tocsin.tui.actions.action import Action, Situation
from tocsin.tui.actions.telling import command_line, subject


class ConfirmScreen(ModalScreen[bool]):
    """Ends with True only for `y`, or where `typed` is asked for when just that was typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "yes", show=False),
        Binding("n,q", "answer(False)", "no", show=False),
        Binding("escape", "answer(False)", "no", show=False),
    ]

    def __init__(self, action: Action, at: Situation, typed: str = "") -> None:
        super().__init__()
        self._action = action
        self._at = at
        self._typed = typed
        self._in_sight = False

    def compose(self) -> ComposeResult:
        """The question, what follows from it, and the answers."""
        action, at = self._action, self._at
        command = command_line(action, at)
        question = action.question(at) or f"{action.name} {subject(action, at)}?".capitalize()
        with Vertical(id="confirm"):
            yield Static(question, markup=False)
            yield Static(f"\nsame as: {command}" if command else "", markup=False)
            if self._typed:
                yield Static(f"\ntype {self._typed} and enter to do it    esc leaves it")
                line = Input(compact=True)
                line.cursor_blink = False
                yield line
            else:
                yield Static(f"\ny {action.name}    n, esc leave it", markup=False)

    def on_mount(self) -> None:
        """Heed no key that was pressed before the question could be read."""
        self.call_after_refresh(self._show)

    def _show(self) -> None:
        self._in_sight = True

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Only the right word will do."""
        if self._in_sight and message.value.strip() == self._typed:
            self.dismiss(True)  # noqa: FBT003 - the answer itself

    def action_answer(self, sure: bool) -> None:  # noqa: FBT001 - the answer itself
        """Close with the answer."""
        if self._in_sight and not (sure and self._typed):
            self.dismiss(sure)
