"""One request under way: sent, its answer streamed to the output, judged."""

from __future__ import annotations

import asyncio
import base64
import email.utils
import os
import socket
import ssl
from typing import Any, Final

import httpx

from tocsin import clock
from tocsin.errors import ExecutorError
from tocsin.execution import Outcome, Sink, Status
from tocsin.expectation import by_output
from tocsin.instants import SECOND_US, to_rfc3339

from .config import HttpConfig, check_url

JUDGED_BYTES_MAX: Final = 16 << 20
"""How much of a body `expect` looks at."""
_PHASES: Final = {
    "connection.connect_tcp": "connect_ms",
    "connection.start_tls": "tls_ms",
    "http11.receive_response_headers": "first_byte_ms",
    "http2.receive_response_headers": "first_byte_ms",
}


class Exchange:
    """A request and its answer. Make it inside the loop."""

    def __init__(self, client: httpx.AsyncClient, config: HttpConfig, sink: Sink) -> None:
        try:
            check_url(config.url)
            request = _request(client, config)
        except OSError as error:
            raise ExecutorError(f"`file` {config.file}: {error.strerror}") from error
        except (ValueError, httpx.InvalidURL, UnicodeError) as error:
            raise ExecutorError(f"cannot be asked: {error}") from error
        self._client = client
        self._config = config
        self._sink = sink
        self._request = request
        self._facts: dict[str, Any] = {}
        self._phase_began_s: dict[str, float] = {}
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._exchange())

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
            body = await self._answer()
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError) as error:
            return Outcome(Status.FAILED, None, self._failure(error), self._facts)
        finally:
            self._facts["total_ms"] = _ms(self._loop.time() - began_s)
        return self._judge(body)

    async def _answer(self) -> bytes:
        """Send, and stream the answer to the output; the part of it that is judged."""
        self._request.extensions["trace"] = self._trace
        response = await self._client.send(
            self._request, stream=True, follow_redirects=self._client.max_redirects > 0
        )
        try:
            self._note(response)
            kept = bytearray()
            size = 0
            async for chunk in response.aiter_bytes(64 << 10):
                size += len(chunk)
                kept += chunk[: JUDGED_BYTES_MAX - len(kept)]
                self._sink.write(chunk)
                self._facts["bytes"] = size
        finally:
            await response.aclose()
        self._facts["bytes"] = size
        return bytes(kept)

    def _note(self, response: httpx.Response) -> None:
        facts = self._facts
        facts["status"] = response.status_code
        facts["version"] = response.http_version
        if response.history:
            facts["redirects"] = len(response.history)
            facts["url"] = _bare(response.url)
        if (expires := _tls_expires(response)) is not None:
            facts["tls_expires"] = expires
        if (wait_s := _retry_after_s(response.headers.get("retry-after", ""))) is not None:
            facts["retry_after_s"] = wait_s

    def _judge(self, body: bytes) -> Outcome:
        code: int = self._facts["status"]
        answer = self._config.answer
        if not answer.takes(code):
            wanted = ", ".join(map(str, answer.statuses))
            message = f"status {code}; expected {wanted}"
            if "retry_after_s" in self._facts:
                message += f"; the server asks to wait {self._facts['retry_after_s']:g} s"
            return Outcome(Status.FAILED, None, message, self._facts)
        good = Outcome(Status.SUCCEEDED, None, "", self._facts)
        return by_output(answer.of_body, good, body, b"")

    async def _trace(self, event: str, info: dict[str, Any]) -> None:
        del info
        phase, _, step = event.rpartition(".")
        name = _PHASES.get(phase)
        if name is None:
            return
        if step == "started":
            self._phase_began_s[name] = self._loop.time()
        elif step == "complete" and name in self._phase_began_s:
            self._facts[name] = _ms(self._loop.time() - self._phase_began_s[name])

    def _failure(self, error: Exception) -> str:
        url = self._request.url
        port = url.port or (443 if url.scheme == "https" else 80)
        return f"{url.host}:{port}: {_reason(error)}"


def _request(client: httpx.AsyncClient, config: HttpConfig) -> httpx.Request:
    has_body = any(it is not None for it in (config.body, config.json, config.form, config.file))
    content: bytes | None = None if config.body is None else config.body.encode()
    if config.file is not None:
        with open(config.file, "rb") as file:  # noqa: PTH123 - said as it was given
            content = file.read()
    headers = dict(config.headers)
    auth = config.auth
    if auth is not None:
        pair = base64.b64encode(f"{auth.user}:{auth.password}".encode()).decode()
        headers["authorization"] = f"Bearer {auth.bearer}" if auth.bearer else f"Basic {pair}"
    url = httpx.URL(config.url)
    if config.query:
        url = url.copy_merge_params(config.query)
    return client.build_request(
        (config.method or ("POST" if has_body else "GET")).upper(),
        url,
        headers=headers,
        content=content,
        json=config.json,
        data=config.form,
    )


def _reason(error: BaseException) -> str:
    """Why, in words: the first cause that says something."""
    seen: BaseException | None = error
    while seen is not None:
        match seen:
            case ssl.SSLCertVerificationError():
                return f"its certificate is not trusted: {seen.verify_message}"
            case ssl.SSLError():
                return f"TLS: {seen.reason or seen}"
            case socket.gaierror():
                return "its name is not known"
            case OSError() if seen.errno is not None and seen.errno > 0:
                return os.strerror(seen.errno)
        nested = getattr(seen, "exceptions", ())
        seen = nested[0] if nested else seen.__cause__ or seen.__context__
    match error:
        case httpx.ConnectTimeout():
            return "no connection in time"
        case httpx.RemoteProtocolError():
            return f"its answer is broken: {error}"
        case httpx.TooManyRedirects():
            return "too many redirects"
        case _:
            return str(error) or type(error).__name__


def _tls_expires(response: httpx.Response) -> str | None:
    stream = response.extensions.get("network_stream")
    secured = stream.get_extra_info("ssl_object") if stream is not None else None
    certificate = secured.getpeercert() if secured is not None else None
    if not certificate:
        return None
    return to_rfc3339(int(ssl.cert_time_to_seconds(certificate["notAfter"])) * SECOND_US)


def _retry_after_s(text: str) -> float | None:
    """Seconds from a `Retry-After` field, see RFC 9110 10.2.3."""
    if text.isdecimal() and text.isascii():
        return float(text[:9])
    try:
        at = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, at.timestamp() - clock.now_us() / SECOND_US)


def _bare(url: httpx.URL) -> str:
    """A url without what may be secret in it."""
    return str(url.copy_with(query=None, fragment=None, userinfo=b""))


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
