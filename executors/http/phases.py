"""How long the parts of a request take, and how far it has come, from what httpcore tells of it."""

from __future__ import annotations

import asyncio
from typing import Any, Final

_MEASURED: Final = {
    "connection.connect_tcp": "connect_ms",
    "connection.start_tls": "tls_ms",
    "proxy.start_tls": "tls_ms",
    "http11.send_request_body": "send_ms",
    "http2.send_request_body": "send_ms",
    "http11.receive_response_headers": "first_byte_ms",
    "http2.receive_response_headers": "first_byte_ms",
}


class Phases:
    """The `trace` of one request, see "trace" in httpcore's documentation on extensions."""

    __slots__ = ("_began_s", "_loop", "connected", "connecting_to", "stage", "stream_id", "took_ms")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.took_ms: dict[str, float] = {}
        self.stage = ""
        """What was begun last: `connection.start_tls`, say."""
        self.connected = False
        """Whether a connection was made for this request."""
        self.connecting_to: tuple[str, int] | None = None
        """The host and port to which one was."""
        self.stream_id = 0
        """Of HTTP/2."""
        self._loop = loop
        self._began_s = 0.0

    async def __call__(self, event: str, info: dict[str, Any]) -> None:
        """Something began, is complete, or failed."""
        phase, _, step = event.rpartition(".")
        name = _MEASURED.get(phase)
        if name is None:
            return
        if step == "started":
            self.stage = phase
            self._began_s = self._loop.time()
            if name == "connect_ms":
                self.connected = True
                self.connecting_to = info["host"], info["port"]
            elif name == "send_ms":
                self.stream_id = info.get("stream_id", 0)
        elif step == "complete":
            self.took_ms[name] = round((self._loop.time() - self._began_s) * 1000, 1)
