"""The coordinator's enrolment socket, played by the test."""

from __future__ import annotations

import hashlib
import threading

from tocsin import clock, wire
from tocsin.link import Hub, Listener, Waiter, new_keypair
from tocsin.messages.enrolment import Enrol, Enrolled, token_mac


class StrangerDesk:
    """Lets everybody in with the same answer. `serve` runs in a thread of its own."""

    def __init__(self) -> None:
        self.own = new_keypair()
        self.answer = Enrolled("AGENT", "web-1", 7370)
        self.asked: list[tuple[str, Enrol]] = []
        self.mute = False
        self.drops = 0
        """So many questions are not answered."""
        self.over = threading.Event()
        self._hub = Hub()
        self._waiter = Waiter()
        self._listener = Listener(
            self._hub,
            "tcp://127.0.0.1:0",
            self.own,
            domain="strangers",
            allow=lambda _key: True,
            bytes_max=wire.STRANGER_BYTES_MAX,
        )
        self.port = self._listener.port
        self._waiter.add(self._listener)

    def serve(self) -> None:
        """Answer until it is over, then close."""
        while not self.over.is_set():
            self._waiter.wait(until_steady_us=int((clock.monotonic_s() + 0.02) * 1e6))
            while (got := self._listener.receive()) is not None:
                peer, data = got
                self.asked.append((peer.key, wire.decode(data, Enrol)))
                if not self.mute and len(self.asked) > self.drops:
                    self._listener.send(peer.route, wire.encode(self.answer))
        self._waiter.close()
        self._listener.close()
        self._hub.close()

    def mac(self, secret: str, key: str, client_key: str) -> bytes:
        """The proof that a holder of `secret` gives."""
        digest = hashlib.sha256(secret.encode()).digest()
        return token_mac(digest, key, self.own.public, client_key)
