"""Signals as bytes on a pipe, so that a poll loop wakes for them (signal.set_wakeup_fd)."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from types import FrameType
from typing import Any


class SignalPipe:
    """Readable (`fd`) when one of `signals` arrived. For the main thread of a process."""

    def __init__(self, signals: Iterable[int]) -> None:
        self.fd, self._inlet = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._old_inlet = signal.set_wakeup_fd(self._inlet, warn_on_full_buffer=False)
        self._old_handlers: dict[int, Any] = {s: signal.signal(s, _ignore) for s in signals}

    def read(self) -> list[int]:
        """The signals that arrived, in their order. For when `fd` is readable."""
        return [number for number in os.read(self.fd, 4096) if number in self._old_handlers]

    def close(self) -> None:
        """Handle signals as before."""
        for number, handler in self._old_handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._old_inlet)
        os.close(self.fd)
        os.close(self._inlet)


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Python writes to the pipe only for signals that have a handler."""
