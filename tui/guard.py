"""Leaves the terminal as it was, whatever ends the program, and does not outlive it.

Without this, SIGTERM leaves the alternate screen and mouse reports on, and a terminal that has
vanished while SIGHUP is ignored (nohup(1), some wrappers) leaves a process that spins for ever.
"""

from __future__ import annotations

import asyncio
import signal
import termios
from collections.abc import Callable, Mapping
from typing import Final

SIGNALS: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
LOOK_S: Final = 1.0


def refusal(environ: Mapping[str, str], *, on_terminal: bool) -> str:
    """Why no screen can be drawn here, and what to do instead; empty where one can."""
    if not on_terminal:
        return "the TUI needs a terminal: from scripts, use the commands (tocsin --help)"
    if environ.get("TERM", "dumb") in {"dumb", ""}:
        return "TERM=dumb cannot draw screens: set TERM, or use the commands (tocsin --help)"
    return ""


class Guard:
    """Calls `leave` when a signal asks to end, or when the terminal behind `fd` is gone."""

    def __init__(self, fd: int, leave: Callable[[], None]) -> None:
        self._fd = fd
        self._leave = leave
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Watch from now on, on the running loop of the main thread."""
        self._loop = asyncio.get_running_loop()
        for number in SIGNALS:
            self._loop.add_signal_handler(number, self._leave)
        self._timer = self._loop.call_later(LOOK_S, self._look)

    def stop(self) -> None:
        """Watch no more; signals do again what they did."""
        if self._loop is None:
            return
        for number in SIGNALS:
            self._loop.remove_signal_handler(number)
        if self._timer is not None:
            self._timer.cancel()
        self._loop = None

    def _look(self) -> None:
        if self._loop is None:
            return
        try:
            termios.tcgetattr(self._fd)
        except termios.error:
            self._leave()
            return
        self._timer = self._loop.call_later(LOOK_S, self._look)
