"""One request under way: sent, its answer streamed to the output, judged."""

from __future__ import annotations

import asyncio
import email.utils
import ssl
from datetime import UTC
from typing import Any, Final

import httpx

from tocsin import clock
from tocsin.errors import ExecutorError
from tocsin.execution import RETRY_AFTER_FACT, Outcome, Sink, Status
from tocsin.expectation import by_output, reads_output
from tocsin.instants import SECOND_US, to_rfc3339
from tocsin.units import format_size

from .asking import REDIRECTS_MAX, Asked, asked_by, redirected
from .config import HttpConfig
from .connections import Connection, Connections
from .decoding import decoder
from .failures import FAULTS, broke_off, reason, was_ignored
from .phases import Phases
from .progress import Progress

JUDGED_BYTES_MAX: Final = 16 << 20
"""How much of a body `expect` looks at."""
DRAINED_BYTES_MAX: Final = 64 << 10
"""How much is read of an answer that only redirects, to use its connection again."""
CONNECT_S: Final = 30.0
_TIMEOUT: Final = {"connect": CONNECT_S, "read": None, "write": None, "pool": None}


class _OutputError(Exception):
    """The output cannot be kept."""


class Exchange:
    """A request and its answer. Make it inside the loop."""

    def __init__(
        self, connections: Connections, config: HttpConfig, sink: Sink, *, has_secrets: bool
    ) -> None:
        """Begin it.

        Raises:
            ExecutorError: it cannot be sent; nothing is left behind.
        """
        asked = asked_by(config, has_secrets=has_secrets)
        try:
            self._route = connections.route(config, asked)
        except ExecutorError:
            if asked.body is not None:
                asked.body.close()
            raise
        self._asked = asked
        self._body = asked.body
        self._connections = connections
        self._config = config
        self._sink = sink
        self._kept = bytearray()
        self._keeps = reads_output(config.answer.of_body)
        self._facts: dict[str, Any] = {}
        self._loop = asyncio.get_running_loop()
        self._phases = Phases(self._loop)
        self._progress = Progress(self._loop, sink, self._how_far)
        self._task = self._loop.create_task(self._exchange())
        self._task.add_done_callback(self._let_go)

    async def wait(self) -> Outcome:
        """Wait for the whole answer."""
        try:
            return await self._task
        except asyncio.CancelledError:
            return Outcome(Status.CANCELLED, facts=self._facts)

    async def cancel(self, grace_s: float) -> None:
        """Close the connection."""
        del grace_s
        self._task.cancel()

    def handle(self) -> bytes | None:
        """A connection belongs to its process."""
        return None

    async def _exchange(self) -> Outcome:
        began_s = self._loop.time()
        try:
            await self._converse()
        except (*FAULTS, _OutputError, ExecutorError) as error:
            return Outcome(Status.FAILED, None, self._failure(error), self._facts)
        finally:
            self._facts.update(self._phases.took_ms)
            self._facts["total_ms"] = round((self._loop.time() - began_s) * 1000, 1)
            if self._body is not None:
                self._facts["sent_bytes"] = self._body.sent_bytes
        return self._judged()

    def _let_go(self, _: asyncio.Task[Outcome]) -> None:
        """However it ended: a task that is cancelled before its first step runs no `finally`."""
        self._progress.end()
        if self._body is not None:
            self._body.close()

    async def _converse(self) -> None:
        """Ask, and ask where the answer says to, until it is the last."""
        redirects = self._config.redirects
        left = REDIRECTS_MAX if redirects is True else int(redirects)
        follows = left > 0
        while (further := await self._ask(follows=follows)) is not None:
            if left == 0:
                raise httpx.TooManyRedirects("too many redirects")
            left -= 1
            self._facts["redirects"] = self._facts.get("redirects", 0) + 1
            self._facts["url"] = str(further.url.copy_with(query=None))
            self._asked = further
            self._route = self._connections.route(self._config, further)

    async def _ask(self, *, follows: bool) -> Asked | None:
        """Send one request, and take its answer in; the next request, where it redirects."""
        connection, response = await self._answered()
        whole = False
        try:
            stream = response.stream
            assert isinstance(stream, httpx.AsyncByteStream)
            location = response.headers.get("location") if follows else None
            further = redirected(self._asked, response.status_code, location)
            if further is None:
                self._note(connection, response)
                await self._take(stream, response)
                whole = True
            else:
                whole = await _is_drained(stream)
            if whole:
                await stream.aclose()
        finally:
            await (self._connections.give_back(connection) if whole else connection.close())
        return further

    async def _answered(self) -> tuple[Connection, httpx.Response]:
        """Send the request; the head of its answer.

        A kept connection may be one that the server is closing just now. So a request that must not
        reach its server twice gets a new one, and any other is sent once more, on a new one, when
        there was no answer; as is one that the server says it has not looked at.
        """
        if self._asked.is_repeatable:
            connection = self._connections.take(self._route)
        else:
            connection = Connection(self._route)
        try:
            return connection, await self._sent(connection)
        except FAULTS as error:
            may_repeat = self._asked.is_repeatable and broke_off(error)
            if not (may_repeat and not self._phases.connected) and not was_ignored(
                error, self._phases.stream_id
            ):
                raise
        connection = Connection(self._route)
        return connection, await self._sent(connection)

    async def _sent(self, connection: Connection) -> httpx.Response:
        self._phases = Phases(self._loop)
        request = self._asked.as_httpx({"trace": self._phases, "timeout": _TIMEOUT})
        try:
            return await connection.transport.handle_async_request(request)
        except BaseException:
            await connection.close()
            raise

    def _note(self, connection: Connection, response: httpx.Response) -> None:
        facts = self._facts
        facts["status"] = response.status_code
        facts["version"] = response.http_version
        facts["bytes"] = 0
        if connection.tls_expires is None:
            connection.tls_expires = _tls_expires(response)
        if connection.tls_expires:
            facts["tls_expires"] = connection.tls_expires
        if (wait_s := _retry_after_s(response.headers.get("retry-after", ""))) is not None:
            facts[RETRY_AFTER_FACT] = wait_s

    async def _take(self, stream: httpx.AsyncByteStream, response: httpx.Response) -> None:
        """The body, to the output as it comes."""
        self._progress.heard()
        unpacked = decoder(response.headers.get("content-encoding", ""))
        async for data in stream:
            self._progress.heard()
            for number, piece in enumerate(unpacked.pieces(data)):
                if number:
                    await asyncio.sleep(0)  # a little may unpack to much: others have their turn
                self._put(piece)
        unpacked.end()

    def _put(self, data: bytes) -> None:
        self._facts["bytes"] += len(data)
        if self._keeps:
            self._kept += data[: JUDGED_BYTES_MAX - len(self._kept)]
        try:
            self._sink.write(data)
        except OSError as error:
            raise _OutputError(f"its answer cannot be kept: {error.strerror}") from error

    def _judged(self) -> Outcome:
        code: int = self._facts["status"]
        answer = self._config.answer
        if not answer.takes(code):
            wanted = ", ".join(map(str, answer.statuses))
            message = f"status {code}; expected {wanted}"
            if RETRY_AFTER_FACT in self._facts:
                message += f"; the server asks to wait {self._facts[RETRY_AFTER_FACT]:g} s"
            return Outcome(Status.FAILED, None, message, self._facts)
        good = Outcome(Status.SUCCEEDED, None, "", self._facts)
        return by_output(answer.of_body, good, bytes(self._kept), b"") if self._keeps else good

    def _how_far(self) -> str:
        if "bytes" in self._facts:
            return f"{format_size(self._facts['bytes'])} of the answer so far"
        if self._body is not None and self._body.sent_bytes < self._body.size:
            sent, size = format_size(self._body.sent_bytes), format_size(self._body.size)
            return f"{sent} of {size} sent so far"
        return "no answer so far"

    def _failure(self, error: Exception) -> str:
        if isinstance(error, _OutputError | ExecutorError):
            return str(error)
        return f"{self._culprit(error)}: {reason(error)}"

    def _culprit(self, error: Exception) -> str:
        """Host and port, of the proxy where it is the proxy's fault."""
        url, phases = self._asked.url, self._phases
        host, port = url.host, url.port or (443 if url.scheme == "https" else 80)
        who = ""
        at_proxy = isinstance(error, httpx.ProxyError) or phases.stage.startswith("connection.")
        if self._route.proxy is not None and at_proxy and phases.connecting_to is not None:
            host, port = phases.connecting_to
            who = "proxy "
        return f"{who}[{host}]:{port}" if ":" in host else f"{who}{host}:{port}"


async def _is_drained(stream: httpx.AsyncByteStream) -> bool:
    """Whether an answer that nobody wants is over soon."""
    size = 0
    async for data in stream:
        size += len(data)
        if size > DRAINED_BYTES_MAX:
            return False
    return True


def _tls_expires(response: httpx.Response) -> str:
    """When the server's certificate ends; empty without one that was looked at."""
    stream = response.extensions.get("network_stream")
    secured = stream.get_extra_info("ssl_object") if stream is not None else None
    certificate = secured.getpeercert() if secured is not None else None
    if not certificate:
        return ""
    return to_rfc3339(int(ssl.cert_time_to_seconds(certificate["notAfter"])) * SECOND_US)


def _retry_after_s(text: str) -> float | None:
    """Seconds from a `Retry-After` field, see RFC 9110 10.2.3."""
    if text.isdecimal() and text.isascii():
        return float(text[:9])
    try:
        at = email.utils.parsedate_to_datetime(text)
        if at.tzinfo is None:
            at = at.replace(tzinfo=UTC)
        return max(0.0, at.timestamp() - clock.now_us() / SECOND_US)
    except (ValueError, OverflowError):
        return None
