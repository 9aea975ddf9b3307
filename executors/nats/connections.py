"""The connections that are kept between runs: one for each kind of settings."""

from __future__ import annotations

import asyncio

from .connection import Connection
from .dialing import dial
from .patience import Patience
from .settings import Settings
from .waiting import Unconfirmed


class Connections:
    """Made on first use, and again where one has ended. Use it in one loop."""

    def __init__(self, patience: Patience | None = None) -> None:
        self._patience = patience or Patience()
        self._kept: dict[Settings, Connection] = {}
        self._opening: dict[Settings, asyncio.Task[Connection]] = {}

    def at_hand(self, settings: Settings) -> Connection | None:
        """The kept connection, if it was heard just now."""
        kept = self._kept.get(settings)
        if kept is not None and kept.quiet_s <= self._patience.quiet_s:
            return kept
        return None

    def open(self, settings: Settings) -> asyncio.Future[Connection]:
        """A connection that works; all who ask at the same time get the same.

        The future may be cancelled. It raises:
            Unconfirmed: no server takes us.
            ExecutorError: a file cannot be used, or a library is missing.
        """
        opening = self._opening.get(settings)
        if opening is None:
            opening = asyncio.get_running_loop().create_task(self._open(settings))
            self._opening[settings] = opening
            opening.add_done_callback(lambda over: self._opened(settings, over))
        return asyncio.shield(opening)

    def _opened(self, settings: Settings, opening: asyncio.Task[Connection]) -> None:
        del self._opening[settings]
        if not opening.cancelled():
            opening.exception()  # whoever wanted to know may have been cancelled

    def close(self) -> None:
        """End all that are kept."""
        for connection in list(self._kept.values()):
            connection.end("closed")

    async def _open(self, settings: Settings) -> Connection:
        kept = self._kept.get(settings)
        if kept is not None and await self._is_there(kept):
            return kept
        connection = await dial(settings, self._patience)
        connection.serve(lambda: self._forget(settings, connection))
        self._kept[settings] = connection
        return connection

    async def _is_there(self, connection: Connection) -> bool:
        """Whether a server still answers; one that does not is given up."""
        try:
            async with asyncio.timeout(self._patience.probe_s):
                await connection.ping()
        except TimeoutError:
            connection.end("no sign of life")
        except Unconfirmed:
            pass
        return connection.is_usable

    def _forget(self, settings: Settings, connection: Connection) -> None:
        if self._kept.get(settings) is connection:
            del self._kept[settings]
