"""What the sockets of a process share: the zmq context, and the door.

The door is a ZAP handler (rfc.zeromq.org/spec/27): libzmq asks it, once for each handshake,
whether a CURVE key may come in. It runs on the poll loop, in no thread of its own, and lets
nobody in when it is not served: `ZAP_ENFORCE_DOMAIN` then keeps the handshake waiting until
`HANDSHAKE_IVL` ends it.
"""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Callable
from typing import Final, NamedTuple

import zmq

_ENDPOINT: Final = "inproc://zeromq.zap.01"
_SOCKETS_MAX: Final = 4096
_DENIALS_KEPT: Final = 256
_BATCH: Final = 256  # handshakes answered before the loop looks at its messages again
_ASK_FRAMES_MIN: Final = 8  # all but the credentials, which differ by mechanism


class Denial(NamedTuple):
    """A handshake that was refused. `key` is hex, or empty where none was shown."""

    domain: str
    key: str
    address: str
    reason: str


class Hub:
    """The zmq context of a process, and its door. For one thread, as everything in `link`."""

    def __init__(self) -> None:
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.context.set(zmq.MAX_SOCKETS, _SOCKETS_MAX)
        self.denied: Counter[str] = Counter()
        """How many handshakes were refused, by domain."""
        self._door: zmq.Socket[bytes] | None = None
        self._allow: dict[str, Callable[[str], bool]] = {}
        self._denials: deque[Denial] = deque(maxlen=_DENIALS_KEPT)

    @property
    def door(self) -> zmq.Socket[bytes]:
        """The socket that handshakes are asked on; there is one once a domain is open."""
        assert self._door is not None
        return self._door

    def open_domain(self, domain: str, allow: Callable[[str], bool]) -> None:
        """Let into `domain` the keys (64 hex digits) for which `allow` returns True."""
        assert domain, "libzmq asks nobody about the empty domain"
        assert domain not in self._allow, f"domain {domain} is open already"
        if self._door is None:
            _seed_routes()
            self._door = self.context.socket(zmq.ROUTER)
            self._door.setsockopt(zmq.LINGER, 0)
            self._door.bind(_ENDPOINT)
        self._allow[domain] = allow

    def close_domain(self, domain: str) -> None:
        """Let nobody into `domain` any more; who is in stays in."""
        self._allow.pop(domain, None)

    def serve(self) -> None:
        """Answer the handshakes that wait at the door. Never blocks, never raises."""
        for _ in range(_BATCH):
            try:
                ask = self.door.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            if len(ask) >= _ASK_FRAMES_MIN:
                self.door.send_multipart(self._answer(ask), zmq.NOBLOCK)

    def take_denials(self) -> list[Denial]:
        """The refused handshakes since the last call, oldest first; only the newest are kept."""
        denials = list(self._denials)
        self._denials.clear()
        return denials

    def close(self) -> None:
        """Close the context and every socket that is still open, without sending what waits."""
        self.context.destroy(linger=0)

    def _answer(self, ask: list[bytes]) -> list[bytes]:
        """The reply to one request: the User-Id of an admitted peer is its key in hex."""
        route, delimiter, version, ask_id, domain, address, _identity, mechanism, *credentials = ask
        key = credentials[0].hex() if len(credentials) == 1 and mechanism == b"CURVE" else ""
        name = domain.decode("utf-8", "replace")
        reason = self._objection(name, key)
        if not reason:
            return [route, delimiter, version, ask_id, b"200", b"", key.encode(), b""]
        self.denied[name] += 1
        self._denials.append(Denial(name, key, address.decode("utf-8", "replace"), reason))
        return [route, delimiter, version, ask_id, b"400", b"", b"", b""]

    def _objection(self, domain: str, key: str) -> str:
        """Why the key may not come in; empty: it may."""
        allow = self._allow.get(domain)
        if allow is None:
            return "no such domain"
        if not key:
            return "no CURVE key"
        try:
            return "" if allow(key) is True else "key not admitted"
        except Exception as error:  # noqa: BLE001 - a fault in the check must neither open nor end the door
            return f"the check failed: {type(error).__name__}"


def _seed_routes() -> None:
    """Make the routes that libzmq gives to peers hard to guess.

    It counts them up from rand(3), which it does not seed, and aborts the process if the next one
    is taken already (router.cpp, 4.3.5). A peer that names itself after it would end us.
    """
    import ctypes

    ctypes.CDLL(None).srand(int.from_bytes(os.urandom(4), "little"))
