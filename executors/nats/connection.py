"""One connection to a server: what is sent on it, and who waits for which answer.

A server reads what a client sends in order. So the PONG for a PING that was sent behind a message
says that the message was taken, and a refusal of the message comes before it.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Final, assert_never

from tocsin import clock
from tocsin.errors import ProtocolError
from tocsin.executors.connection_errors import reason_of
from tocsin.units import format_duration

from .patience import Patience
from .protocol import (
    PING,
    PONG,
    Event,
    Message,
    Parser,
    Refusal,
    ServerInfo,
    Sign,
    encode_publish,
    encode_subscribe,
)
from .waiting import NO_LIMIT, Limit, Unconfirmed, Waiter, quoted

_APART_S: Final = 0.01
"""The least time between two checks: what is given up in between is given up by the later one."""
_CLOCK_S: Final = 1e-6
"""A timer may be so early."""
_PERMISSIONS: Final = "permissions violation"
_TOO_MUCH: Final = "it said more than a greeting before it was spoken to"


class Connection(asyncio.Protocol):
    """A connection, from the server's greeting on. Make it in the loop.

    It ends when nobody has used it for a while, or when it breaks.
    """

    def __init__(self, address: str, inbox_prefix: str, patience: Patience) -> None:
        self.address = address
        self.info = ServerInfo()
        self.is_usable = False
        """False: give it no more messages. Those under way may still be confirmed."""
        self._loop = asyncio.get_running_loop()
        self.greeting: asyncio.Future[None] = self._loop.create_future()
        """Over when `info` is there, or it is broken."""
        self._heard_s = self._loop.time()
        self._patience = patience
        self._on_end: Callable[[], None] | None = None
        self._broken: Unconfirmed | None = None
        self._transport: asyncio.Transport | None = None
        self._parser = Parser()
        self._pongs: deque[Waiter | None] = deque()
        """In the order of the PINGs; None: it was only a sign of life that was wanted."""
        self._replies: dict[str, Waiter] = {}
        self._inbox = f"{inbox_prefix}.{clock.new_ulid()}"
        self._is_subscribed = False
        self._has_spoken = False
        self._requests = 0
        self._used_s = self._heard_s
        self._beat: asyncio.TimerHandle | None = None
        self._look_s = 0.0
        """When to look whether it is idle, or the server gone."""
        self._asked_s: float | None = None
        self._unsent = 0

    # What is sent.

    def write(self, data: bytes) -> None:
        """Send bytes.

        Raises:
            Unconfirmed: the connection is broken.
        """
        transport = self.transport
        self._has_spoken = True
        self._used_s = self._loop.time()
        transport.write(data)

    def publish(
        self, subject: str, headers: bytes, payload: bytes, limit: Limit
    ) -> asyncio.Future[Message | None]:
        """Send a message, and PING behind it; the result is None when the server has taken it."""
        self.write(encode_publish(subject, "", headers, payload) + PING)
        return self._await_pong(subject, limit)

    def ping(self) -> asyncio.Future[Message | None]:
        """Ask for a PONG; the result is None."""
        self.write(PING)
        return self._await_pong("", NO_LIMIT)

    def request(
        self, subject: str, headers: bytes, payload: bytes, limit: Limit
    ) -> asyncio.Future[Message | None]:
        """Send a message; the result is the first reply to it."""
        subscribe = b"" if self._is_subscribed else encode_subscribe(f"{self._inbox}.*")
        self._requests += 1
        inbox = f"{self._inbox}.{self._requests}"
        self.write(subscribe + encode_publish(subject, inbox, headers, payload))
        self._is_subscribed = True
        waiter = self._waiter(subject, inbox, limit)
        self._replies[inbox] = waiter
        waiter.future.add_done_callback(lambda _: self._replies.pop(inbox, None))
        return waiter.future

    def _await_pong(self, subject: str, limit: Limit) -> asyncio.Future[Message | None]:
        waiter = self._waiter(subject, "", limit)
        self._pongs.append(waiter)
        return waiter.future

    def _waiter(self, subject: str, inbox: str, limit: Limit) -> Waiter:
        """A wait; its end needs no timer of its own where a beat comes before it."""
        due_s = self._loop.time() + limit.s
        if self._beat is not None and due_s < self._beat.when():
            self._beat.cancel()
            self._beat = self._loop.call_at(due_s, self._check)
        return Waiter(self._loop.create_future(), subject, inbox, limit, due_s)

    # Its life.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be connected; the server is to greet."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def secured(self, transport: asyncio.Transport) -> None:
        """Go on over TLS.

        Raises:
            Unconfirmed: more than the greeting came before it, and cannot be believed.
        """
        if not self._parser.is_between:
            raise self.end(_TOO_MUCH)
        self._transport = transport

    @property
    def quiet_s(self) -> float:
        """How long ago the server last said something."""
        return self._loop.time() - self._heard_s

    @property
    def transport(self) -> asyncio.Transport:
        """What it stands on.

        Raises:
            Unconfirmed: it is broken.
        """
        if self._broken is not None:
            raise Unconfirmed(str(self._broken))
        assert self._transport is not None
        return self._transport

    def serve(self, on_end: Callable[[], None]) -> None:
        """Be used from now on; `on_end` is called when it is not to be used any more.

        Raises:
            Unconfirmed: it is broken already.
        """
        if self._broken is not None:
            raise Unconfirmed(str(self._broken))
        self.is_usable = True
        self._on_end = on_end
        self._look_s = self._loop.time()
        self._check()

    def retire(self) -> None:
        """Take no more messages; end when those under way are over."""
        self.is_usable = False
        if self._on_end is not None:
            self._on_end()
            self._on_end = None

    def end(self, reason: str) -> Unconfirmed:
        """Close it, and say why to all that wait. Only the first reason counts."""
        if self._broken is None:
            self._broken = Unconfirmed(f"{self.address}: {reason}")
            self.retire()
            if self._beat is not None:
                self._beat.cancel()
            if self._transport is not None:
                self._transport.abort()
            self._fail([*self._pongs, *self._replies.values()], reason)
            if not self.greeting.done():
                self.greeting.set_result(None)
        return self._broken

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell all that wait."""
        if exc is not None and not isinstance(exc, ConnectionError):
            self.end(reason_of(exc))
        elif self.greeting.done():
            self.end("the server closed the connection")
        else:
            self.end("the server closed the connection before its greeting")

    def _check(self) -> None:
        """Give up what was waited for too long, and look after the connection at its time."""
        now_s = self._loop.time() + _CLOCK_S
        for waiter in self._waiting():
            if waiter.due_s <= now_s:
                self._give_up(waiter)
        if self._look_s <= now_s:
            self._look(now_s)
        if self._broken is None:
            next_s = min((waiter.due_s for waiter in self._waiting()), default=math.inf)
            next_s = max(min(next_s, self._look_s), now_s + _APART_S)
            self._beat = self._loop.call_at(next_s, self._check)

    def _waiting(self) -> Iterator[Waiter]:
        for waiter in (*self._pongs, *self._replies.values()):
            if waiter is not None and not waiter.future.done():
                yield waiter

    def _give_up(self, waiter: Waiter) -> None:
        """The server may be gone: whoever comes next gets another connection."""
        self.retire()
        within = format_duration(waiter.limit.s)
        text = f"{self.address}: no {waiter.limit.what} within {within}"
        waiter.future.set_exception(Unconfirmed(text))

    def _look(self, now_s: float) -> None:
        """Close what is idle, and find out whether a server that says nothing is there."""
        left_s = self._patience.beat_s
        if self._replies or any(waiter is not None for waiter in self._pongs):
            self._look_for_life(now_s)
        else:
            idle_since_s = max(self._used_s, self._heard_s)
            left_s = min(left_s, idle_since_s + self._patience.idle_s - now_s)
            if left_s <= 0:
                self.end("it was not used")
        self._look_s = now_s + left_s

    def _look_for_life(self, now_s: float) -> None:
        silent_s = now_s - self._heard_s
        unsent = self.transport.get_write_buffer_size()
        is_heard = self._asked_s is not None and self._heard_s >= self._asked_s
        if is_heard or silent_s < self._patience.beat_s or unsent < self._unsent:
            self._asked_s = None
        elif self._asked_s is not None:
            self.end(f"no sign of life for {format_duration(silent_s)}")
        else:
            self._asked_s = now_s
            if not unsent:
                self.write(PING)
                self._pongs.append(None)
        self._unsent = unsent

    # What is heard.

    def data_received(self, data: bytes) -> None:
        """Act on what the server says."""
        self._heard_s = self._loop.time()
        try:
            for event in self._parser.feed(data):
                if self._broken is not None:
                    return
                self._heard(event)
        except ProtocolError as error:
            self.end(f"is no NATS server: {error.message}")

    def _heard(self, event: Event) -> None:
        match event:
            case Sign() | Message() if not self._has_spoken:
                self.end(_TOO_MUCH)
            case Sign.PONG:
                waiter = self._pongs.popleft() if self._pongs else None
                if waiter is not None and not waiter.future.done():
                    waiter.future.set_result(None)
            case Message():
                waiter = self._replies.get(event.subject)
                if waiter is not None and not waiter.future.done():
                    waiter.future.set_result(event)
            case Sign.PING:
                self.write(PONG)
            case Refusal(reason):
                self._refused(reason)
            case ServerInfo():
                self._informed(event)
            case _:
                assert_never(event)

    def _informed(self, info: ServerInfo) -> None:
        self.info = info
        if not self.greeting.done():
            self.greeting.set_result(None)
        elif info.ldm:
            self.retire()

    def _refused(self, reason: str) -> None:
        """Fail what is refused; any other error is the end of the connection."""
        if not reason.lower().startswith(_PERMISSIONS):
            self.end(f"the server says: {reason}")
        elif quoted(f"{self._inbox}.*") in reason:
            self._is_subscribed = False
            self._fail(self._replies.values(), f"the server says: {reason}")
        else:
            waiting = [waiter for waiter in self._pongs if waiter is not None]
            names = [it for it in (*waiting, *self._replies.values()) if it.is_named_in(reason)]
            self._fail(names, f"the server says: {reason}")

    def _fail(self, waiters: Iterable[Waiter | None], reason: str) -> None:
        for waiter in list(waiters):
            if waiter is not None and not waiter.future.done():
                waiter.future.set_exception(Unconfirmed(f"{self.address}: {reason}"))
