"""How a host is let in, on a socket of its own that takes small messages from any key.

The CURVE handshake proves who holds the asking key; the token proves that an administrator
wanted a host to ask. The token's secret never travels: `mac` is an HMAC-SHA-256 keyed with the
SHA-256 of the secret, over the two public keys.
"""

from __future__ import annotations

import hashlib
import hmac

import msgspec


class Enrol(msgspec.Struct, frozen=True, array_like=True, tag="enrol"):
    """Stranger: let me in. Without a token the request waits for `tocsin agent accept`."""

    protocol: int
    name: str
    tags: dict[str, str]
    token_id: str
    mac: bytes
    client_key: str
    """The public key of a command-line user on that host, let in with the token's role."""


class Enrolled(msgspec.Struct, frozen=True, array_like=True, tag="enrolled"):
    """Coordinator: you are in."""

    agent_id: str
    name: str
    port: int
    """Where agents and clients connect, on the host that was asked."""


class Pending(msgspec.Struct, frozen=True, array_like=True, tag="pending"):
    """Coordinator: an administrator has to accept this fingerprint."""

    fingerprint: str


class Denied(msgspec.Struct, frozen=True, array_like=True, tag="denied"):
    """Coordinator: no; `reason` is the same for every kind of wrong token."""

    reason: str


FromStranger = Enrol
ToStranger = Enrolled | Pending | Denied


def token_mac(secret_digest: bytes, peer_key: str, server_key: str, client_key: str) -> bytes:
    """The proof that a stranger holds the secret whose SHA-256 is `secret_digest`."""
    said = f"{peer_key}|{server_key}|{client_key}".encode()
    return hmac.new(secret_digest, said, hashlib.sha256).digest()


def fingerprint(key: str) -> str:
    """A key's name for people: 16 hexadecimal digits of its SHA-256, in fours."""
    digest = hashlib.sha256(key.encode()).hexdigest()
    return "-".join(digest[i : i + 4] for i in range(0, 16, 4))
