"""The output of one attempt: two append files, which the agent reads, trims and deletes."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path
from typing import Final

from .secrets import Mask

APPEND: Final = os.O_WRONLY | os.O_CREAT | os.O_APPEND
FILE_MODE: Final = 0o600


SPARES_MAX: Final = 256


class SpareFiles:
    """Empty files that were some attempt's output, kept under other names for the next ones.

    Most runs print nothing, and a new file can cost as much as a spawn: 0.02 to 0.6 ms were seen
    on one disk, by directory. `folder` is beside that of the output, on the same file system;
    `name` is the executor's.
    """

    def __init__(self, folder: str, name: str) -> None:
        self._folder = folder
        self._free = [f"{folder}/{name}-{number}" for number in range(SPARES_MAX)]
        self._spares: list[str] = []

    def lend(self, path: str) -> None:
        """Put an empty file at `path`, if there is a spare one."""
        if self._spares:
            spare = self._spares.pop()
            self._free.append(spare)
            with contextlib.suppress(OSError):  # whoever opens it makes a new one then
                os.rename(spare, path)  # noqa: PTH104 - here and below: objects cost more

    def take_back(self, path: str) -> None:
        """Keep the file at `path` if it is empty, and will stay so: nobody can write to it."""
        if not self._free or not _is_blank(path):
            return
        with contextlib.suppress(OSError):  # it stays where it is
            if len(self._free) == SPARES_MAX:
                os.makedirs(self._folder, mode=0o700, exist_ok=True)  # noqa: PTH103
            os.rename(path, self._free[-1])  # noqa: PTH104
            self._spares.append(self._free.pop())

    def close(self) -> None:
        """Delete them."""
        for spare in self._spares:
            with contextlib.suppress(OSError):
                os.unlink(spare)  # noqa: PTH108


def _is_blank(path: str) -> bool:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        if os.fstat(fd).st_size:
            return False
        # Given only while nobody has it open for writing, see fcntl(2); the close ends it.
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(fd)


class OutputFiles:
    """The sink of an attempt: `<stem>.out` and `<stem>.err`, each made by the first write to it."""

    __slots__ = ("_fds", "_held", "_lent", "_mask", "_spares", "names")

    def __init__(self, stem: str, spares: SpareFiles | None = None) -> None:
        self.names = (stem + ".out", stem + ".err")
        self._fds: dict[bool, int] | None = None
        self._spares = spares
        self._lent = False
        self._mask: Mask | None = None
        self._held = {False: b"", True: b""}

    def mask(self, mask: Mask) -> None:
        """Keep secrets out of what is written from here on."""
        self._mask = mask

    def lend(self) -> tuple[str, str]:
        """The names of both files, for a process that opens them to append."""
        self._lent = True
        if self._spares is not None:
            for name in self.names:
                self._spares.lend(name)
        return self.names

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
        if self._mask is not None:
            data = self._mask.data(self._held[stderr] + data)
            kept = len(data) - self._mask.held(data)
            data, self._held[stderr] = data[:kept], data[kept:]
        self._append(data, stderr=stderr)

    def _append(self, data: bytes, *, stderr: bool) -> None:
        if self._fds is None:
            self._fds = {}
        fd = self._fds.get(stderr)
        if fd is None:
            fd = self._fds[stderr] = os.open(self.names[stderr], APPEND | os.O_CLOEXEC, FILE_MODE)
        left = memoryview(data)
        while left:
            left = left[os.write(fd, left) :]

    def flush(self) -> None:
        """Write what was held back because it might have become a secret."""
        for stderr, data in self._held.items():
            if data:
                self._held[stderr] = b""
                with contextlib.suppress(OSError):  # the disk is full: it is lost with the rest
                    self._append(data, stderr=stderr)

    def close(self) -> None:
        """Let go of the files; they stay where they are, unless they will stay empty."""
        self.flush()
        if self._fds is not None:
            for fd in self._fds.values():
                os.close(fd)
            self._fds = None
        if self._lent and self._spares is not None:
            for name in self.names:
                self._spares.take_back(name)
