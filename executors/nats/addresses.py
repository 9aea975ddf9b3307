"""Addresses of servers as people write them: `nats://db1:4222`, `tls://[::1]`, `db1`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

DEFAULT_PORT: Final = 4222
_PORT_MAX: Final = 65535
_ADDRESS: Final = re.compile(
    r"(?:(?P<scheme>[a-z]+)://)?(?:\[(?P<ipv6>[0-9a-f:.]+(?:%\w+)?)\]|(?P<host>[^\s/@:?#\[\],]+))"
    r"(?::(?P<port>\d{1,5}))?/?",
    re.ASCII | re.IGNORECASE,
)


class Address(NamedTuple):
    """Where a server listens, and whether it may only be spoken to with TLS."""

    host: str
    port: int
    tls: bool

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_addresses(servers: str | Sequence[str]) -> list[Address]:
    """Every address of a list, or of a text that has commas between them.

    Raises:
        ValueError: says which is none, but nothing of credentials that are in one.
    """
    texts = servers.split(",") if isinstance(servers, str) else servers
    if not texts:
        raise ValueError("names no server")
    return [_parse(text.strip()) for text in texts]


def _parse(text: str) -> Address:
    if "@" in text:
        raise ValueError(
            "an address holds a user or a token; give `user` and `password`, or `token`, as secrets"
        )
    found = _ADDRESS.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no address; write nats://HOST:PORT or tls://HOST:PORT")
    scheme = (found["scheme"] or "nats").lower()
    if scheme in {"ws", "wss"}:
        raise ValueError(f"{text!r}: websockets are not spoken; write nats:// or tls://")
    if scheme not in {"nats", "tls"}:
        raise ValueError(f"{text!r} must begin with nats:// or tls://")
    port = int(found["port"] or DEFAULT_PORT)
    if not 0 < port <= _PORT_MAX:
        raise ValueError(f"{text!r}: a port is a number from 1 to {_PORT_MAX}")
    return Address(found["ipv6"] or found["host"], port, scheme == "tls")
