"""Who gets in, and who does not."""

from __future__ import annotations

import socket
import struct
import subprocess
import sys

import pytest
import zmq

from tocsin.link import Hub, new_keypair
from tocsin.link.options import set_up_listener

from .network import BYTES_MAX, Network


def test_unknown_key(network: Network) -> None:
    """A key that is not admitted is refused: the Dialer learns it, the hub counts and names it."""
    listener = network.listen()
    stranger = new_keypair()
    dialer = network.dial(listener.endpoint, stranger)
    network.until(lambda: dialer.refused)
    assert not dialer.connected
    assert dialer.failure == "auth"
    assert not dialer.send(b"x")
    assert network.hub.denied == {"main": 1}
    assert network.hub.take_denials() == [
        ("main", stranger.public, "127.0.0.1", "key not admitted")
    ]
    assert network.hub.take_denials() == []


def test_a_refused_dialer_stays_refused(network: Network) -> None:
    """A refused socket never tries again; a new one with the same key gets in once admitted."""
    listener = network.listen()
    pair = new_keypair()
    refused = network.dial(listener.endpoint, pair)
    network.until(lambda: refused.refused)
    network.admitted.add(pair.public)
    network.turn_for(0.5)
    assert refused.refused
    assert not refused.connected
    network.drop(refused)
    assert network.connect(listener.endpoint, pair).connected


def test_wrong_server_key(network: Network) -> None:
    """A server that holds another key than expected is never talked to, and the Dialer says why."""
    listener = network.listen()
    pair = new_keypair()
    network.admitted.add(pair.public)
    dialer = network.dial(listener.endpoint, pair, server_key=new_keypair().public)
    network.until(lambda: dialer.failure)
    assert dialer.failure == "no_detail"
    assert not dialer.connected
    assert not dialer.refused
    assert not dialer.send(b"x")


@pytest.mark.parametrize("kind", [zmq.DEALER, zmq.REQ, zmq.SUB])
def test_client_without_curve(network: Network, kind: int) -> None:
    """Who speaks no CURVE gets nothing in and nothing out; others are not disturbed."""
    listener = network.listen()
    stranger = network.stranger(kind, listener.endpoint)
    if kind != zmq.SUB:
        stranger.send(b"let me in")
    dialer = network.connect(listener.endpoint)
    dialer.send(b"good")
    network.until(lambda: network.received)
    network.turn_for(0.3)
    assert [data for _, data in network.received] == [b"good"]
    assert not stranger.poll(0)


@pytest.mark.parametrize(
    "noise",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        bytes(range(256)) * 64,
        b"\xff" + bytes(8) + b"\x7f\x03" + b"NULL".ljust(20, b"\0") + bytes(32),
        b"\xff" + bytes(8) + b"\x7f\x03" + b"CURVE".ljust(20, b"\0") + bytes(32)
        + b"\x06" + struct.pack(">Q", 8 << 30) + bytes(4096),
    ],
    ids=["http", "bytes", "null", "huge frame"],
)  # fmt: skip
def test_garbage(network: Network, noise: bytes) -> None:
    """A TCP connection that speaks nonsense is cut, and others are served meanwhile."""
    listener = network.listen()
    with socket.create_connection(("127.0.0.1", listener.port)) as stranger:
        stranger.sendall(noise)
        stranger.settimeout(0)

        def is_cut() -> bool:
            try:
                return stranger.recv(4096) == b""
            except BlockingIOError:
                return False
            except ConnectionResetError:
                return True

        dialer = network.connect(listener.endpoint)
        network.until(is_cut)
        assert dialer.send(b"good")
    network.until(lambda: network.received)
    assert network.hub.denied == {}


def test_revoked_while_it_talks(network: Network) -> None:
    """A revoked key keeps its link; its messages tell the key, and it does not get in again."""
    listener = network.listen()
    pair = new_keypair()
    network.admitted.add(pair.public)
    dialer = network.connect(listener.endpoint, pair)
    network.admitted.remove(pair.public)
    assert dialer.send(b"still here")
    network.until(lambda: network.received)
    assert network.received[0][0].key == pair.public
    network.drop(dialer)
    again = network.dial(listener.endpoint, pair)
    network.until(lambda: again.refused)


def test_two_domains(network: Network) -> None:
    """Each Listener of a hub has its own rule."""
    main, enrol = network.listen(), network.listen(domain="enrol", allow=lambda _key: True)
    pair = new_keypair()
    assert network.connect(enrol.endpoint, pair).connected
    refused = network.dial(main.endpoint, pair)
    network.until(lambda: refused.refused)
    assert network.hub.denied == {"main": 1}


