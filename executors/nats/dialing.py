"""Makes a connection: the first server of a list that takes us."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from functools import cache

from tocsin import __version__
from tocsin.executors.certificates import client_context
from tocsin.executors.connection_errors import reason_of
from tocsin.units import format_duration

from .addresses import Address, parse_addresses
from .config import Tls
from .connection import Connection
from .credentials import proof
from .patience import Patience
from .protocol import encode_connect
from .settings import Settings
from .waiting import Unconfirmed


async def dial(settings: Settings, patience: Patience) -> Connection:
    """A connection, past the check of the credentials.

    Raises:
        Unconfirmed: no server takes us; says of each why.
        ExecutorError: a file of certificates or credentials cannot be used.
    """
    tls = settings.tls if isinstance(settings.tls, Tls) else Tls()
    # Made where it is needed only: it costs more than all the rest.
    context = cache(lambda: client_context(tls.ca, tls.cert, tls.key, verify=tls.verify))
    if settings.tls is not False:
        context()
    reasons = []
    for address in parse_addresses(settings.servers):
        attempt = _Dialling(address, settings, tls, context, patience)
        try:
            return await attempt.connect(patience.connect_s)
        except Unconfirmed as error:
            reasons.append(str(error))
    raise Unconfirmed("; ".join(reasons))


class _Dialling:
    """An attempt at one server."""

    def __init__(
        self,
        address: Address,
        settings: Settings,
        tls: Tls,
        context: Callable[[], ssl.SSLContext],
        patience: Patience,
    ) -> None:
        self._address = address
        self._settings = settings
        self._tls = tls
        self._context = context
        self._connection = Connection(str(address), settings.inbox_prefix, patience)
        self._lacks = "connection"

    async def connect(self, limit_s: float) -> Connection:
        """The connection, if there is one in time."""
        connection = self._connection
        try:
            async with asyncio.timeout(limit_s):
                await self._connect()
        except TimeoutError:
            raise connection.end(f"no {self._lacks} within {format_duration(limit_s)}") from None
        except (OSError, UnicodeError) as error:
            raise connection.end(reason_of(error)) from error
        except BaseException:
            connection.end("given up")
            raise
        return connection

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        connection = self._connection
        name = self._tls.server_name or self._address.host
        if self._tls.first:
            await loop.create_connection(
                lambda: connection, self._address.host, self._address.port,
                ssl=self._context(), server_hostname=name,
            )  # fmt: skip
        else:
            await loop.create_connection(lambda: connection, self._address.host, self._address.port)
        self._lacks = "greeting"
        await connection.greeting
        if not self._tls.first:
            await self._secure(name)
        self._lacks = "answer to our credentials"
        connection.write(self._introduction())
        await connection.ping()

    async def _secure(self, name: str) -> None:
        """Go over to TLS where somebody wants it, before anything of ours is said."""
        info = self._connection.info
        is_wanted = self._address.tls or self._settings.tls is not False
        if is_wanted and not (info.tls_required or info.tls_available):
            raise self._connection.end("it offers no TLS, and the job wants it")
        if not is_wanted and not info.tls_required:
            return
        self._lacks = "TLS"
        transport = await asyncio.get_running_loop().start_tls(
            self._connection.transport, self._connection, self._context(), server_hostname=name
        )
        if transport is None:
            raise self._connection.end("the server closed the connection")
        self._connection.secured(transport)

    def _introduction(self) -> bytes:
        info = self._connection.info
        return encode_connect(
            {
                "verbose": False,
                "pedantic": False,
                "lang": "python",
                "name": "tocsin",
                "version": __version__,
                "protocol": 1,
                "headers": info.headers,
                "no_responders": info.headers,
                "tls_required": self._settings.tls is not False or self._address.tls,
                **proof(self._settings, info.nonce),
            }
        )
