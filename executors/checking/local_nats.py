"""A small NATS server on this machine, for the specimen of an executor that asks one.

It speaks as much of the protocol as a request needs, and answers requests itself; see
https://docs.nats.io/reference/reference-protocols/nats-protocol.
"""

from __future__ import annotations

import contextlib
import socketserver
import threading
from collections.abc import Iterator
from typing import Final

_INFO: Final = (
    b'INFO {"server_name":"local","version":"2.10.0","headers":true,"max_payload":1048576}'
)
_NOBODY: Final = b"NATS/1.0 503\r\n\r\n"


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 1024


class _Client(socketserver.StreamRequestHandler):
    """One connection with one subscription. A subject says what becomes of a request to it."""

    def handle(self) -> None:
        self._say(_INFO)
        with contextlib.suppress(ConnectionError):
            for line in self.rfile:
                words = line.split()
                match words and words[0].upper():
                    case b"PING":
                        self._say(b"PONG")
                    case b"PUB" | b"HPUB":
                        self._take(words)

    def _take(self, words: list[bytes]) -> None:
        with_headers = words[0].upper() == b"HPUB"
        sizes = [int(word) for word in words[-2:]] if with_headers else [0, int(words[-1])]
        payload = self.rfile.read(sizes[1])[sizes[0] :]
        self.rfile.readline()
        subject, *reply = words[1 : -2 if with_headers else -1]
        if reply:
            self._answer(subject, reply[0], payload)

    def _answer(self, subject: bytes, inbox: bytes, payload: bytes) -> None:
        match subject:
            case b"hello":
                self._message(inbox, b"hello\n")
            case b"echo":
                self._message(inbox, payload)
            case b"linger":
                pass
            case _:
                size = str(len(_NOBODY)).encode()
                self._say(b"HMSG %b 1 %b %b\r\n%b" % (inbox, size, size, _NOBODY))

    def _message(self, inbox: bytes, payload: bytes) -> None:
        self._say(b"MSG %b 1 %d\r\n%b" % (inbox, len(payload), payload))

    def _say(self, line: bytes) -> None:
        self.wfile.write(line + b"\r\n")


@contextlib.contextmanager
def local_nats() -> Iterator[str]:
    """Serve as long as the context lasts; the url."""
    with _Server(("127.0.0.1", 0), _Client) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"nats://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
