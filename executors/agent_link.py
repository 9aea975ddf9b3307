"""A host's end of the socket: bytes to messages, messages to bytes."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from typing import Final, Protocol

import msgpack

from tocsin.hosting import (
    HOST_MESSAGE_BYTES_MAX,
    HostHello,
    HostReport,
    RunBegan,
    RunEnded,
    ToHost,
)
from tocsin.wire import as_message, encode

READ_BYTES_MAX: Final = 256 << 10
ENTRIES_MAX: Final = 10_000
"""How many attempts one message tells of; what is more follows in the next."""
_ITEMS_MAX: Final = 262_144


class Host(Protocol):
    """What a link tells: a connection came, spoke, went."""

    def met(self, link: AgentLink) -> None:
        """A connection was made."""
        ...

    def told(self, message: ToHost) -> None:
        """The agent said something."""
        ...

    def parted(self, link: AgentLink) -> None:
        """A connection is gone."""
        ...


class AgentLink(asyncio.Protocol):
    """One connection of an agent."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._transport: asyncio.Transport | None = None
        # One whole message and the read that holds its end may be in the buffer together.
        self._unpacker = msgpack.Unpacker(
            max_buffer_size=HOST_MESSAGE_BYTES_MAX + READ_BYTES_MAX,
            max_array_len=_ITEMS_MAX,
            max_map_len=_ITEMS_MAX,
            max_ext_len=0,
            strict_map_key=True,
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Tell the host."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._host.met(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the host."""
        del exc
        self._transport = None
        self._host.parted(self)

    def data_received(self, data: bytes) -> None:
        """Pass on every message that is whole; bytes that are none end the connection."""
        try:
            self._unpacker.feed(data)
            for plain in self._unpacker:
                message: ToHost = as_message(plain, ToHost)
                self._host.told(message)
        except (
            ValueError, TypeError, OverflowError, RecursionError, msgpack.UnpackException,
        ) as error:  # fmt: skip
            text = f"host.undecodable {type(error).__name__}: {error}"[:500]
            print(text.replace("\n", " "), file=sys.stderr, flush=True)  # noqa: T201 - the host's log
            self.close()

    def send(self, data: bytes) -> None:
        """Write, or drop what cannot be written: the next hello tells it again."""
        if self._transport is not None:
            self._transport.write(data)

    def drain(self) -> None:
        """Read what the other side has written so far, all of it."""
        transport = self._transport
        while transport is not None and self._transport is transport:
            try:
                data = os.read(self._fd(transport), READ_BYTES_MAX)
            except OSError:
                return
            if not data:
                return
            self.data_received(data)

    def shut(self) -> None:
        """Let the other side write no more, and read what it had written."""
        if self._transport is not None:
            self._transport.get_extra_info("socket").shutdown(socket.SHUT_RD)
            self.drain()

    def close(self) -> None:
        """End the connection."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()

    @staticmethod
    def _fd(transport: asyncio.Transport) -> int:
        fd: int = transport.get_extra_info("socket").fileno()
        return fd


def hello_messages(running: list[RunBegan], ended: list[RunEnded]) -> list[bytes]:
    """The hello, and where one message cannot hold it all, reports of the rest.

    An end that did not fit stands in the hello as running, so no attempt is missing from it.
    """
    data = encode(HostHello(os.getpid(), running, ended))
    if len(ended) <= ENTRIES_MAX and len(data) <= HOST_MESSAGE_BYTES_MAX:
        return [data]
    held = [RunBegan(end.key, end.began_us or end.at_us) for end in ended]
    return [encode(HostHello(os.getpid(), running + held, [])), *report_messages([], ended)]


def report_messages(began: list[RunBegan], ended: list[RunEnded]) -> list[bytes]:
    """One report, or several where it would be too large."""
    data = encode(HostReport(began, ended))
    count = max(len(began), len(ended))
    if count <= 1 or (count <= ENTRIES_MAX and len(data) <= HOST_MESSAGE_BYTES_MAX):
        return [data]
    half = count // 2
    return [
        *report_messages(began[:half], []),
        *report_messages(began[half:], []),
        *report_messages([], ended[:half]),
        *report_messages([], ended[half:]),
    ]
