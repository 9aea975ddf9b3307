"""A real proxy: forwards http, tunnels https, and may ask who comes."""

from __future__ import annotations

import base64
import contextlib
import select
import socket

from .wire import Talk, Wire


class Proxy(Wire):
    """On a free port; `user` and `password` are asked for where there are any."""

    def __init__(self, user: str = "", password: str = "") -> None:
        pair = base64.b64encode(f"{user}:{password}".encode()).decode()
        self._wanted = f"\r\nproxy-authorization: basic {pair}\r\n".lower() if user else ""
        self.asked: list[str] = []
        """The first line of each request."""
        super().__init__(self._serve_one)

    def _serve_one(self, talk: Talk) -> None:
        while request := talk.request():
            line, _, rest = request.decode().partition("\r\n")
            self.asked.append(line)
            if self._wanted and self._wanted not in request.decode().lower():
                talk.say(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
                return
            method, target, _ = line.split(" ")
            if method == "CONNECT":
                talk.say(b"HTTP/1.1 200 Connection established\r\n\r\n")
                self._tunnel(talk, target)
                return
            place, _, path = target.removeprefix("http://").partition("/")
            with self._connect(place) as there:
                there.sendall(f"{method} /{path} HTTP/1.1\r\nConnection: close\r\n{rest}".encode())
                while data := there.recv(1 << 16):
                    talk.say(data)
            return

    def _tunnel(self, talk: Talk, place: str) -> None:
        with self._connect(place) as there, contextlib.suppress(OSError):
            ends = {talk.socket: there, there: talk.socket}
            while True:
                for end in select.select(list(ends), [], [])[0]:
                    data = end.recv(1 << 16)
                    if not data:
                        return
                    ends[end].sendall(data)

    @staticmethod
    def _connect(place: str) -> socket.socket:
        host, _, port = place.rpartition(":")
        return socket.create_connection((host, int(port)))
