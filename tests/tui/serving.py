"""A thread that listens as a coordinator does, over CURVE, to one client."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from tocsin import clock, wire
from tocsin.instants import SECOND_US
from tocsin.keys import KeyPair
from tocsin.link import Hub, Listener, Waiter, new_keypair
from tocsin.messages.client_link import Reply, Request, Update

_SERVE_US: Final = 10_000


class ServingThread:
    """Receives requests and carries orders out; what is answered a subclass says."""

    def __init__(self) -> None:
        self.admits = True
        self._orders: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._wake_out, self._wake_in = os.pipe()
        self._own = new_keypair()
        self._client = new_keypair()
        self._hub = Hub()
        self._waiter = Waiter()
        self._endpoint = "tcp://127.0.0.1:*"
        self._listener: Listener | None = None
        self._ending = False
        self._thread = threading.Thread(target=self._serve, name="coordinator")

    def take(self, route: bytes, request: Request) -> None:
        """A request arrived."""
        raise NotImplementedError

    def forget(self) -> None:
        """All clients are gone."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._listen()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.do(self._end)
        self._thread.join()
        self._hub.close()
        os.close(self._wake_in)
        os.close(self._wake_out)

    @property
    def endpoint(self) -> str:
        """Where it listens."""
        return self._endpoint

    @property
    def server_key(self) -> str:
        """Its public key."""
        return self._own.public

    @property
    def client_pair(self) -> KeyPair:
        """The pair of the one client it admits."""
        return self._client

    def hang_up(self) -> None:
        """Be gone."""
        self.do(self._close)

    def come_back(self) -> None:
        """Listen again at the same place, knowing no watcher."""
        self.do(self._listen)

    # The thread.

    def do(self, order: Callable[[], None]) -> None:
        """Carry something out in the thread, and wait until it is done."""
        done = threading.Event()

        def carry_out() -> None:
            order()
            done.set()

        self._orders.put(carry_out)
        os.write(self._wake_in, b"!")
        assert done.wait(20), "the coordinator is stuck"

    def _serve(self) -> None:
        self._waiter.add(self._wake_out)
        while not self._ending:
            until_us = None
            if self._listener is None:
                # A closed listener hangs up only while its hub's door is served.
                self._hub.serve()
                until_us = int(clock.monotonic_s() * SECOND_US) + _SERVE_US
            for source in self._waiter.wait(until_steady_us=until_us):
                if isinstance(source, Listener):
                    while (got := source.receive()) is not None:
                        self.take(got[0].route, wire.decode(got[1], Request))
                else:
                    os.read(self._wake_out, 1)
                    self._orders.get()()

    def _listen(self) -> None:
        self._listener = Listener(
            self._hub,
            self._endpoint,
            self._own,
            domain="members",
            allow=lambda key: self.admits and key == self._client.public,
            bytes_max=wire.FRAME_BYTES_MAX,
        )
        self._endpoint = self._listener.endpoint
        self._waiter.add(self._listener)

    def _close(self) -> None:
        if self._listener is not None:
            self._waiter.remove(self._listener)
            self._listener.close()
            self._listener = None
        self.forget()

    def _end(self) -> None:
        self._close()
        self._waiter.close()
        self._ending = True

    def send(self, route: bytes, message: Reply | Update) -> None:
        """Tell a client; nobody while it does not listen."""
        if self._listener is not None:
            self._listener.send(route, wire.encode(message))
