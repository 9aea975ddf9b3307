"""A small HTTP server on this machine, for specimens of executors that ask one."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

FLOOD_BYTES: Final = 64 << 20
_BLOCK: Final = b"x" * (1 << 16)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as http.server has it
        """Say nothing: a peer that hangs up is part of the play."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        match self.path:
            case "/hello":
                self._answer(200, b"hello\n")
            case "/fail":
                self._answer(500, b"no\n")
            case "/token":
                self._answer(200, str(self.headers.get("authorization")).encode())
            case "/flood":
                self._begin(200, FLOOD_BYTES)
                for _ in range(FLOOD_BYTES // len(_BLOCK)):
                    self.wfile.write(_BLOCK)
            case "/linger":
                self._begin(200, 1)
                self.rfile.read(1)  # until the other side hangs up
                self.close_connection = True
            case _:
                self._answer(404, b"")

    def _answer(self, status: int, body: bytes) -> None:
        self._begin(status, len(body))
        self.wfile.write(body)

    def _begin(self, status: int, size: int) -> None:
        self.send_response(status)
        self.send_header("content-length", str(size))
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401 - as http.server has it
        """Say nothing."""


@contextlib.contextmanager
def local_web() -> Iterator[str]:
    """Serve as long as the context lasts; the url."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
