"""The side that dials: one server, known by its key, dialled again whenever the link breaks."""

from __future__ import annotations

import struct
from collections import Counter
from typing import Final

import zmq

from tocsin.errors import ConfigError, LinkError
from tocsin.keys import KeyPair

from .frames import SKIPPED_MAX, can_send, take_payload
from .hub import Hub
from .options import set_up_dialer

_EVENT: Final = struct.Struct("=Hi")  # zmq_socket_monitor(3): the event, then its value
_FAILURES: Final = {
    int(zmq.EVENT_HANDSHAKE_FAILED_AUTH): "auth",
    int(zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL): "protocol",
    int(zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL): "no_detail",
}
_WATCHED: Final = (
    zmq.EVENT_HANDSHAKE_SUCCEEDED
    | zmq.EVENT_DISCONNECTED
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
)


class Dialer:
    """A DEALER as CURVE client of the server at `endpoint` that holds `server_key`.

    Nothing is queued for a link that is down: until the handshake is done, `send` returns False.
    What had been accepted and not yet left when the link breaks is lost.

    Raises:
        LinkError: the endpoint cannot be understood.
        ConfigError: a key cannot be understood.
    """

    def __init__(
        self, hub: Hub, endpoint: str, own: KeyPair, server_key: str, *, bytes_max: int
    ) -> None:
        self.connected = False
        """Whether the handshake is done and the link is up, as far as the last `watch` saw."""
        self.refused = False
        """Whether the server does not admit our key. Such a socket never tries again: close it,
        and dial anew after a while."""
        self.failure = ""
        """Why the last handshake failed, empty once one succeeds: auth, protocol (the other side
        speaks no CURVE), or no_detail (it hung up, as who holds another key than `server_key`)."""
        self.dropped: Counter[str] = Counter()
        """Messages thrown away unread, by cause: multipart."""
        self.socket = hub.context.socket(zmq.DEALER)
        self.monitor = self.socket.get_monitor_socket(_WATCHED)
        try:
            set_up_dialer(self.socket, endpoint, own, server_key, bytes_max)
            self.socket.connect(endpoint)
        except zmq.ZMQError as error:
            self.close()
            raise LinkError(
                f"cannot dial {endpoint}: {error.strerror}", "write tcp://HOST:PORT"
            ) from error
        except ConfigError:
            self.close()
            raise

    def receive(self) -> bytes | None:
        """The next message; None: nothing there. Never waits."""
        try:
            for _ in range(SKIPPED_MAX):
                frame = take_payload(self.socket, self.dropped)
                if frame is not None:
                    return frame.bytes
        except zmq.Again:
            pass
        return None

    def send(self, data: bytes) -> bool:
        """Send; False: the link is down, or its queue is full. Never waits."""
        return self._try_send(data) or (can_send(self.socket) and self._try_send(data))

    def watch(self) -> bool:
        """Read what became of the link; True: `connected`, `refused` or `failure` changed."""
        before = self.connected, self.refused, self.failure
        while True:
            try:
                event, *_ = self.monitor.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return before != (self.connected, self.refused, self.failure)
            self._note(_EVENT.unpack(event)[0])

    def close(self, linger_s: float = 0.0) -> None:
        """Hang up; what was sent has `linger_s` more to leave, which `Hub.close` waits."""
        self.socket.disable_monitor()
        self.monitor.close(linger=0)
        self.socket.close(linger=round(linger_s * 1000))
        self.connected = False

    def _note(self, event: int) -> None:
        self.connected = event == zmq.EVENT_HANDSHAKE_SUCCEEDED
        self.failure = "" if self.connected else _FAILURES.get(event, self.failure)
        self.refused = self.refused or event == zmq.EVENT_HANDSHAKE_FAILED_AUTH

    def _try_send(self, data: bytes) -> bool:
        try:
            self.socket.send(data, zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True
