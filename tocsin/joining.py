"""The join string: all that a host needs to ask to be let in, as one word to be copied.

`j1:HOST:PORT:SERVERKEY:TOKENID.SECRET`: where the coordinator's enrolment socket is (an IPv6
address stands in brackets), its public key, so nothing has to be trusted at first sight, and a
token. Whoever has the word can use the token, so it is as secret as a password.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from tocsin.errors import ConfigError

_FORM: Final = re.compile(
    r"j1:(?P<host>\[[0-9A-Fa-f:.]+(?:%[\w.-]+)?\]|[^\s:\[\]/]+):(?P<port>[0-9]{1,5})"
    r":(?P<key>[0-9a-f]{64}):(?P<token>[0-9A-Za-z_-]+)\.(?P<secret>[0-9A-Za-z_-]+)",
    re.ASCII,
)
_PORT_MAX: Final = 65_535
_HINT: Final = "copy the whole word that `tocsin agent token` printed"


class JoinString(msgspec.Struct, frozen=True):
    """What a join string says. `host` is without brackets."""

    host: str
    port: int
    server_key: str
    token_id: str
    secret: str

    def __repr__(self) -> str:
        return f"JoinString(host={self.host!r}, port={self.port}, token_id={self.token_id!r}, …)"


def format_join(join: JoinString) -> str:
    """The word for people to copy."""
    return f"j1:{_bracketed(join.host)}:{join.port}:{join.server_key}:{join.token_id}.{join.secret}"


def parse_join(text: str) -> JoinString:
    """What a join string says.

    Raises:
        ConfigError: it is none, or not whole.
    """
    text = text.strip()
    if not text.startswith("j1:"):
        raise ConfigError("a join string begins with j1:", _HINT)
    match = _FORM.fullmatch(text)
    if match is None or not 0 < int(match["port"]) <= _PORT_MAX:
        raise ConfigError("the join string is damaged or not whole", _HINT)
    host = match["host"].strip("[]")
    return JoinString(host, int(match["port"]), match["key"], match["token"], match["secret"])


def endpoint(host: str, port: int) -> str:
    """Where to dial: `tcp://HOST:PORT`, an IPv6 address in brackets."""
    return f"tcp://{_bracketed(host)}:{port}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
