"""The dialling side for programs that live in asyncio.

ZMQ_FD is edge triggered (zmq_getsockopt(3)): it speaks once when news arrives, and any call on the
socket may swallow that. So whoever waits looks at the socket first, and every send looks again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from tocsin.errors import LinkError
from tocsin.keys import KeyPair

from .dialer import Dialer
from .frames import descriptor, has_message
from .hub import Hub

_TURN: Final = 64  # messages handed out before the loop gets a turn


class AsyncDialer:
    """A `Dialer` whose `receive` is awaited.

    `on_change` is called when `connected`, `refused` or `failure` changed. For one task that
    receives, on the loop that made it.
    """

    def __init__(
        self,
        hub: Hub,
        endpoint: str,
        own: KeyPair,
        server_key: str,
        *,
        bytes_max: int,
        on_change: Callable[[], None] | None = None,
    ) -> None:
        self._dialer = Dialer(hub, endpoint, own, server_key, bytes_max=bytes_max)
        self._on_change = on_change
        self._news = asyncio.Event()
        self._closed = False
        self._handed_out = 0
        self._loop = asyncio.get_running_loop()
        self._fds = descriptor(self._dialer.socket), descriptor(self._dialer.monitor)
        self._loop.add_reader(self._fds[0], self._look)
        self._loop.add_reader(self._fds[1], self._watch)
        self._loop.call_soon(self._look)
        self._loop.call_soon(self._watch)

    @property
    def connected(self) -> bool:
        """As `Dialer.connected`."""
        return self._dialer.connected

    @property
    def refused(self) -> bool:
        """As `Dialer.refused`."""
        return self._dialer.refused

    @property
    def failure(self) -> str:
        """As `Dialer.failure`."""
        return self._dialer.failure

    async def receive(self) -> bytes:
        """The next message.

        Raises:
            LinkError: the server does not admit our key, or this was closed.
        """
        while True:
            self._raise_if_over()
            self._news.clear()
            data = self._dialer.receive()
            if data is not None:
                await self._give_others_a_turn()
                return data
            if has_message(self._dialer.socket):
                await asyncio.sleep(0)
            else:
                await self._news.wait()

    def send(self, data: bytes) -> bool:
        """As `Dialer.send`."""
        sent = self._dialer.send(data)
        self._look()
        return sent

    def close(self, linger_s: float = 0.0) -> None:
        """As `Dialer.close`; who still waits in `receive` gets a LinkError."""
        if self._closed:
            return
        self._closed = True
        for fd in self._fds:
            self._loop.remove_reader(fd)
        self._dialer.close(linger_s)
        self._news.set()

    async def _give_others_a_turn(self) -> None:
        self._handed_out += 1
        if self._handed_out % _TURN == 0:
            await asyncio.sleep(0)

    def _raise_if_over(self) -> None:
        if self._closed:
            raise LinkError("the link was closed")
        if self._dialer.refused:
            raise LinkError("the server does not admit this key", "ask for it to be accepted")

    def _look(self) -> None:
        if not self._closed and has_message(self._dialer.socket):
            self._news.set()

    def _watch(self) -> None:
        if not self._closed and self._dialer.watch():
            self._news.set()
            if self._on_change is not None:
                self._on_change()
