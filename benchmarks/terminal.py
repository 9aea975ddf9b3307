"""A program on a terminal of its own: how much it writes, when, and at what cost."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import termios
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from .processes import cpu_s

SIZE: Final = (30, 100)
DEADLINE_S: Final = 60.0
_LEFT_OUT: Final = {"COLORTERM", "NO_COLOR", "PYTHONDONTWRITEBYTECODE"}
"""An installed program is compiled."""
_ASKS_SYNC: Final = b"\x1b[?2026$p"
_HAS_SYNC: Final = b"\x1b[?2026;2$y"


class Terminal:
    """100 by 30, 256 colours as over SSH; it answers that it can hold output back (mode 2026)."""

    def __init__(self, argv: Sequence[str], **environ: str) -> None:
        self.bytes = 0
        self.output = b""
        self.began_s = time.perf_counter()
        self._master, slave = pty.openpty()
        termios.tcsetwinsize(slave, SIZE)
        kept = {key: it for key, it in os.environ.items() if key not in _LEFT_OUT}
        self.process = subprocess.Popen(
            argv,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**kept, "TERM": "xterm-256color", **environ},
            start_new_session=True,
        )
        os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)

    @property
    def cpu_s(self) -> float:
        """Processor time of the program so far."""
        return cpu_s(self.process.pid)

    def read_for(self, seconds: float) -> None:
        """Read what is written in so many seconds."""
        end_s = time.perf_counter() + seconds
        while (left_s := end_s - time.perf_counter()) > 0 and self._read(left_s):
            pass

    def read_until(self, text: bytes) -> float:
        """Read until this was written; seconds since the start."""
        while text not in self.output:
            if not self._read(DEADLINE_S) or time.perf_counter() - self.began_s > DEADLINE_S:
                raise RuntimeError(f"{text!r} was not written: {self.output[-2000:]!r}")
        return time.perf_counter() - self.began_s

    def read_all(self) -> None:
        """Read until the program ends."""
        while self._read(DEADLINE_S):
            pass

    def _read(self, seconds: float) -> bool:
        """Read once; whether there may be more."""
        if not select.select([self._master], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self._master, 1 << 16)
        except OSError:  # the program ended
            return False
        self.bytes += len(data)
        if _ASKS_SYNC in data:
            os.write(self._master, _HAS_SYNC)
        self.output = (self.output + data)[-(1 << 18) :]
        return bool(data)
