"""Keys of NATS, and the tokens that are signed with them, as an operator's tools make them."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import nkeys

_EVERYTHING = {"subs": -1, "data": -1, "payload": -1}
_ALL_OF_AN_ACCOUNT = {
    **_EVERYTHING, "imports": -1, "exports": -1, "wildcards": True, "conn": -1, "leaf": -1,
}  # fmt: skip


class Key(NamedTuple):
    """A seed, and what it is known by."""

    seed: str
    public: str


def make_key(kind: int) -> Key:
    """A new key: of a user, an account or an operator, by the library's prefix byte."""
    seed = nkeys.encode_seed(os.urandom(32), kind)
    return Key(seed.decode(), nkeys.from_seed(bytearray(seed)).public_key.decode())


def sign(issuer: Key, subject: str, claims: dict[str, Any], **more: Any) -> str:
    """A token that says `claims` of `subject`."""
    plain = {"jti": "x", "iat": 1, "iss": issuer.public, "sub": subject, "name": "x", **more}
    parts = [
        _encode(json.dumps(part).encode())
        for part in ({"typ": "JWT", "alg": "ed25519-nkey"}, {**plain, "nats": claims})
    ]
    text = ".".join(parts)
    signature = nkeys.from_seed(bytearray(issuer.seed.encode())).sign(text.encode())
    return f"{text}.{_encode(signature)}"


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Realm:
    """An operator with one account."""

    def __init__(self) -> None:
        operator = make_key(nkeys.PREFIX_BYTE_OPERATOR)
        self._account = make_key(nkeys.PREFIX_BYTE_ACCOUNT)
        token = sign(operator, operator.public, {"type": "operator", "version": 2})
        account = {"limits": _ALL_OF_AN_ACCOUNT, "type": "account", "version": 2}
        preload = sign(operator, self._account.public, account)
        self.config = (
            f"operator: {token}\nresolver: MEMORY\n"
            f"resolver_preload: {{ {self._account.public}: {preload} }}\n"
        )
        """For a server that trusts this operator."""

    def write_creds(self, path: Path, **more: Any) -> str:
        """Make a user, and a credentials file of it; the path."""
        user = make_key(nkeys.PREFIX_BYTE_USER)
        claims = {**_EVERYTHING, "pub": {}, "sub": {}, "type": "user", "version": 2}
        token = sign(self._account, user.public, claims, **more)
        path.write_text(
            f"-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n"
            "************************* IMPORTANT *************************\n"
            "NKEY Seed printed below can be used to sign and prove identity.\n\n"
            f"-----BEGIN USER NKEY SEED-----\n{user.seed}\n------END USER NKEY SEED------\n"
        )
        return str(path)
