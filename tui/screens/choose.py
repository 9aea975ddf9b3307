"""A text, and a few things to do about it."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from tocsin.tui.actions.telling import key_cap

Choice = tuple[str, str]
"""A key, and what it does."""
STAY = "escape"


class ChooseScreen(ModalScreen[str]):
    """Ends with the key that was chosen; `escape` is always one of them."""

    def __init__(self, text: str, choices: Sequence[Choice], escape: str) -> None:
        super().__init__()
        self._text = text
        self._choices = [*choices, (STAY, escape)]

    def compose(self) -> ComposeResult:
        """The text above the choices."""
        keys = "    ".join(f"{key_cap(key)} {what}" for key, what in self._choices)
        with VerticalScroll(id="choose"):
            yield Static(self._text, markup=False)
            yield Static(f"\n{keys}", markup=False)

    def on_key(self, event: events.Key) -> None:
        """Close with the key of a choice."""
        if event.key in {key for key, _ in self._choices}:
            event.stop()
            self.dismiss(event.key)
