"""One key after the other, each to where the one before it has led.

Textual sends a key to the widget that has the focus when the key arrives, and looks for what it
does once it has come up again from there. Of keys that arrive together (typed ahead on a slow line,
pasted) those behind a key that opens a prompt or a screen would still go to the widget below.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

from textual import events
from textual.app import App
from textual.message_pump import MessagePump

PATIENCE_S: Final = 0.5
"""A key that got lost on its way, with a widget that was taken down, holds others up no longer."""

Typed = events.Key | events.Paste


def parted(event: Typed) -> list[Typed]:
    """The keys that an event may stand for: escape and a letter right behind it look like alt."""
    if not isinstance(event, events.Key):
        return [event]
    prefix, _, rest = event.key.partition("+")
    if prefix != "alt" or len(rest) != 1:
        return [event]
    return [events.Key("escape", "\x1b"), events.Key(rest, rest)]


class KeyOrder:
    """Holds back what was typed until what was typed before has had its effect.

    `forward` hands it to whoever has the focus at that moment.
    """

    def __init__(self, app: App[Any], forward: Callable[[Typed], Awaitable[None]]) -> None:
        self._app = app
        self._forward = forward
        self._waiting: deque[Typed] = deque()
        self.sent_s = 0.0
        """When what was sent on last had arrived."""
        self._sent: Typed | None = None
        """What is on its way."""

    async def take(self, event: Typed) -> None:
        """Send it on, now or later."""
        self._waiting.append(event)
        if self._sent is not None:
            self._app.set_timer(PATIENCE_S, partial(self._lose, self._sent))
        await self._next()

    async def _lose(self, event: Typed) -> None:
        """Wait for it no longer."""
        if self._sent is event:
            self._sent = None
            await self._next()

    async def _next(self) -> None:
        if self._sent is not None or not self._waiting:
            return
        self._sent = event = self._waiting.popleft()
        self.sent_s = event.time
        target = self._app.focused or self._app.screen
        await self._forward(event)
        self._follow(event, target)

    def _follow(self, event: Typed, pump: MessagePump) -> None:
        """Go the way of the event, from the widget up to the app, behind it in each queue."""
        if event is not self._sent:
            return
        if pump is not self._app:
            above = pump._parent or self._app  # noqa: SLF001 - where events go from there
            if pump.call_later(self._follow, event, above):
                return
        self._sent = None
        self._app.call_later(self._next)
