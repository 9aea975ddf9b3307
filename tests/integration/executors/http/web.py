"""Real HTTP servers, plain and with TLS, that behave well, badly and slowly."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

DEADLINE_S = 30


class Handler(BaseHTTPRequestHandler):
    """Answers as the path asks for."""

    protocol_version = "HTTP/1.1"
    server: Web

    def do_GET(self) -> None:
        """Answer."""
        self.server.ports.append(self.client_address[1])
        left = int(self.headers.get("content-length") or 0)
        if self.path == "/stuck":
            self.server.hanging.set()
            self.server.go_on.wait(DEADLINE_S)
        self.asked, self.asked_bytes = b"", 0
        while left and (piece := self.rfile.read(min(left, 1 << 20))):
            self.asked, left = piece, left - len(piece)
            self.asked_bytes += len(piece)
        path = self.path.partition("?")[0].strip("/")
        kind, _, rest = path.partition("/")
        getattr(self, f"_{kind}", self._echo)(rest)

    do_POST = do_PUT = do_HEAD = do_GET  # noqa: N815 - the names that http.server looks for

    def __getattr__(self, name: str) -> Any:
        """Any other method is answered too."""
        if name.startswith("do_"):
            return self.do_GET
        raise AttributeError(name)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _send(self, code: int, body: bytes = b"", **fields: str) -> None:
        self.send_response(code)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _echo(self, _: str) -> None:
        shown = {
            "method": self.command,
            "path": self.path,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "body": self.asked.decode(),
        }
        self._send(200, json.dumps(shown).encode(), content_type="application/json")

    def _status(self, code: str) -> None:
        self._send(int(code), f"this is {code}".encode())

    def _busy(self, wait: str) -> None:
        self._send(503, b"busy", retry_after=urllib.parse.unquote(wait))

    def _redirect(self, left: str) -> None:
        to = f"/redirect/{int(left) - 1}" if int(left) else "/echo"
        self._send(302, location=to)

    def _to(self, rest: str) -> None:
        """Redirect with a status to what the query says."""
        self._send(int(rest), location=urllib.parse.unquote(self.path.partition("?")[2]))

    def _cookie(self, _: str) -> None:
        self._send(200, b"", set_cookie="session=hunter22")

    def _count(self, _: str) -> None:
        self._send(200, f"{self.asked_bytes} of {self.headers['content-length']}".encode())

    def _large(self, count: str) -> None:
        self.send_response(200)
        self.send_header("content-length", count)
        self.end_headers()
        block = b"x" * (1 << 16)
        for _ in range(int(count) // len(block)):
            self.wfile.write(block)

    def _cut(self, _: str) -> None:
        self.send_response(200)
        self.send_header("content-length", "1000")
        self.end_headers()
        self.wfile.write(b"only this")
        self.close_connection = True

    def _garbage(self, _: str) -> None:
        self.wfile.write(b"this is not HTTP at all\r\n\r\n")
        self.close_connection = True

    def _hang(self, _: str) -> None:
        self.send_response(200)
        self.send_header("content-length", "1000")
        self.end_headers()
        self.wfile.write(b"first\n")
        self.wfile.flush()
        self.server.hanging.set()
        if not self.rfile.read(1):  # the other side hangs up
            self.server.hung_up.set()
        self.close_connection = True


class Web(ThreadingHTTPServer):
    """A server on a free port."""

    daemon_threads = True

    def __init__(self, context: ssl.SSLContext | None = None, address: str = "127.0.0.1") -> None:
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        super().__init__((address, 0), Handler)
        self.hanging = threading.Event()
        self.hung_up = threading.Event()
        self.go_on = threading.Event()
        self.ports: list[int] = []
        """The other side's port of each request: connections can be told apart by it."""
        scheme = "http"
        if context is not None:
            scheme = "https"
            self.socket = context.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )
        name = "[::1]" if ":" in address else "localhost"
        self.place = f"{name}:{self.server_address[1]}"
        self.url = f"{scheme}://{self.place}"
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,))
        self._thread.start()

    def handle_error(self, *_: Any) -> None:
        """A peer that hangs up is part of the play."""

    def close(self) -> None:
        """End it."""
        self.go_on.set()
        self.shutdown()
        self._thread.join()
        self.server_close()
