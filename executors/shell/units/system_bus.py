"""Calls of systemd over the system bus, repeated for as long as systemd is away.

It leaves the bus for a moment when it executes itself anew (a package upgrade does that), and
calls under way then have no answer. So every call made here must bear to be made twice.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any, Final

from jeepney import DBusAddress, HeaderFields, Message, MessageType, message_bus, new_method_call

from tocsin.executors.shell.availability import BUS_SOCKET

from .bus_connection import ANSWER_S, BusConnection

SYSTEMD: Final = "org.freedesktop.systemd1"
CALLS_MAX: Final = 64
"""Calls at once: a bus daemon refuses more than some hundreds of a connection."""
_RETRY_S: Final = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
_ERROR: Final = "org.freedesktop.DBus.Error."
_AWAY: Final = frozenset(
    _ERROR + name
    for name in (
        "NoReply", "ServiceUnknown", "NameHasNoOwner", "Disconnected", "Timeout", "TimedOut",
        "LimitsExceeded", "NoMemory", "Spawn.ChildExited", "Spawn.ServiceNotFound",
    )
)  # fmt: skip
"""Errors of the bus that say nothing of what was asked."""


class BusError(Exception):
    """What was called says that it cannot be done."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text or name)
        self.name = name


class SystemBus:
    """One kept connection. Make it inside the loop; `signalled` hears the signals of systemd."""

    def __init__(self, rule: str, signalled: Callable[[Message], None]) -> None:
        self._rule = rule
        self._signalled = signalled
        self._connection: BusConnection | None = None
        self._connecting = asyncio.Lock()
        self._calls = asyncio.Semaphore(CALLS_MAX)
        self._owner = ""
        """The name of systemd's own connection; a signal of any other is not its."""

    async def connect(self) -> None:
        """Connect, if there is no connection.

        Raises:
            OSError: there is no bus, or it does not let us in.
        """
        async with self._connecting:
            if self._connection is None or not self._connection.is_open:
                self._connection = await self._connected()
                self._owner = ""
            if not self._owner:
                answer = await self._connection.ask(message_bus.GetNameOwner(SYSTEMD))
                is_error = answer.header.message_type is MessageType.error
                self._owner = "" if is_error else answer.body[0]

    async def call(
        self, path: str, interface: str, member: str, signature: str, body: tuple[Any, ...]
    ) -> tuple[Any, ...]:
        """The answer of systemd, which is asked until it gives one.

        Raises:
            BusError: its answer is that it cannot.
        """
        address = DBusAddress(path, SYSTEMD, interface)
        message = new_method_call(address, member, signature, body)
        for attempt in itertools.count():
            try:
                await self.connect()
                assert self._connection is not None
                async with self._calls:
                    answer = await self._connection.ask(message)
            except OSError:
                pass
            else:
                if answer.header.message_type is not MessageType.error:
                    return tuple(answer.body)
                error = _error(answer)
                if error.name not in _AWAY:
                    raise error
                self._owner = ""
            await asyncio.sleep(_RETRY_S[min(attempt, len(_RETRY_S) - 1)])
        raise AssertionError

    async def _connected(self) -> BusConnection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_unix_connection(
            lambda: BusConnection(self._heard), BUS_SOCKET
        )
        async with asyncio.timeout(ANSWER_S):
            await connection.ready
        await connection.ask(message_bus.Hello())
        await connection.ask(message_bus.AddMatch(self._rule))
        return connection

    def _heard(self, message: Message) -> None:
        if message.header.fields.get(HeaderFields.sender) == self._owner:
            self._signalled(message)


def _error(answer: Message) -> BusError:
    text = answer.body[0] if answer.body and isinstance(answer.body[0], str) else ""
    return BusError(answer.header.fields.get(HeaderFields.error_name, ""), text)
