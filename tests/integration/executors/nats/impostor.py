"""Servers that are none, or badly behaved ones: what they say is a script."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Self

DEADLINE_S = 30.0
GREETING = b'INFO {"version": "2.10.0", "headers": true, "max_payload": 1048576}\r\n'


class _Listener:
    """Takes connections on a port of its own, and has threads for them; they end with it."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._connections: list[socket.socket] = []
        self._start(self._accept)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for one in (self._socket, *self._connections):
            with contextlib.suppress(OSError):  # closed already
                one.shutdown(socket.SHUT_RDWR)  # wakes whoever waits for it
        self._socket.close()
        for thread in self._threads:
            thread.join(DEADLINE_S)

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    def _start(self, act: Callable[..., None], *arguments: object) -> None:
        self._threads.append(threading.Thread(target=act, args=arguments, daemon=True))
        self._threads[-1].start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._meet(connection)

    def _meet(self, connection: socket.socket) -> None:
        raise NotImplementedError


class Impostor(_Listener):
    """Says `greeting` to each connection, then `answer` to what it is told first.

    It keeps all that it is told; `hangs_up`: it ends a connection when it has had its say.
    """

    def __init__(self, greeting: bytes, answer: bytes = b"", *, hangs_up: bool = False) -> None:
        self._greeting, self._answer, self._hangs_up = greeting, answer, hangs_up
        self.told = b""
        super().__init__()

    def _meet(self, connection: socket.socket) -> None:
        connection.settimeout(DEADLINE_S)
        self._connections.append(connection)
        self._start(self._talk, connection)

    def _talk(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            connection.sendall(self._greeting)
            answer = self._answer
            while not self._hangs_up or answer:
                data = connection.recv(65536)
                if not data:
                    break
                self.told += data
                connection.sendall(answer)
                answer = b""
        connection.close()


class TlsFront(_Listener):
    """Speaks TLS from the first byte on, for a server that speaks none."""

    def __init__(self, port: int, context: ssl.SSLContext) -> None:
        self._back, self._context = port, context
        super().__init__()

    def _meet(self, connection: socket.socket) -> None:
        front = self._context.wrap_socket(connection, server_side=True)
        back = socket.create_connection(("127.0.0.1", self._back))
        self._connections += [front, back]
        self._start(_pump, front, back)
        self._start(_pump, back, front)


def _pump(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
    with contextlib.suppress(OSError):
        other.shutdown(socket.SHUT_RDWR)
    one.close()
