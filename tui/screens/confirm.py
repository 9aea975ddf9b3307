"""The question before something that has consequences."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tocsin.tui.actions.action import Action, Situation
from tocsin.tui.actions.telling import command_line, subject
from tocsin.tui.stage import Stage


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
        self._asked_s = 0.0

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

    def on_mount(self, event: events.Mount) -> None:
        """Note the time: a key that was pressed before is no answer."""
        self._asked_s = event.time

    @property
    def _is_answer(self) -> bool:
        """Whether the key that is being heeded was pressed since the question was put."""
        return not isinstance(self.app, Stage) or self.app.pressed_s >= self._asked_s

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Only the right word will do."""
        if self._is_answer and message.value.strip() == self._typed:
            self.dismiss(True)  # noqa: FBT003 - the answer itself

    def action_answer(self, sure: bool) -> None:  # noqa: FBT001 - the answer itself
        """Close with the answer."""
        if self._is_answer and not (sure and self._typed):
            self.dismiss(sure)
