"""A server that says exactly what a test wants it to say, byte by byte."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable

DEADLINE_S = 30.0
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class Talk:
    """One connection, as the server has it."""

    def __init__(self, connection: socket.socket, number: int) -> None:
        self.number = number
        """From 1, in the order of coming."""
        self.socket = connection
        self._heard = b""

    def request(self) -> bytes:
        """The next request with its body; empty when the other side is gone."""
        while b"\r\n\r\n" not in self._heard:
            if not self._hear():
                return b""
        head, _, rest = self._heard.partition(b"\r\n\r\n")
        size = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                size = int(value)
        while len(rest) < size:
            if not self._hear():
                return b""
            rest = self._heard.partition(b"\r\n\r\n")[2]
        self._heard = rest[size:]
        return head + b"\r\n\r\n" + rest[:size]

    def say(self, data: bytes) -> None:
        """Send it."""
        self.socket.sendall(data)

    def answer(self, body: bytes, *fields: str) -> None:
        """Send a whole answer."""
        lines = "".join(f"{field}\r\n" for field in (*fields, f"content-length: {len(body)}"))
        self.say(f"HTTP/1.1 200 OK\r\n{lines}\r\n".encode() + body)

    def await_gone(self) -> None:
        """Wait until the other side hangs up."""
        with contextlib.suppress(ConnectionResetError):
            while self.socket.recv(1 << 16):
                pass

    def _hear(self) -> bytes:
        data = self.socket.recv(1 << 16)
        self._heard += data
        return data


class Wire:
    """Listens on a free port, and has a function talk on each connection, in a thread."""

    def __init__(
        self, script: Callable[[Talk], None], context: ssl.SSLContext | None = None
    ) -> None:
        self._script = script
        self._context = context
        self._count = 0
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.url = f"{'http' if context is None else 'https'}://localhost:{self.port}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def connections(self) -> int:
        """How many there were."""
        return self._count

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._count += 1
            self._open.append(connection)
            thread = threading.Thread(target=self._talk, args=(connection, self._count))
            self._threads.append(thread)
            thread.start()

    def _talk(self, connection: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError, ssl.SSLError):  # a peer that hangs up is part of the play
            connection.settimeout(DEADLINE_S)
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
                self._open.append(connection)
            self._script(Talk(connection, number))
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        connection.close()

    def close(self) -> None:
        """End it, and every connection."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
