"""The options of every socket, and keys as libzmq wants them (zmq_setsockopt(3), zmq_curve(7))."""

from __future__ import annotations

import re
from typing import Final

import zmq
from zmq.utils import z85

from tocsin.errors import ConfigError
from tocsin.keys import KeyPair

_CURVE_BYTES: Final = 1024  # what CURVE and ZMTP add to the largest message, with room to spare
_KEY: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)

# Options are set before bind or connect. Times are milliseconds, TCP_KEEPALIVE_* seconds.
_BOTH: Final = {
    zmq.HANDSHAKE_IVL: 5_000,  # a mute TCP connection holds a descriptor for no longer
    zmq.SNDHWM: 200,  # messages, for each peer: bounds what a slow one costs in memory
    zmq.RCVHWM: 200,
    zmq.HEARTBEAT_IVL: 5_000,
    zmq.HEARTBEAT_TIMEOUT: 15_000,
    zmq.HEARTBEAT_TTL: 15_000,
    zmq.TCP_KEEPALIVE: 1,
    zmq.TCP_KEEPALIVE_IDLE: 30,
    zmq.TCP_KEEPALIVE_INTVL: 10,
    zmq.TCP_KEEPALIVE_CNT: 3,
    zmq.LINGER: 0,
}
_LISTENER: Final = {
    zmq.CURVE_SERVER: 1,
    zmq.ZAP_ENFORCE_DOMAIN: 1,  # nobody gets in while nobody answers for the domain
    zmq.ROUTER_MANDATORY: 1,  # a send to nobody is an error, not silence
    zmq.ROUTER_HANDOVER: 0,  # no peer takes over another's route
    zmq.BACKLOG: 4_096,
}
_DIALER: Final = {
    zmq.IMMEDIATE: 1,  # nothing queues for a link that is down
    zmq.CONNECT_TIMEOUT: 5_000,
    zmq.RECONNECT_IVL: 100,
    zmq.RECONNECT_IVL_MAX: 5_000,
}


def new_keypair() -> KeyPair:
    """A fresh CURVE key pair."""
    public, secret = zmq.curve_keypair()
    return KeyPair(z85.decode(public).hex(), z85.decode(secret).hex())


def raw_key(key: str) -> bytes:
    """The 32 bytes of a key.

    Raises:
        ConfigError: not 64 lowercase hex digits.
    """
    if not _KEY.fullmatch(key):
        raise ConfigError(f"a key of {len(key)} characters is no key", "a key is 64 hex digits")
    return bytes.fromhex(key)


def set_up_listener(
    socket: zmq.Socket[bytes], endpoint: str, own: KeyPair, domain: str, bytes_max: int
) -> None:
    """Make a new ROUTER a CURVE server that admits whom the ZAP domain `domain` admits."""
    socket.setsockopt(zmq.ZAP_DOMAIN, domain.encode())
    _set_up(socket, endpoint, own, bytes_max, _BOTH | _LISTENER)


def set_up_dialer(
    socket: zmq.Socket[bytes], endpoint: str, own: KeyPair, server_key: str, bytes_max: int
) -> None:
    """Make a new DEALER a CURVE client of the server that holds `server_key`."""
    socket.setsockopt(zmq.CURVE_SERVERKEY, raw_key(server_key))
    _set_up(socket, endpoint, own, bytes_max, _BOTH | _DIALER)


def _set_up(
    socket: zmq.Socket[bytes],
    endpoint: str,
    own: KeyPair,
    bytes_max: int,
    options: dict[zmq.SocketOption, int],
) -> None:
    socket.setsockopt(zmq.CURVE_PUBLICKEY, raw_key(own.public))
    socket.setsockopt(zmq.CURVE_SECRETKEY, raw_key(own.secret))
    socket.setsockopt(zmq.MAXMSGSIZE, bytes_max + _CURVE_BYTES)
    socket.setsockopt(zmq.IPV6, int("[" in endpoint))
    for option, value in options.items():
        socket.setsockopt(option, value)
