"""The output of one attempt: two append files, which the agent reads, trims and deletes."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path
from typing import Final

from tocsin.output_plan import next_free

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
        if not self._free:
            return
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            return
        try:
            if os.fstat(fd).st_size:
                return
            # Given only while nobody has it open for writing, see fcntl(2); the close ends it.
            fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
            if len(self._free) == SPARES_MAX:
                os.makedirs(self._folder, mode=0o700, exist_ok=True)  # noqa: PTH103
            os.rename(path, self._free[-1])  # noqa: PTH104
        except OSError:  # it stays where it is
            return
        finally:
            os.close(fd)
        self._spares.append(self._free.pop())

    def close(self) -> None:
        """Delete them."""
        for spare in self._spares:
            with contextlib.suppress(OSError):
                os.unlink(spare)  # noqa: PTH108


class _Stream:
    """One file that is open to append: how long it is, and up to where its middle is freed."""

    __slots__ = ("_freed", "_keep_bytes", "_name", "_size", "fd")

    def __init__(self, name: str, keep_bytes: int) -> None:
        self.fd = os.open(name, APPEND | os.O_CLOEXEC, FILE_MODE)
        self._name = name
        self._keep_bytes = keep_bytes
        self._size = os.fstat(self.fd).st_size
        self._freed = 0

    def append(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            count = os.write(self.fd, left)
            left = left[count:]
            self._size += count
            if self._size > self._keep_bytes:
                self._free_middle()

    def _free_middle(self) -> None:
        piece = next_free(self._freed, self._size, self._keep_bytes)
        if piece is None:
            return
        from tocsin.hole import punch  # few runs print so much

        self._freed = piece.offset + piece.length
        with contextlib.suppress(OSError):  # the file system cannot; the agent says so
            punch(self._name, piece.offset, piece.length)


class OutputFiles:
    """The sink of an attempt: `<stem>.out` and `<stem>.err`, each made by the first write to it.

    Of what is written to a stream, the disk holds the first and the last half of `keep_bytes`, and
    8 MiB between them: the middle is freed as it is written, whether an agent is there or not.
    """

    __slots__ = ("_held", "_keep_bytes", "_lent", "_mask", "_spares", "_streams", "names")

    def __init__(self, stem: str, keep_bytes: int, spares: SpareFiles | None = None) -> None:
        self.names = (stem + ".out", stem + ".err")
        self._keep_bytes = keep_bytes
        self._streams: dict[bool, _Stream] | None = None
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
        if self._streams is None:
            self._streams = {}
        stream = self._streams.get(stderr)
        if stream is None:
            stream = self._streams[stderr] = _Stream(self.names[stderr], self._keep_bytes)
        stream.append(data)

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
        if self._streams is not None:
            for stream in self._streams.values():
                os.close(stream.fd)
            self._streams = None
        if self._lent and self._spares is not None:
            for name in self.names:
                self._spares.take_back(name)
