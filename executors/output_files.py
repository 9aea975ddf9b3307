"""The output of one attempt: two append files, which the agent reads, trims and deletes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

APPEND: Final = os.O_WRONLY | os.O_CREAT | os.O_APPEND
FILE_MODE: Final = 0o600


class OutputFiles:
    """The sink of an attempt: `<stem>.out` and `<stem>.err`, each made by the first write to it."""

    __slots__ = ("_fds", "names")

    def __init__(self, stem: str) -> None:
        self.names = (stem + ".out", stem + ".err")
        self._fds: dict[bool, int] | None = None

    @property
    def stdout(self) -> Path:
        """The file of stream 1."""
        return Path(self.names[0])

    @property
    def stderr(self) -> Path:
        """The file of stream 2."""
        return Path(self.names[1])

    def write(self, data: bytes, *, stderr: bool = False) -> None:
        """Append `data`; OSError when the disk is full."""
        if self._fds is None:
            self._fds = {}
        fd = self._fds.get(stderr)
        if fd is None:
            fd = self._fds[stderr] = os.open(self.names[stderr], APPEND | os.O_CLOEXEC, FILE_MODE)
        left = memoryview(data)
        while left:
            left = left[os.write(fd, left) :]

    def close(self) -> None:
        """Let go of the files; they stay where they are."""
        if self._fds is not None:
            for fd in self._fds.values():
                os.close(fd)
            self._fds = None
