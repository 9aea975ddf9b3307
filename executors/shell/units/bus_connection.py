"""One connection to a D-Bus daemon: bytes to messages, replies to those who wait for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from jeepney import HeaderFields, Message, MessageFlag, MessageType, Parser
from jeepney.auth import BEGIN, AuthenticationError, Authenticator

ANSWER_S: Final = 30.0
"""A call that has no answer after this time has none."""


class BusConnection(asyncio.Protocol):
    """Authenticates as whoever this process is; `signalled` is called with each signal."""

    def __init__(self, signalled: Callable[[Message], None]) -> None:
        loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[None] = loop.create_future()
        self._signalled = signalled
        self._authenticator = Authenticator()
        self._parser = Parser()
        self._transport: asyncio.Transport | None = None
        self._serial = 0
        self._waiting: dict[int, asyncio.Future[Message]] = {}

    @property
    def is_open(self) -> bool:
        """Whether anything can be sent."""
        return self._transport is not None

    async def ask(self, message: Message) -> Message:
        """Send a call, and wait for its answer: a return, or an error.

        Raises:
            ConnectionError: the connection ended, or there was no answer.
        """
        if self._transport is None:
            raise ConnectionError("the connection to the bus is closed")
        self._serial += 1
        serial = self._serial
        message.header.flags |= MessageFlag.no_auto_start
        self._transport.write(message.serialise(serial=serial))
        answer = self._waiting[serial] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(ANSWER_S):
                return await answer
        except TimeoutError as error:
            raise ConnectionError(f"no answer from the bus in {ANSWER_S:g} s") from error
        finally:
            self._waiting.pop(serial, None)

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to authenticate."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._authenticator.data_to_send() or b"")

    def data_received(self, data: bytes) -> None:
        """Take messages in; what is none ends the connection."""
        try:
            if self._authenticator.authenticated:
                for message in self._parser.feed(data):
                    self._dispatch(message)
            else:
                self._authenticate(data)
        except (AuthenticationError, ValueError, KeyError, IndexError) as error:
            self._end(ConnectionError(f"the bus says what makes no sense: {error}"))

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell everybody who waits."""
        self._end(exc or ConnectionError("the bus closed the connection"))

    def _authenticate(self, data: bytes) -> None:
        assert self._transport is not None
        self._authenticator.feed(data)
        self._transport.write(self._authenticator.data_to_send() or b"")
        if self._authenticator.authenticated:
            self._transport.write(BEGIN)
            if not self.ready.done():
                self.ready.set_result(None)

    def _dispatch(self, message: Message) -> None:
        if message.header.message_type is MessageType.signal:
            self._signalled(message)
            return
        answer = self._waiting.get(message.header.fields.get(HeaderFields.reply_serial, 0))
        if answer is not None and not answer.done():
            answer.set_result(message)

    def _end(self, error: Exception) -> None:
        if self._transport is not None:
            self._transport.abort()
            self._transport = None
        for future in (self.ready, *self._waiting.values()):
            if not future.done():
                future.set_exception(ConnectionError(str(error)))
                future.exception()  # whoever waits hears it; nobody need
