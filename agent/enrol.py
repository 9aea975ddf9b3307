"""How a host asks to be let in: one question on the coordinator's enrolment socket."""

from __future__ import annotations

import hashlib
from typing import Final

from tocsin import clock, wire
from tocsin.errors import LinkError
from tocsin.instants import SECOND_US
from tocsin.joining import endpoint
from tocsin.keys import KeyPair
from tocsin.link import Dialer, Hub, Waiter
from tocsin.messages import PROTOCOL_VERSION
from tocsin.messages.enrolment import Enrol, ToStranger, token_mac

ENROL_S: Final = 15.0


def with_token(enrol: Enrol, token_id: str, secret: str, own_key: str, server_key: str) -> Enrol:
    """The request with the proof that its sender holds a token's secret."""
    digest = hashlib.sha256(secret.encode()).digest()
    mac = token_mac(digest, own_key, server_key, enrol.client_key)
    return Enrol(enrol.protocol, enrol.name, enrol.tags, token_id, mac, enrol.client_key)


def request(name: str, tags: dict[str, str], client_key: str = "") -> Enrol:
    """A request without a token: it waits until an administrator accepts it."""
    return Enrol(PROTOCOL_VERSION, name, tags, "", b"", client_key)


def enrol(
    host: str, port: int, own: KeyPair, server_key: str, asked: Enrol, *, limit_s: float = ENROL_S
) -> ToStranger:
    """Ask, and wait for the answer for at most `limit_s`.

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
        data = _ask(waiter, dialer, wire.encode(asked), _steady_us() + round(limit_s * SECOND_US))
        if data is None:
            raise _no_answer(where, dialer)
    finally:
        hub.close()
    answer: ToStranger = wire.decode(data, ToStranger, bytes_max=wire.STRANGER_BYTES_MAX)
    return answer


def _ask(waiter: Waiter, dialer: Dialer, question: bytes, until_us: int) -> bytes | None:
    sent = False
    while _steady_us() < until_us:
        if not sent and dialer.connected:
            sent = dialer.send(question)
        data = dialer.receive()
        if data is not None:
            return data
        if dialer.refused:
            return None
        if not dialer.connected:
            sent = False  # a link that breaks may have lost it
        waiter.wait(until_steady_us=until_us)
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


def _steady_us() -> int:
    return int(clock.monotonic_s() * SECOND_US)
