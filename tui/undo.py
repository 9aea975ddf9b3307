"""What can be taken back, and for how long."""

from __future__ import annotations

from typing import Final

import msgspec

from tocsin.instants import SECOND_US
from tocsin.messages.client_link import Ask

UNDO_S: Final = 600
KEPT_MAX: Final = 20


class Undo(msgspec.Struct, frozen=True):
    """A question that takes something back."""

    what: str
    """What is taken back, in words: `pause etl-orders`."""
    ask: Ask
    done_us: int


def add(undos: tuple[Undo, ...], undo: Undo) -> tuple[Undo, ...]:
    """With one more; the newest is the last."""
    return (*undos, undo)[-KEPT_MAX:]


def newest(undos: tuple[Undo, ...], now_us: int) -> Undo | None:
    """What would be taken back now; None when there is nothing, or it is too long ago."""
    if undos and now_us - undos[-1].done_us <= UNDO_S * SECOND_US:
        return undos[-1]
    return None
