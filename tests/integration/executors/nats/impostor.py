"""Servers that are none, or badly behaved ones: what they say is a script."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from typing import Self

DEADLINE_S = 30.0
GREETING = b'INFO {"version": "2.10.0", "headers": true, "max_payload": 1048576}\r\n'


class Impostor:
    """Takes connections, says `greeting` to each, then `answer` to what it is told first.

    It keeps all that it is told; `hangs_up`: it ends a connection when it has had its say.
    """

    def __init__(self, greeting: bytes, answer: bytes = b"", *, hangs_up: bool = False) -> None:
        self._greeting, self._answer, self._hangs_up = greeting, answer, hangs_up
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.told = b""
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._connections: list[socket.socket] = []
        self._threads[0].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        _shut(self._listener, *self._connections)
        for thread in self._threads:
            thread.join(DEADLINE_S)

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(DEADLINE_S)
            self._connections.append(connection)
            self._threads.append(threading.Thread(target=self._talk, args=(connection,)))
            self._threads[-1].start()

    def _talk(self, connection: socket.socket) -> None:
        try:
            connection.sendall(self._greeting)
            answer = self._answer
            while not self._hangs_up or answer:
                data = connection.recv(65536)
                if not data:
                    break
                self.told += data
                connection.sendall(answer)
                answer = b""
        except OSError:
            pass
        connection.close()


class TlsFront:
    """Speaks TLS from the first byte on, for a server that speaks none."""

    def __init__(self, port: int, context: ssl.SSLContext) -> None:
        self._back = port
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._connections: list[socket.socket] = []
        self._threads[0].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        _shut(self._listener, *self._connections)
        for thread in self._threads:
            thread.join(DEADLINE_S)

    def _accept(self) -> None:
        while True:
            try:
                raw, _ = self._listener.accept()
            except OSError:
                return
            front = self._context.wrap_socket(raw, server_side=True)
            back = socket.create_connection(("127.0.0.1", self._back))
            self._connections += [front, back]
            for one, other in ((front, back), (back, front)):
                self._threads.append(threading.Thread(target=_pump, args=(one, other)))
                self._threads[-1].start()


def _shut(listener: socket.socket, *connections: socket.socket) -> None:
    """Wake whoever waits for them."""
    for one in (listener, *connections):
        with contextlib.suppress(OSError):  # closed already
            one.shutdown(socket.SHUT_RDWR)
    listener.close()


def _pump(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
    with contextlib.suppress(OSError):
        other.shutdown(socket.SHUT_RDWR)
    one.close()
