"""One connection to a host: msgpack values one after the other, both ways, never waiting."""

from __future__ import annotations

import errno
import socket
from collections import deque
from collections.abc import Iterator
from typing import Final

import msgpack

from tocsin.errors import ProtocolError
from tocsin.hosting import HOST_MESSAGE_BYTES_MAX, FromHost, ToHost
from tocsin.wire import as_message, encode

READ_BYTES_MAX: Final = 256 << 10
READS_MAX: Final = 16
"""Reads in one turn of the loop."""
RETRY_US: Final = 1_000
RETRY_US_MAX: Final = 128_000
_ITEMS_MAX: Final = 262_144


def connect(folder: int, name: str) -> socket.socket | None:
    """A connection to the socket `name` in the directory that `folder` is open on, if one listens.

    A path of a Unix socket holds 107 bytes at most, see unix(7); this one is always short.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        connection.connect(f"/proc/self/fd/{folder}/{name}")
    except OSError:
        connection.close()
        return None
    return connection


class HostSocket:
    """A host's connection. `is_over` when the other side has ended it."""

    def __init__(self, connection: socket.socket) -> None:
        self.is_over = False
        self.retry_us: int | None = None
        """When to `flush` again, on the steady clock."""
        self._socket = connection
        self._wait_us = RETRY_US
        self._outgoing: deque[tuple[ToHost, bytes]] = deque()
        self._sent_bytes = 0
        """Of the first message."""
        self._unpacker = msgpack.Unpacker(
            max_buffer_size=HOST_MESSAGE_BYTES_MAX + READ_BYTES_MAX,
            max_array_len=_ITEMS_MAX,
            max_map_len=_ITEMS_MAX,
            max_ext_len=0,
            strict_map_key=True,
        )

    def fileno(self) -> int:
        """The descriptor."""
        return self._socket.fileno()

    def receive(self) -> Iterator[FromHost]:
        """The messages that are there.

        Raises:
            ProtocolError: they are none.
        """
        for _ in range(READS_MAX):
            try:
                data = self._socket.recv(READ_BYTES_MAX)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self.is_over = True
                return
            yield from self._messages(data)

    def _messages(self, data: bytes) -> Iterator[FromHost]:
        try:
            self._unpacker.feed(data)
            for plain in self._unpacker:
                message: FromHost = as_message(plain, FromHost)
                yield message
        except (ValueError, msgpack.UnpackException) as error:
            raise ProtocolError(f"not a message of a host: {error}") from error

    def send(self, message: ToHost) -> None:
        """Send as much as goes now; `flush` sends the rest."""
        self._outgoing.append((message, encode(message)))
        if self.retry_us is None:
            self._send()
            if self._outgoing:
                self.retry_us = 0

    def flush(self, now_us: int) -> None:
        """Send what did not go before."""
        if self.retry_us is None:
            return
        before = len(self._outgoing), self._sent_bytes
        self._send()
        moved = before != (len(self._outgoing), self._sent_bytes)
        self._wait_us = RETRY_US if moved else min(2 * self._wait_us, RETRY_US_MAX)
        self.retry_us = now_us + self._wait_us if self._outgoing else None

    def _send(self) -> None:
        while self._outgoing:
            data = self._outgoing[0][1]
            try:
                self._sent_bytes += self._socket.send(memoryview(data)[self._sent_bytes :])
            except OSError as error:
                if error.errno not in {errno.EAGAIN, errno.EPIPE, errno.ECONNRESET}:
                    raise
                return  # the end of the connection, if it is one, is read soon
            if self._sent_bytes == len(data):
                self._outgoing.popleft()
                self._sent_bytes = 0

    def unsent(self) -> list[ToHost]:
        """What the host has not got whole."""
        return [message for message, _ in self._outgoing]

    def close(self) -> None:
        """Hang up."""
        self._socket.close()
