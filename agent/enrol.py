"""How a host asks to be let in: one question on the coordinator's enrolment socket."""

from __future__ import annotations

import hashlib
from typing import Final, NamedTuple

from tocsin import clock, wire
from tocsin.errors import LinkError
from tocsin.instants import SECOND_US
from tocsin.joining import endpoint
from tocsin.keys import KeyPair
from tocsin.link import Dialer, Hub, Waiter
from tocsin.messages import PROTOCOL_VERSION
from tocsin.messages.enrolment import Enrol, ToStranger, token_mac

ENROL_S: Final = 15.0
"""How long a host is looked for that does not listen."""
PATIENCE_S: Final = 90.0
"""How long one that listens may take: it answers so many a minute, and drops what others ask."""
AGAIN_S: Final = 5.0
"""It is asked again so often, as what it dropped it has forgotten."""


def with_token(enrol: Enrol, token_id: str, secret: str, own_key: str, server_key: str) -> Enrol:
    """The request with the proof that its sender holds a token's secret."""
    digest = hashlib.sha256(secret.encode()).digest()
    mac = token_mac(digest, own_key, server_key, enrol.client_key)
    return Enrol(enrol.protocol, enrol.name, enrol.tags, token_id, mac, enrol.client_key)


def request(name: str, tags: dict[str, str], client_key: str = "") -> Enrol:
    """A request without a token: it waits until an administrator accepts it."""
    return Enrol(PROTOCOL_VERSION, name, tags, "", b"", client_key)


class Limits(NamedTuple):
    """How long is waited, see `ENROL_S`, `PATIENCE_S` and `AGAIN_S`."""

    link_s: float = ENROL_S
    answer_s: float = PATIENCE_S
    again_s: float = AGAIN_S


_USUAL: Final = Limits()


def enrol(
    host: str, port: int, own: KeyPair, server_key: str, asked: Enrol, limits: Limits = _USUAL
) -> ToStranger:
    """Ask, and wait for the answer.

    Raises:
        LinkError: nobody answers there, or not the holder of `server_key`.
        ConfigError: a key cannot be understood.
        ProtocolError: the answer cannot be understood.
    """
    where = endpoint(host, port)
    hub, waiter = Hub(), Waiter()
    try:
        dialer = Dialer(hub, where, own, server_key, bytes_max=wire.STRANGER_BYTES_MAX)
        waiter.add(dialer)
        data = _ask(waiter, dialer, wire.encode(asked), limits)
        if data is None:
            raise _no_answer(where, dialer)
    finally:
        hub.close()
    answer: ToStranger = wire.decode(data, ToStranger, bytes_max=wire.STRANGER_BYTES_MAX)
    return answer


def _ask(waiter: Waiter, dialer: Dialer, question: bytes, limits: Limits) -> bytes | None:
    began_us = now_us = _steady_us()
    again_us = began_us
    while not dialer.refused:
        if dialer.connected and now_us >= again_us and dialer.send(question):
            again_us = now_us + _us(limits.again_s)
        data = dialer.receive()
        if data is not None:
            return data
        if not dialer.connected:
            again_us = now_us  # a link that breaks may have lost it
        end_us = began_us + _us(limits.answer_s if dialer.connected else limits.link_s)
        if now_us >= end_us:
            return None
        waiter.wait(until_steady_us=min(again_us, end_us) if dialer.connected else end_us)
        now_us = _steady_us()
    return None


def _no_answer(where: str, dialer: Dialer) -> LinkError:
    if dialer.connected:
        return LinkError(
            f"{where} did not answer",
            "the coordinator may be busy or out of date: look at its log, then try again",
        )
    if dialer.failure:
        return LinkError(
            f"{where} is not the coordinator that the key belongs to",
            "check host and port; if the coordinator has a new key, ask for a new join string",
        )
    return LinkError(
        f"nobody listens on {where}",
        "check host and port, that the coordinator runs, and that no firewall is between",
    )


def _us(seconds: float) -> int:
    return round(seconds * SECOND_US)


def _steady_us() -> int:
    return int(clock.monotonic_s() * SECOND_US)
