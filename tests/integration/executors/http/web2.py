"""A real HTTP/2 server over TLS, found by ALPN, that can also break off in every way."""

from __future__ import annotations

import asyncio
import re
import ssl
import threading
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived, Event, RequestReceived, StreamEnded, StreamReset
from hyperframe.frame import GoAwayFrame

BLOCK = bytes(16 << 10)
LARGE_BYTES = 1 << 20
LAST = 3


class Peer(asyncio.Protocol):
    """One connection. What it does with a request is in the path."""

    def __init__(self, server: Web2) -> None:
        self._server = server
        self._h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self._paths: dict[int, str] = {}
        self._bodies: dict[int, int] = {}
        self._number = 0
        self._heard = asyncio.Event()
        self._size = self._head_size = self._wanted = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say hello."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server.open.add(transport)
        secured = transport.get_extra_info("ssl_object")
        self._old = secured.selected_alpn_protocol() != "h2"
        self._server.connections += 1
        self._number = self._server.connections
        if self._old:
            return
        self._h2.initiate_connection()
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        del exc
        self._server.open.discard(self._transport)
        self._server.parted.set()
        self._server.gone.set()

    def data_received(self, data: bytes) -> None:
        """Do as the requests ask."""
        if self._old:
            self._hear_old(data)
            return
        for event in self._h2.receive_data(data):
            self._handle(event)
        self._flush()
        self._heard.set()

    def _hear_old(self, data: bytes) -> None:
        """HTTP/1.1: a body, counted."""
        self._size += len(data)
        self._head_size = self._head_size or data.find(b"\r\n\r\n") + 4
        found = re.search(rb"content-length: (\d+)", data)
        self._wanted = int(found[1]) if found else self._wanted
        if self._size == self._head_size + self._wanted:
            self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")

    def _handle(self, event: Event) -> None:
        match event:
            case RequestReceived(stream_id=stream, headers=headers):
                fields: dict[Any, Any] = dict(headers or ())
                self._paths[stream], self._bodies[stream] = fields[":path"], 0
                self._server.requests.append((self._number, fields[":path"]))
                self._server.fields = fields
            case DataReceived(stream_id=stream, data=data, flow_controlled_length=length):
                self._bodies[stream] += len(data or b"")
                self._h2.acknowledge_received_data(length or 0, stream or 0)
            case StreamEnded(stream_id=stream):
                kind = self._paths[stream].strip("/").replace("-", "_")
                getattr(self, f"_{kind}", self._ok)(stream)
            case StreamReset():
                self._server.gone.set()

    def _flush(self) -> None:
        self._transport.write(self._h2.data_to_send())

    def _head(self, stream: int, *, end: bool = False) -> None:
        self._h2.send_headers(stream, [(":status", "200"), ("x-a", "b")], end_stream=end)

    def _ok(self, stream: int) -> None:
        self._head(stream)
        self._h2.send_data(stream, f"{self._bodies[stream]} bytes".encode(), end_stream=True)

    def _hang(self, stream: int) -> None:
        self._head(stream)
        self._h2.send_data(stream, b"first\n")
        self._server.hanging.set()

    def _large(self, stream: int) -> None:
        """As fast as the other side takes it."""
        self._head(stream)
        self._sending = asyncio.get_running_loop().create_task(self._send_blocks(stream))

    async def _send_blocks(self, stream: int) -> None:
        for _ in range(LARGE_BYTES // len(BLOCK)):
            while self._h2.local_flow_control_window(stream) < len(BLOCK):
                self._heard.clear()
                await self._heard.wait()
            self._h2.send_data(stream, BLOCK)
            self._flush()
        self._h2.end_stream(stream)
        self._flush()

    # The ways to break off.

    def _last(self, stream: int) -> None:
        """A connection goes away with its third request, and answers it."""
        if len(self._paths) == LAST:
            self._flush()
            frame = GoAwayFrame(0, last_stream_id=stream)
            self._transport.write(frame.serialize())
        self._ok(stream)

    def _refuse_first(self, stream: int) -> None:
        """A stream of the first connection is refused, unseen."""
        if self._number == 1:
            self._h2.reset_stream(stream, ErrorCodes.REFUSED_STREAM)
        else:
            self._ok(stream)

    def _refuse(self, stream: int) -> None:
        self._h2.reset_stream(stream, ErrorCodes.REFUSED_STREAM)

    def _reset(self, stream: int) -> None:
        self._h2.reset_stream(stream, ErrorCodes.INTERNAL_ERROR)

    def _reset_late(self, stream: int) -> None:
        self._head(stream)
        self._h2.send_data(stream, b"first\n")
        self._h2.reset_stream(stream, ErrorCodes.ENHANCE_YOUR_CALM)

    def _away_first(self, stream: int) -> None:
        """The first connection goes away, its last request unseen."""
        if self._number == 1:
            self._h2.close_connection(ErrorCodes.NO_ERROR, last_stream_id=max(stream - 2, 0))
            self._flush()
            self._transport.close()
        else:
            self._ok(stream)

    def _away(self, stream: int) -> None:
        """It goes away with the request in hand."""
        self._h2.close_connection(ErrorCodes.INTERNAL_ERROR, last_stream_id=stream)
        self._flush()
        self._transport.close()

    def _away_late(self, stream: int) -> None:
        """It goes away in the middle of an answer, and finishes that."""
        self._head(stream)
        self._h2.send_data(stream, b"first\n")
        self._flush()
        self._transport.write(GoAwayFrame(0, last_stream_id=stream).serialize())
        self._h2.send_data(stream, b"last\n", end_stream=True)

    def _cut(self, stream: int) -> None:
        del stream
        self._transport.abort()

    def _cut_first(self, stream: int) -> None:
        """The first connection is cut at its second request."""
        if self._number == 1 and len(self._paths) > 1:
            self._transport.abort()
        else:
            self._ok(stream)


class Web2:
    """A server on a free port, in a thread."""

    def __init__(self, context: ssl.SSLContext) -> None:
        context.set_alpn_protocols(["h2", "http/1.1"])
        self.connections = 0
        self.requests: list[tuple[int, str]] = []
        """Connection, from 1, and path of each."""
        self.fields: dict[str, str] = {}
        """Of the last one."""
        self.open: set[asyncio.Transport] = set()
        self.hanging = threading.Event()
        self.gone = threading.Event()
        """The other side has closed a connection or reset a stream."""
        self._context = context
        self._ready = threading.Event()
        self._thread = threading.Thread(target=asyncio.run, args=(self._serve(),))
        self._thread.start()
        self._ready.wait()
        self.place = f"localhost:{self._port}"
        self.url = f"https://{self.place}"

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._over, self.parted = asyncio.Event(), asyncio.Event()
        server = await self._loop.create_server(
            lambda: Peer(self), "127.0.0.1", 0, ssl=self._context
        )
        self._port: int = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._over.wait()
        server.close()
        for transport in list(self.open):
            transport.abort()
        while self.open:
            self.parted.clear()
            await self.parted.wait()

    def close(self) -> None:
        """End it."""
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()
