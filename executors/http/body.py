"""What is sent with a request: piece by piece, counted, and from the beginning again if need be."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator
from typing import Final

import httpx

PIECE_BYTES: Final = 256 << 10


class Body(httpx.AsyncByteStream):
    """Bytes that are at hand."""

    def __init__(self, data: bytes) -> None:
        self.size = len(data)
        self.sent_bytes = 0
        """Of the last time that it was sent: what the kernel has taken."""
        self._data = data

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.sent_bytes = 0
        while self.sent_bytes < self.size:
            piece = await self._piece(self.sent_bytes)
            yield piece
            self.sent_bytes += len(piece)

    async def _piece(self, offset: int) -> bytes:
        return self._data[offset : offset + PIECE_BYTES]

    def close(self) -> None:
        """Let go of it."""


class FileBody(Body):
    """A file, as long as it was when it was opened. Read in a thread: its mount may hang."""

    def __init__(self, path: str) -> None:
        """Open it.

        Raises:
            OSError: it cannot be opened.
            ValueError: it is no file.
        """
        super().__init__(b"")
        # A pipe that nobody writes to would hold up the whole process.
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        status = os.fstat(self._fd)
        if not stat.S_ISREG(status.st_mode):
            os.close(self._fd)
            raise ValueError("is not a file")
        self.size = status.st_size

    async def _piece(self, offset: int) -> bytes:
        count = min(PIECE_BYTES, self.size - offset)
        loop = asyncio.get_running_loop()
        piece = await loop.run_in_executor(None, os.pread, self._fd, count, offset)
        if not piece:
            raise FileShrunkError
        return piece

    def close(self) -> None:
        """Close it."""
        os.close(self._fd)


class FileShrunkError(Exception):
    """A file became shorter while it was sent."""
