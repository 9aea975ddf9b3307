"""How the link to the coordinator stands, and how old that makes what is on the screen."""

from __future__ import annotations

import enum
from typing import Final

import msgspec

from tocsin.instants import SECOND_US
from tocsin.messages.client_answers import Status

from .plain import one_line
from .words import span

SILENT_S: Final = 12.0
"""Two questions that are put every five seconds have gone unanswered."""
LAG_SHOWN_S: Final = 0.2


class Phase(enum.Enum):
    """What the link is doing."""

    CONNECTING = "connecting"
    """It has not been up since the start."""
    UP = "up"
    DOWN = "down"
    """It was up, and is being dialled again."""
    REFUSED = "refused"
    """The coordinator does not admit our key; asked again from time to time."""


class Connection(msgspec.Struct, frozen=True):
    """The link, as of now."""

    phase: Phase = Phase.CONNECTING
    since_us: int = 0
    heard_us: int | None = None
    """When the coordinator last said anything."""
    reason: str = ""
    """What went wrong last, in words."""
    lag_s: float = 0.0
    """How long the last question about its health took."""
    status: Status | None = None

    def blocks(self) -> str:
        """Why nothing can be asked of the coordinator; empty when it can."""
        match self.phase:
            case Phase.UP:
                return ""
            case Phase.CONNECTING:
                return "not connected yet"
            case Phase.DOWN:
                return "offline"
            case Phase.REFUSED:
                return "the coordinator does not admit this key"


class Badge(msgspec.Struct, frozen=True):
    """A glyph, words and a tone."""

    glyph: str
    text: str
    tone: str


def badge(connection: Connection, now_us: int) -> Badge:
    """The state of the link for the header; says the age of the data where it is not live."""
    heard_us = connection.heard_us
    age = "" if heard_us is None else span((now_us - heard_us) / SECOND_US)
    match connection.phase:
        case Phase.CONNECTING:
            waited = span((now_us - connection.since_us) / SECOND_US)
            return Badge("○", f"connecting {waited}", "warn")
        case Phase.DOWN:
            return Badge("✗", f"OFFLINE, data {age} old" if age else "OFFLINE", "bad")
        case Phase.REFUSED:
            return Badge("✗", f"REFUSED, data {age} old" if age else "REFUSED", "bad")
        case Phase.UP:
            return _live_badge(connection, now_us, age)


def trouble(connection: Connection) -> str:
    """One line that says what is wrong and what happens next; empty when all is well."""
    match connection.phase:
        case Phase.REFUSED:
            return "this key is not admitted: ask for a join string (asked again by itself)"
        case Phase.CONNECTING | Phase.DOWN:
            return one_line(connection.reason)
        case Phase.UP:
            status = connection.status
            if status is not None and status.store != "ok":
                return f"store: {one_line(status.store)}"
            return one_line(connection.reason)


def _live_badge(connection: Connection, now_us: int, age: str) -> Badge:
    heard_us = connection.heard_us
    if heard_us is not None and now_us - heard_us > SILENT_S * SECOND_US:
        return Badge("!", f"SILENT, data {age} old", "bad")
    if connection.status is not None and connection.status.store != "ok":
        return Badge("!", "live, store in trouble", "bad")
    lag = f", lag {connection.lag_s:.1f}s" if connection.lag_s >= LAG_SHOWN_S else ""
    return Badge("●", f"live{lag}", "good")
