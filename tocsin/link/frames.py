"""One message off or onto a socket, without waiting; what is not one payload frame is skipped."""

from __future__ import annotations

from collections import Counter
from typing import Final

import zmq

SKIPPED_MAX: Final = 100
"""Bad messages skipped in one call, so that a peer that sends nothing else starves nobody."""


def take_payload(socket: zmq.Socket[bytes], dropped: Counter[str]) -> zmq.Frame | None:
    """The next frame if it is a message's last; else None, with the rest of the message dropped."""
    frame = socket.recv(zmq.NOBLOCK, copy=False)
    if not frame.more:
        return frame
    while socket.recv(zmq.NOBLOCK, copy=False).more:
        pass
    dropped["multipart"] += 1
    return None


def can_send(socket: zmq.Socket[bytes]) -> bool:
    """Whether a send may succeed after all, now that libzmq has looked at news it had put off.

    A send looks only every millisecond or so; reading ZMQ_EVENTS always does.
    """
    return bool(_number(socket, zmq.EVENTS) & zmq.POLLOUT)


def has_message(socket: zmq.Socket[bytes]) -> bool:
    """Whether a message waits. Also takes the edge off ZMQ_FD, see zmq_getsockopt(3)."""
    return bool(_number(socket, zmq.EVENTS) & zmq.POLLIN)


def descriptor(socket: zmq.Socket[bytes]) -> int:
    """The descriptor that becomes readable when the socket has news."""
    return _number(socket, zmq.FD)


def _number(socket: zmq.Socket[bytes], option: zmq.SocketOption) -> int:
    value = socket.getsockopt(option)
    assert isinstance(value, int)
    return value