def test_unknown_domain(network: Network) -> None:
    """A server in a domain that nobody opened lets nobody in."""
    network.listen()
    stray = network.stranger(zmq.ROUTER)
    set_up_listener(stray, "tcp://127.0.0.1:*", network.server, "stray", BYTES_MAX)
    stray.bind("tcp://127.0.0.1:*")
    dialer = network.dial(stray.getsockopt_string(zmq.LAST_ENDPOINT))
    network.until(lambda: dialer.refused)
    assert network.hub.denied == {"stray": 1}
    assert network.hub.take_denials()[0].reason == "no such domain"


def test_domain_without_a_door(network: Network) -> None:
    """Where nobody answers for the domain at all, nobody gets in."""
    other = Hub()
    stray = other.context.socket(zmq.ROUTER)
    set_up_listener(stray, "tcp://127.0.0.1:*", network.server, "main", BYTES_MAX)
    stray.bind("tcp://127.0.0.1:*")
    network.listen()
    dialer = network.dial(stray.getsockopt_string(zmq.LAST_ENDPOINT))
    network.until(lambda: dialer.failure)
    assert not dialer.connected
    stray.close()
    other.close()


def test_a_door_that_is_not_served(network: Network) -> None:
    """While the loop does not come by, a handshake waits; it is let in when the loop does."""
    listener = network.listen()
    network.waiter.remove(listener)
    dialer = network.dial(listener.endpoint)
    network.turn_for(0.5)
    assert not dialer.connected
    network.waiter.add(listener)
    network.until(lambda: dialer.connected)


@pytest.mark.parametrize("verdict", [False, None, 1, "yes"])
def test_only_true_lets_in(network: Network, verdict: object) -> None:
    """A check that returns anything but True refuses."""
    listener = network.listen(allow=lambda _key: verdict)  # type: ignore[arg-type, return-value]
    dialer = network.dial(listener.endpoint)
    network.until(lambda: dialer.refused)
    assert not dialer.connected


def test_a_check_that_fails(network: Network) -> None:
    """A check that raises refuses that one peer, and the door goes on."""

    def check(key: str) -> bool:
        return {good.public: True}[key]

    good = new_keypair()
    listener = network.listen(allow=check)
    dialer = network.dial(listener.endpoint)
    network.until(lambda: dialer.refused)
    assert network.hub.take_denials()[0].reason == "the check failed: KeyError"
    assert network.connect(listener.endpoint, good).connected


def test_a_malformed_question(network: Network) -> None:
    """A question that is no ZAP request, or shows no CURVE key, lets nobody in and ends nothing."""
    listener = network.listen()
    asker = network.stranger(zmq.DEALER, "inproc://zeromq.zap.01")
    asker.send(b"")
    asker.send_multipart([b"", b"1.0", b"7", b"main", b"", b"", b"CURVE"])
    asker.send_multipart([b"", b"1.0", b"8", b"main", b"", b"", b"NULL"])
    network.until(lambda: asker.poll(0) and network.hub.denied["main"] == 2)
    assert [asker.recv_multipart()[2:4] for _ in range(2)] == [[b"7", b"400"], [b"8", b"400"]]
    assert network.connect(listener.endpoint).connected


def test_a_closed_listener_leaves_its_domain(network: Network) -> None:
    """The domain of a Listener that was closed may be opened again, by a new rule."""
    network.drop(network.listen())
    listener = network.listen(allow=lambda _key: True)
    assert network.connect(listener.endpoint, new_keypair()).connected


def test_denials_are_bounded(network: Network) -> None:
    """However many are refused, only the newest are kept for the log; all are counted."""
    network.listen()
    asker = network.stranger(zmq.DEALER, "inproc://zeromq.zap.01")
    for number in range(600):
        asker.send_multipart([b"", b"1.0", b"7", b"main", b"", b"", b"CURVE", number.to_bytes(32)])
    network.until(lambda: network.hub.denied["main"] == 600)
    denials = network.hub.take_denials()
    assert [int(denial.key, 16) for denial in denials] == list(range(600 - len(denials), 600))
    assert 100 <= len(denials) < 600


def test_routes_cannot_be_foreseen() -> None:
    """The first route differs between processes; libzmq 4.3.5 aborts if a peer takes the next."""
    program = (
        "from tests.integration.link.network import Network\n"
        "network = Network(); listener = network.listen()\n"
        "network.connect(listener.endpoint).send(b'x')\n"
        "network.until(lambda: network.received); print(network.received[0][0].route.hex())\n"
        "network.close()"
    )
    routes = [
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        for _ in range(2)
    ]
    assert routes[0].stdout != routes[1].stdout
