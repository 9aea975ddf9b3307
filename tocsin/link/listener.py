"""The side that is dialled: one socket, many peers, each known by its key."""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Callable
from typing import Final, NamedTuple

import zmq

from tocsin.errors import ConfigError, LinkError
from tocsin.keys import KeyPair

from .frames import SKIPPED_MAX, can_send, take_payload
from .hub import Hub
from .options import set_up_listener

_BIND_HINTS: Final = {
    errno.EADDRINUSE: "stop what listens there (ss -ltnp names it), or take another port",
    errno.EADDRNOTAVAIL: "this host has no such address: see ip -br addr",
    errno.ENODEV: "this host has no such address: see ip -br addr",
    errno.EACCES: "ports below 1024 are kept for root: choose a higher one",
    errno.EINVAL: "write tcp://ADDRESS:PORT, for instance tcp://0.0.0.0:7070 or tcp://[::]:7070",
}


class Peer(NamedTuple):
    """Where a message came from: `route` for the answer, `key` for who it is (64 hex digits)."""

    route: bytes
    key: str


class Listener:
    """A ROUTER as CURVE server: keys come in for which `allow` returns True.

    `allow` is asked once for each handshake; a key that it would no longer admit stays in until
    its connection ends, so look up `Peer.key` for every message.

    Raises:
        LinkError: the address cannot be listened on.
        ConfigError: a key cannot be understood.
    """

    def __init__(
        self,
        hub: Hub,
        endpoint: str,
        own: KeyPair,
        *,
        domain: str,
        allow: Callable[[str], bool],
        bytes_max: int,
    ) -> None:
        self.hub = hub
        self.dropped: Counter[str] = Counter()
        """Messages thrown away unread, by cause: multipart, nameless."""
        self._domain = domain
        hub.open_domain(domain, allow)
        self.socket = hub.context.socket(zmq.ROUTER)
        try:
            set_up_listener(self.socket, endpoint, own, domain, bytes_max)
            self.socket.bind(endpoint)
        except zmq.ZMQError as error:
            self.close()
            raise LinkError(
                f"cannot listen on {endpoint}: {error.strerror}",
                _BIND_HINTS.get(error.errno or 0, _BIND_HINTS[errno.EINVAL]),
            ) from error
        except ConfigError:
            self.close()
            raise
        self.endpoint = self.socket.getsockopt_string(zmq.LAST_ENDPOINT)
        """Where this listens, with the real port."""

    @property
    def port(self) -> int:
        """The TCP port that this listens on."""
        return int(self.endpoint.rpartition(":")[2])

    def receive(self) -> tuple[Peer, bytes] | None:
        """The next message and its peer; None: nothing there. Never waits."""
        try:
            for _ in range(SKIPPED_MAX):
                route = self.socket.recv(zmq.NOBLOCK)
                frame = take_payload(self.socket, self.dropped)
                if frame is None:
                    continue
                try:
                    return Peer(route, str(frame["User-Id"])), frame.bytes
                except zmq.ZMQError:
                    self.dropped["nameless"] += 1
        except zmq.Again:
            pass
        return None

    def send(self, route: bytes, data: bytes) -> bool:
        """Send to a peer; False: it is gone, or so slow that its queue is full. Never waits."""
        return self._try_send(route, data) or (
            can_send(self.socket) and self._try_send(route, data)
        )

    def close(self, linger_s: float = 0.0) -> None:
        """Stop listening; what was sent has `linger_s` more to leave, which `Hub.close` waits."""
        self.hub.close_domain(self._domain)
        self.socket.close(linger=round(linger_s * 1000))

    def _try_send(self, route: bytes, data: bytes) -> bool:
        try:
            self.socket.send(route, zmq.SNDMORE | zmq.NOBLOCK)
            self.socket.send(data, zmq.NOBLOCK)
        except zmq.Again:
            return False
        except zmq.ZMQError as error:
            if error.errno == errno.EHOSTUNREACH:
                return False
            raise
        return True
