"""A line on stderr, now and then, while nothing comes: how long it has been, and how far it got."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

from tocsin.execution import Sink
from tocsin.units import format_duration

QUIET_S: Final = 30.0
QUIET_S_MAX: Final = 600.0
"""Each next line comes after twice the time, up to this, until something is heard again."""


class Progress:
    """Of one request. What has come is in the output, and needs no line."""

    __slots__ = ("_began_s", "_heard_s", "_loop", "_quiet_s", "_say", "_since_s", "_sink", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop, sink: Sink, say: Callable[[], str]) -> None:
        self._loop = loop
        self._sink = sink
        self._say = say
        self._began_s = self._heard_s = loop.time()
        self._watch_from(self._began_s, QUIET_S)

    def heard(self) -> None:
        """Something has come."""
        self._heard_s = self._loop.time()
        if self._quiet_s > QUIET_S:
            self._timer.cancel()
            self._watch_from(self._heard_s, QUIET_S)

    def end(self) -> None:
        """No more of it."""
        self._timer.cancel()

    def _watch_from(self, since_s: float, quiet_s: float) -> None:
        self._since_s, self._quiet_s = since_s, quiet_s
        self._timer = self._loop.call_at(since_s + quiet_s, self._look)

    def _look(self) -> None:
        if self._heard_s > self._since_s:
            self._watch_from(self._heard_s, QUIET_S)
            return
        now_s = self._loop.time()
        line = f"{format_duration(now_s - self._began_s)}: {self._say()}\n"
        with contextlib.suppress(OSError):  # a full disk is the output's to tell
            self._sink.write(line.encode(), stderr=True)
        self._watch_from(now_s, min(2 * self._quiet_s, QUIET_S_MAX))
