"""What is on a terminal until the program that draws on it is there."""

from __future__ import annotations

import contextlib
import os
import termios
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from rich.segment import Segment

ALT_SCREEN_ON: Final = "\x1b[?1049h"
_UP: Final = f"{ALT_SCREEN_ON}\x1b[?25l"
_AWAY: Final = "\x1b[?1049l\x1b[?25h"
_LFLAG: Final = 3


class Picture(NamedTuple):
    """The lines of a screen of a size."""

    lines: Sequence[Sequence[Segment]] = ()
    width: int = 0
    height: int = 0


class Curtain:
    """Stands from `show` on until `close`, or until somebody took over.

    Keys that are pressed meanwhile are not echoed and wait for whoever takes over. `fd` is the
    terminal's, which is read and written.
    """

    def __init__(self, fd: int) -> None:
        self.picture = Picture()
        """What is on it."""
        self._fd = fd
        self._before: list[Any] | None = None

    @property
    def up(self) -> bool:
        """Whether it stands."""
        return self._before is not None

    def show(self, text: str, picture: Picture) -> None:
        """Write on an empty screen the text that makes it show a picture."""
        self.picture = picture
        # A terminal that has gone is noticed by the guard.
        with contextlib.suppress(OSError, termios.error):
            before = termios.tcgetattr(self._fd)
            silent = [*before]
            silent[_LFLAG] &= ~(termios.ECHO | termios.ICANON | termios.ISIG | termios.IEXTEN)
            termios.tcsetattr(self._fd, termios.TCSANOW, silent)
            self._before = before
            _write(self._fd, _UP + text)

    def hand_over(self) -> None:
        """Keys are echoed again; the text stays, for whoever draws over it now."""
        if self._before is not None:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self._fd, termios.TCSANOW, self._before)
            self._before = None

    def close(self) -> None:
        """Show what was there before, if nobody took over."""
        if self.up:
            self.hand_over()
            with contextlib.suppress(OSError):
                _write(self._fd, _AWAY)


def _write(fd: int, text: str) -> None:
    data = text.encode()
    while data:
        data = data[os.write(fd, data) :]
