"""Who waits for which confirmation, and for how long."""

from __future__ import annotations

import asyncio
import math
from typing import Final, NamedTuple

from .protocol import Message


class Unconfirmed(Exception):  # noqa: N818 - named for the fact, as its siblings are
    """A message was not confirmed; says by which server, and why, in one line."""


class Limit(NamedTuple):
    """How long to wait, and for what."""

    s: float
    what: str


NO_LIMIT: Final = Limit(math.inf, "")


class Waiter(NamedTuple):
    """Who waits for the confirmation of a message."""

    future: asyncio.Future[Message | None]
    subject: str
    inbox: str
    limit: Limit
    due_s: float
    """On the loop's clock."""

    def is_named_in(self, reason: str) -> bool:
        """Whether a server's complaint is about this message."""
        return quoted(self.subject) in reason or quoted(self.inbox) in reason


def quoted(subject: str) -> str:
    """A subject as the server quotes it, which is as Go does."""
    return '"' + subject.replace("\\", "\\\\").replace('"', '\\"') + '"'
