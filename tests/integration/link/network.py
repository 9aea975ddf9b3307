"""A poll loop with sockets on loopback, and how to wait for what they do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import zmq

from tocsin import clock
from tocsin.keys import KeyPair
from tocsin.link import Dialer, Hub, Listener, Peer, Waiter, new_keypair

BYTES_MAX: Final = 64 << 10
_GIVE_UP_S: Final = 20.0
_LOOK_S: Final = 0.01  # how often a condition is looked at that no source of the loop speaks for


class Network:
    """One hub and one Waiter; whatever is opened here is waited for, and closed at the end."""

    def __init__(self) -> None:
        self.hub = Hub()
        self.waiter = Waiter()
        self.server = new_keypair()
        self.admitted: set[str] = set()
        self.received: list[tuple[Peer, bytes]] = []
        self.answers: dict[Dialer, list[bytes]] = {}
        self._open: list[Listener | Dialer] = []
        self._strangers: list[zmq.Socket[bytes]] = []

    def listen(
        self,
        endpoint: str = "tcp://127.0.0.1:0",
        *,
        domain: str = "main",
        allow: Callable[[str], bool] | None = None,
    ) -> Listener:
        """A Listener of the server's key, served by the loop."""
        listener = Listener(
            self.hub,
            endpoint,
            self.server,
            domain=domain,
            allow=allow or self.admitted.__contains__,
            bytes_max=BYTES_MAX,
        )
        self.watch(listener)
        return listener

    def dial(
        self, endpoint: str, own: KeyPair | None = None, *, server_key: str | None = None
    ) -> Dialer:
        """A Dialer, watched by the loop; without a pair of its own it gets one that is admitted."""
        if own is None:
            own = new_keypair()
            self.admitted.add(own.public)
        key = self.server.public if server_key is None else server_key
        dialer = Dialer(self.hub, endpoint, own, key, bytes_max=BYTES_MAX)
        self.answers[dialer] = []
        self.watch(dialer)
        return dialer

    def connect(self, endpoint: str, own: KeyPair | None = None) -> Dialer:
        """A Dialer whose link is up."""
        dialer = self.dial(endpoint, own)
        self.until(lambda: dialer.connected)
        return dialer

    def stranger(self, kind: int, endpoint: str = "") -> zmq.Socket[bytes]:
        """A socket of libzmq as it is, which speaks no CURVE by itself."""
        socket = self.hub.context.socket(kind)
        self._strangers.append(socket)
        if endpoint:
            socket.connect(endpoint)
        return socket

    def watch(self, source: Listener | Dialer) -> None:
        """Wait for a source too, and close it at the end."""
        self.waiter.add(source)
        self._open.append(source)

    def drop(self, source: Listener | Dialer) -> None:
        """Close a source now."""
        self.waiter.remove(source)
        self._open.remove(source)
        source.close()

    def until(self, condition: Callable[[], object]) -> None:
        """Turn the loop until the condition holds; it fails when that takes far too long."""
        give_up_s = clock.monotonic_s() + _GIVE_UP_S
        while not condition():
            assert clock.monotonic_s() < give_up_s, "this never came"
            self._turn(clock.monotonic_s() + _LOOK_S)

    def turn_for(self, span_s: float) -> None:
        """Turn the loop for a while, in which something is expected not to happen."""
        until_s = clock.monotonic_s() + span_s
        while clock.monotonic_s() < until_s:
            self._turn(until_s)

    def close(self) -> None:
        """Close everything."""
        for source in list(self._open):
            self.drop(source)
        for stranger in self._strangers:
            stranger.close(linger=0)
        self.waiter.close()
        self.hub.close()

    def _turn(self, until_s: float) -> None:
        for source in self.waiter.wait(until_steady_us=int(until_s * 1e6)):
            if isinstance(source, Listener):
                while (message := source.receive()) is not None:
                    self.received.append(message)
            elif isinstance(source, Dialer):
                while (answer := source.receive()) is not None:
                    self.answers[source].append(answer)
