"""One message under way: sent, confirmed, judged."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Iterator
from typing import Any, Final

from tocsin.errors import ExecutorError
from tocsin.execution import Order, Outcome, Sink, Status, split_key
from tocsin.units import format_size

from .answers import fault_of, read_ack
from .config import MSG_ID_FIELD, NatsConfig, decode_base64, duration_s
from .connection import Connection
from .connections import Connections
from .protocol import PAYLOAD_BYTES_MAX, Message, encode_headers
from .settings import settings_of
from .waiting import NO_LIMIT, Limit, Unconfirmed

_IDEMPOTENCY_KEY: Final = "TOCSIN_IDEMPOTENCY_KEY"
_HEADERS_CHARS_MAX: Final = 8 << 10
"""Of a reply's headers; more of them are no fact."""


class Delivery:
    """A message and its confirmation. Make it inside the loop."""

    def __init__(
        self, connections: Connections, config: NatsConfig, order: Order, sink: Sink
    ) -> None:
        try:
            config.check_filled()
            self._payload = _payload(config)
        except ValueError as error:
            raise ExecutorError(str(error)) from error
        self._connections = connections
        self._config = config
        self._sink = sink
        self._headers = encode_headers(_fields(config, order))
        self._facts: dict[str, Any] = {"bytes": len(self._payload)}
        self._loop = asyncio.get_running_loop()
        self._awaited: asyncio.Future[Any] | None = None
        self._is_cancelled = False

    async def wait(self) -> Outcome:
        """Wait for the confirmation."""
        try:
            message = await self._deliver()
        except Unconfirmed as error:
            message = str(error)
        except asyncio.CancelledError:
            if not self._is_cancelled:
                raise
            return Outcome(Status.CANCELLED, facts=self._facts)
        status = Status.FAILED if message else Status.SUCCEEDED
        return Outcome(status, None, message, self._facts)

    async def cancel(self, grace_s: float) -> None:
        """Wait no longer. What was sent cannot be called back."""
        del grace_s
        self._is_cancelled = True
        if self._awaited is not None:
            self._awaited.cancel()

    def handle(self) -> bytes | None:
        """A connection belongs to its process."""
        return None

    async def _deliver(self) -> str:
        """Send, and wait; what is wrong, or nothing."""
        connection = await self._connection()
        if self._is_cancelled:  # just as the connection came
            raise asyncio.CancelledError
        self._facts["server"] = connection.address
        if unfit := self._unfit(connection):
            return f"{connection.address}: {unfit}"
        began_s = self._loop.time()
        reply = await self._confirmation(connection)
        self._facts["latency_ms"] = _ms(self._loop.time() - began_s)
        wrong = "" if reply is None else self._judge(reply)
        return f"{connection.address}: {wrong}" if wrong else ""

    async def _connection(self) -> Connection:
        settings = settings_of(self._config)
        connection = self._connections.at_hand(settings)
        if connection is None:
            began_s = self._loop.time()
            self._awaited = opening = self._connections.open(settings)
            connection = await opening
            self._facts["connect_ms"] = _ms(self._loop.time() - began_s)
        return connection

    def _unfit(self, connection: Connection) -> str:
        """Why a server would not take the message."""
        info = connection.info
        if self._headers and not info.headers:
            return f"version {info.version or 'unknown'} of the server takes no headers"
        size = len(self._headers) + len(self._payload)
        if size > info.max_payload:
            most = f"{info.max_payload:,} (max_payload)"
            return f"the message has {size:,} bytes, the server takes {most}"
        return ""

    async def _confirmation(self, connection: Connection) -> Message | None:
        config = self._config
        is_request = config.request is not False
        if config.request is True:
            limit = NO_LIMIT
        elif is_request:
            limit = Limit(duration_s("request", config.request), "reply")
        else:
            limit = Limit(duration_s("wait", config.wait), "confirmation")
        send = connection.request if is_request or config.jetstream else connection.publish
        self._awaited = future = send(config.subject, self._headers, self._payload, limit)
        return await future

    def _judge(self, reply: Message) -> str:
        if self._config.jetstream:
            facts, wrong = read_ack(reply)
            self._facts |= facts
            return wrong
        self._facts["reply_bytes"] = len(reply.payload)
        if reply.headers and len(str(reply.headers)) <= _HEADERS_CHARS_MAX:
            self._facts["reply_headers"] = {
                name: values[0] if len(values) == 1 else values
                for name, values in reply.headers.items()
            }
        if reply.payload:
            self._sink.write(reply.payload)
        return fault_of(reply)


def _payload(config: NatsConfig) -> bytes:
    if config.payload_file is not None:
        return _read(config.payload_file)
    if config.payload_base64 is not None:
        return decode_base64(config.payload_base64)
    return (config.payload or "").encode()


def _read(path: str) -> bytes:
    """A file, but nothing that could keep us waiting, and no more than any server takes."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise ExecutorError(f"`payload_file` {path}: is not a file")
            with open(fd, "rb", closefd=False) as file:
                data = file.read(PAYLOAD_BYTES_MAX + 1)
        finally:
            os.close(fd)
    except OSError as error:
        raise ExecutorError(f"`payload_file` {path}: {error.strerror}") from error
    if len(data) > PAYLOAD_BYTES_MAX:
        most = format_size(PAYLOAD_BYTES_MAX)
        raise ExecutorError(f"`payload_file` {path}: has more than {most}, which no server takes")
    return data


def _fields(config: NatsConfig, order: Order) -> Iterator[tuple[str, str]]:
    for name, value in config.headers.items():
        for text in value if isinstance(value, list) else [value]:
            yield name, text
    if config.jetstream and config.msg_id is not False:
        own = config.msg_id if isinstance(config.msg_id, str) else None
        yield MSG_ID_FIELD, own or order.env.get(_IDEMPOTENCY_KEY) or split_key(order.key)[0]


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
