"""What workers tell the screens. A worker touches no widget: it posts one of these."""

from __future__ import annotations

from textual.message import Message

from .connection import Connection
from .state import View


class SessionChanged(Message):
    """There is a newer view, or the link stands otherwise."""

    def __init__(self, view: View, connection: Connection, conversation: int) -> None:
        super().__init__()
        self.view = view
        self.connection = connection
        self.conversation = conversation
        """Which it is of: one that was left may still have had something to say."""

    def can_replace(self, message: Message) -> bool:
        """Of several that wait, only the newest counts."""
        return isinstance(message, SessionChanged)


class Said(Message):
    """Something to tell the user in one line: what was done, or why it was not."""

    def __init__(
        self, text: str, *, command: str = "", failed: bool = False, about: str = ""
    ) -> None:
        super().__init__()
        self.text = text
        self.command = command
        """The command line that does the same; empty where there is none."""
        self.failed = failed
        self.about = about
        """The job that came of it: a list of jobs puts its cursor there."""
