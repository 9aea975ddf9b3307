"""The protocol between a NATS client and its server: bytes to events, messages to bytes.

See https://docs.nats.io/reference/reference-protocols/nats-protocol, and ADR-4 for headers.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import msgspec

from tocsin.errors import ProtocolError

LINE_BYTES_MAX: Final = 1 << 20
PAYLOAD_BYTES_MAX: Final = 64 << 20
"""The largest `max_payload` that a server can be given."""
PING: Final = b"PING\r\n"
PONG: Final = b"PONG\r\n"
HEADER_VERSION: Final = "NATS/1.0"
_SHOWN_BYTES: Final = 60


class ServerInfo(msgspec.Struct, frozen=True):
    """What a server says of itself: INFO."""

    server_name: str = ""
    version: str = ""
    max_payload: int = 1 << 20
    """Bytes of headers and payload together."""
    headers: bool = False
    tls_required: bool = False
    tls_available: bool = False
    nonce: str = ""
    """To be signed by whoever comes with a key."""
    ldm: bool = False
    """Lame duck mode: it is about to close all connections."""


class Sign(enum.Enum):
    """What has no content."""

    PING = "PING"
    PONG = "PONG"


class Refusal(NamedTuple):
    """-ERR: the server does not like something."""

    reason: str


class Message(NamedTuple):
    """MSG or HMSG: a message for a subscription of ours."""

    subject: str
    status: str
    """Of a header line: `503 No Responders`, for example; else empty."""
    headers: dict[str, list[str]]
    payload: bytes


Event = ServerInfo | Sign | Refusal | Message
_SIGNS: Final = {b"PONG": Sign.PONG, b"PING": Sign.PING}


class _Head(NamedTuple):
    """The first line of a message whose bytes are to follow."""

    subject: str
    header_bytes: int
    total_bytes: int


class Parser:
    """Puts events together from what is read, in pieces of any size."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._head: _Head | None = None

    @property
    def is_between(self) -> bool:
        """Whether nothing is left of what was read."""
        return not self._buffer and self._head is None

    def feed(self, data: bytes) -> Iterator[Event]:
        """The events that are whole with `data`.

        Raises:
            ProtocolError: this is no server of NATS.
        """
        self._buffer += data
        while self._buffer:
            event = self._message() if self._head is not None else self._line()
            if event is None:
                return
            if not isinstance(event, _Head):
                yield event
            else:
                self._head = event

    def _line(self) -> Event | _Head | None:
        while True:
            end = self._buffer.find(b"\r\n")
            if end < 0:
                if len(self._buffer) > LINE_BYTES_MAX:
                    raise ProtocolError(f"it said {_shown(self._buffer)}")
                return None
            line = bytes(self._buffer[:end])
            del self._buffer[: end + 2]
            if (event := _read(line)) is not None:
                return event

    def _message(self) -> Message | None:
        head = self._head
        assert head is not None
        if len(self._buffer) < head.total_bytes + 2:
            return None
        raw = bytes(self._buffer[: head.header_bytes])
        payload = bytes(self._buffer[head.header_bytes : head.total_bytes])
        del self._buffer[: head.total_bytes + 2]
        self._head = None
        status, headers = decode_headers(raw) if raw else ("", {})
        return Message(head.subject, status, headers, payload)


def _read(line: bytes) -> Event | _Head | None:
    """What a line says; None where that is of no interest."""
    word, _, rest = line.partition(b" ")
    try:
        match word.strip().upper():
            case b"PING" | b"PONG" as sign:
                return _SIGNS[sign]
            case b"+OK":
                return None
            case b"-ERR":
                return Refusal(rest.decode(errors="replace").strip().strip("'"))
            case b"INFO":
                return msgspec.json.decode(rest, type=ServerInfo)
            case b"MSG":
                subject, _sid, *_reply, size = rest.split()
                return _head(subject, b"0", size)
            case b"HMSG":
                subject, _sid, *_reply, header_size, size = rest.split()
                return _head(subject, header_size, size)
    except (ValueError, msgspec.MsgspecError) as error:
        raise ProtocolError(f"it said {_shown(line)}") from error
    raise ProtocolError(f"it said {_shown(line)}")


def _head(subject: bytes, header_size: bytes, size: bytes) -> _Head:
    head = _Head(subject.decode(errors="replace"), int(header_size), int(size))
    if not 0 <= head.header_bytes <= head.total_bytes <= PAYLOAD_BYTES_MAX:
        raise ValueError(size)
    return head


def _shown(line: bytes | bytearray) -> str:
    return repr(bytes(line[:_SHOWN_BYTES]))[1:]


def decode_headers(raw: bytes) -> tuple[str, dict[str, list[str]]]:
    """The status and the fields of a header block."""
    first, *lines = raw.decode(errors="replace").split("\r\n")
    fields: dict[str, list[str]] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            fields.setdefault(name.strip(), []).append(value.strip())
    return first.removeprefix(HEADER_VERSION).strip(), fields


def encode_headers(fields: Iterable[tuple[str, str]]) -> bytes:
    """A header block; nothing where there are no fields."""
    lines = [f"{name}: {value}\r\n" for name, value in fields]
    return f"{HEADER_VERSION}\r\n{''.join(lines)}\r\n".encode() if lines else b""


def encode_publish(subject: str, reply: str, headers: bytes, payload: bytes) -> bytes:
    """PUB, or HPUB where there are headers; `reply` may be empty."""
    to = f"{subject} {reply}" if reply else subject
    if headers:
        line = f"HPUB {to} {len(headers)} {len(headers) + len(payload)}\r\n"
    else:
        line = f"PUB {to} {len(payload)}\r\n"
    return b"".join((line.encode(), headers, payload, b"\r\n"))


def encode_subscribe(subject: str) -> bytes:
    """SUB, for the one subscription of a connection."""
    return f"SUB {subject} 1\r\n".encode()


def encode_connect(fields: dict[str, object]) -> bytes:
    """CONNECT: who we are."""
    return b"CONNECT " + msgspec.json.encode(fields) + b"\r\n"
