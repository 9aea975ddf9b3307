"""The connections: kept between runs, and never shared by two at a time.

A run has its connection to itself, with HTTP/2 too. So a cancel is the end of a connection that
nobody else uses, and what a server does to one run (a GOAWAY, a flood, a stall) it does to no
other.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import socket
import ssl
import sys
from typing import Final, NamedTuple

import httpx

from tocsin.errors import ExecutorError

from .asking import Asked
from .config import HttpConfig, Proxy
from .proxies import proxy_for
from .tls import TlsContexts

if importlib.util.find_spec("sniffio") is None:
    # httpcore looks for it five times a request, each time in every folder of the path.
    sys.modules["sniffio"] = None  # type: ignore[assignment]

IDLE_S: Final = 30.0
"""A connection that is not used for so long is closed."""
IDLE_MAX: Final = 100
USES_MAX: Final = 100
"""Servers end a connection after so many hundred requests, and HTTP/2 loses the last one then."""
HTTP2_BODY_BYTES_MAX: Final = 65_535
"""What a server takes unseen, see RFC 9113 6.9.2. To send more, httpcore waits until the server
takes it, and does not notice one that has already answered; a larger body goes by HTTP/1.1."""
_DEAD_S: Final = 120
_SOCKET_OPTIONS: Final = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _DEAD_S // 2),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _DEAD_S // 8),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _DEAD_S * 1000),
)
"""A server that is gone without a word is noticed within two minutes, see tcp(7)."""
_ONE: Final = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=IDLE_S)

_PLAIN: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For connections without TLS, which never look at it."""


class Route(NamedTuple):
    """Between which ends a connection is, and how: the same for all that may use it."""

    scheme: str
    host: str
    port: int | None
    proxy: Proxy | None
    context: ssl.SSLContext | None
    http2: bool


class Connection:
    """At most one connection, made by the first request."""

    def __init__(self, route: Route) -> None:
        self.route = route
        self.uses = 0
        self.idle_since_s = 0.0
        self.tls_expires: str | None = None
        self.transport = httpx.AsyncHTTPTransport(
            verify=_PLAIN if route.context is None else route.context,
            trust_env=False,
            http2=route.http2,
            limits=_ONE,
            proxy=_proxy(route),
            socket_options=_SOCKET_OPTIONS,
        )

    async def close(self) -> None:
        """End it, whatever is under way on it."""
        with contextlib.suppress(httpx.HTTPError, OSError):
            await self.transport.aclose()


class Connections:
    """Those that are not in use, and the way to new ones."""

    def __init__(self) -> None:
        self._tls = TlsContexts()
        self._idle: list[Connection] = []
        """In the order in which they became so."""
        self._tending: asyncio.Task[None] | None = None

    def route(self, config: HttpConfig, asked: Asked) -> Route:
        """How the server of a request is reached.

        Raises:
            ExecutorError: a file of certificates cannot be used.
        """
        url, body = asked.url, asked.body
        proxy = proxy_for(config, url)
        http2 = config.http2 and (body is None or body.size <= HTTP2_BODY_BYTES_MAX)
        # Files are looked at for http too: what a job names must be there.
        has_files = config.ca is not None or config.cert is not None
        secured = url.scheme == "https" or (proxy is not None and proxy.is_secured)
        context = self._tls.context_for(config, http2=http2) if secured or has_files else None
        return Route(url.scheme, url.host, url.port, proxy, context, http2)

    def take(self, route: Route) -> Connection:
        """The kept connection that was used last, or a new one."""
        for place in reversed(range(len(self._idle))):
            if self._idle[place].route == route:
                return self._idle.pop(place)
        return Connection(route)

    async def give_back(self, connection: Connection) -> None:
        """Keep it for the next run; where that makes too many, the oldest is closed."""
        connection.uses += 1
        if connection.uses >= USES_MAX:
            await connection.close()
            return
        loop = asyncio.get_running_loop()
        connection.idle_since_s = loop.time()
        self._idle.append(connection)
        if self._tending is None:
            self._tending = loop.create_task(self._tend())
        if len(self._idle) > IDLE_MAX:
            await self._idle.pop(0).close()

    async def _tend(self) -> None:
        """Close what is idle for too long, as long as anything is."""
        loop = asyncio.get_running_loop()
        while self._idle:
            left_s = self._idle[0].idle_since_s + IDLE_S - loop.time()
            if left_s > 0:
                await asyncio.sleep(left_s)
            else:
                await self._idle.pop(0).close()
        self._tending = None


def _proxy(route: Route) -> httpx.Proxy | None:
    proxy = route.proxy
    if proxy is None:
        return None
    context = route.context if proxy.is_secured else None
    auth = (proxy.user, proxy.password) if proxy.user else None
    try:
        return httpx.Proxy(proxy.url, ssl_context=context, auth=auth)
    except (ValueError, httpx.InvalidURL) as error:
        raise ExecutorError("`proxy` is no url of a proxy; write http://HOST:PORT") from error
