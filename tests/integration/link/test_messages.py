"""Messages between a Listener and its Dialers."""

from __future__ import annotations

import errno
import socket
import time

import pytest
import zmq

from tocsin import clock
from tocsin.errors import ConfigError, LinkError
from tocsin.keys import KeyPair
from tocsin.link import Dialer, Hub, Waiter, new_keypair

from .network import BYTES_MAX, Network


def test_there_and_back(network: Network) -> None:
    """A message arrives with the key of its sender, and the answer finds the way back."""
    listener = network.listen()
    pair = new_keypair()
    network.admitted.add(pair.public)
    dialer = network.connect(listener.endpoint, pair)
    assert dialer.send(b"hello")
    network.until(lambda: network.received)
    [(peer, data)] = network.received
    assert (peer.key, data) == (pair.public, b"hello")
    assert listener.send(peer.route, b"welcome")
    network.until(lambda: network.answers[dialer])
    assert network.answers[dialer] == [b"welcome"]


def test_every_message_carries_the_key(network: Network) -> None:
    """Of two peers that talk in turns each message tells who sent it."""
    listener = network.listen()
    pairs = [new_keypair(), new_keypair()]
    network.admitted |= {pair.public for pair in pairs}
    dialers = [network.connect(listener.endpoint, pair) for pair in pairs]
    for number in range(100):
        assert dialers[number % 2].send(bytes([number]))
    network.until(lambda: len(network.received) == 100)
    assert all(peer.key == pairs[data[0] % 2].public for peer, data in network.received)


def test_two_dialers_with_one_key(network: Network) -> None:
    """One key may come in twice; the routes differ, and each gets its own answers."""
    listener = network.listen()
    pair = new_keypair()
    network.admitted.add(pair.public)
    dialers = [network.connect(listener.endpoint, pair) for _ in range(2)]
    for number, dialer in enumerate(dialers):
        assert dialer.send(bytes([number]))
    network.until(lambda: len(network.received) == 2)
    assert {peer.key for peer, _ in network.received} == {pair.public}
    for peer, data in network.received:
        assert listener.send(peer.route, data)
    network.until(lambda: all(network.answers[dialer] for dialer in dialers))
    assert [network.answers[dialer] for dialer in dialers] == [[b"\0"], [b"\1"]]


def test_send_before_the_link_is_up(network: Network) -> None:
    """Nothing is queued for a link that is down; once `connected` is True a send succeeds."""
    listener = network.listen()
    dialer = network.dial(listener.endpoint)
    assert not dialer.send(b"too soon")
    network.until(lambda: dialer.connected)
    assert dialer.send(b"now")
    network.until(lambda: network.received)
    assert [data for _, data in network.received] == [b"now"]


def test_send_to_nobody(network: Network) -> None:
    """A send to a route that no peer has, or has no more, is False."""
    listener = network.listen()
    assert not listener.send(b"nobody", b"x")
    dialer = network.connect(listener.endpoint)
    dialer.send(b"hello")
    network.until(lambda: network.received)
    route = network.received[0][0].route
    assert listener.send(route, b"x")
    network.drop(dialer)
    network.until(lambda: not listener.send(route, b"x"))


def test_a_slow_peer_fills_its_queue_alone(network: Network) -> None:
    """Sends to a peer that does not read are False in the end; others are still served."""
    listener = network.listen()
    slow, quick = network.connect(listener.endpoint), network.connect(listener.endpoint)
    assert slow.send(b"slow")
    assert quick.send(b"quick")
    network.until(lambda: len(network.received) == 2)
    routes = {data: peer.route for peer, data in network.received}
    network.waiter.remove(slow)
    block = bytes(BYTES_MAX)
    network.until(lambda: not all(listener.send(routes[b"slow"], block) for _ in range(100)))
    assert listener.send(routes[b"quick"], b"x")
    network.until(lambda: network.answers[quick])
    network.waiter.add(slow)


def test_ten_thousand_each_way(network: Network) -> None:
    """Who sends again what was not taken loses nothing, and the order stays."""
    listener = network.listen()
    dialer = network.connect(listener.endpoint)
    count, sent, returned = 10_000, 0, 0

    def pump() -> bool:
        nonlocal sent, returned
        while sent < count and dialer.send(sent.to_bytes(4)):
            sent += 1
        while returned < len(network.received):
            peer, data = network.received[returned]
            if not listener.send(peer.route, data):
                break
            returned += 1
        if sent < count or returned < count:
            network.turn_for(0)
        return len(network.answers[dialer]) == count

    network.until(pump)
    expected = [number.to_bytes(4) for number in range(count)]
    assert [data for _, data in network.received] == expected
    assert network.answers[dialer] == expected


def test_the_largest_message_passes(network: Network) -> None:
    """A message of just `bytes_max` bytes is taken, either way."""
    listener = network.listen()
    dialer = network.connect(listener.endpoint)
    block = bytes(BYTES_MAX)
    assert dialer.send(block)
    network.until(lambda: network.received)
    assert listener.send(network.received[0][0].route, block)
    network.until(lambda: network.answers[dialer])
    assert len(network.received[0][1]) == len(network.answers[dialer][0]) == BYTES_MAX


def test_an_oversized_message_cuts_the_link(network: Network) -> None:
    """A larger one is not read: the link is cut, and dialled again."""
    listener = network.listen()
    dialer = network.connect(listener.endpoint)
    dialer.send(bytes(BYTES_MAX + 2048))
    network.until(lambda: not dialer.connected)
    network.until(lambda: dialer.connected)
    assert dialer.send(b"small")
    network.until(lambda: network.received)
    assert [data for _, data in network.received] == [b"small"]


def test_multipart_is_dropped(network: Network) -> None:
    """A message of several frames is dropped whole and counted, and the next one is read."""
    listener = network.listen()
    dialer = network.connect(listener.endpoint)
    dialer.socket.send_multipart([b"a", b"b"])
    dialer.socket.send_multipart([b"c", b"d", b"e"])
    assert dialer.send(b"good")
    network.until(lambda: network.received)
    assert [data for _, data in network.received] == [b"good"]
    assert listener.dropped == {"multipart": 2}
    route = network.received[0][0].route
    listener.socket.send_multipart([route, b"a", b"b"])
    assert listener.send(route, b"good")
    network.until(lambda: network.answers[dialer])
    assert network.answers[dialer] == [b"good"]
    assert dialer.dropped == {"multipart": 1}


def test_a_flood_of_multiparts_is_read_in_turns(network: Network) -> None:
    """Bad messages alone do not keep `receive` busy without end, and none is forgotten."""
    listener = network.listen()
    dialer = network.connect(listener.endpoint)
    for _ in range(150):
        dialer.socket.send_multipart([b"a", b"b"])
    dialer.send(b"good")
    network.until(lambda: network.received)
    assert listener.dropped == {"multipart": 150}


def test_a_message_without_a_key_is_dropped(network: Network) -> None:
    """What no handshake vouched for is dropped and counted, should libzmq ever let it in."""
    listener = network.listen()
    really = listener.socket
    listener.socket = network.stranger(zmq.ROUTER)
    listener.socket.bind("inproc://no-curve")
    network.stranger(zmq.DEALER, "inproc://no-curve").send(b"x")
    assert listener.receive() is None
    assert listener.dropped == {"nameless": 1}
    listener.socket = really


def test_reconnect(network: Network) -> None:
    """When the server comes back on its port, the Dialer is up again by itself."""
    elsewhere = Network()
    elsewhere.server = network.server
    elsewhere.admitted = network.admitted
    listener = elsewhere.listen()
    dialer = network.dial(listener.endpoint)

    def both() -> bool:
        elsewhere.turn_for(0.001)
        return dialer.connected

    network.waiter.wait(until_steady_us=0)
    while not both():
        network.turn_for(0.001)
    elsewhere.close()
    network.until(lambda: not dialer.connected)
    assert not dialer.send(b"lost otherwise")
    network.listen(listener.endpoint)
    network.until(lambda: dialer.connected)
    assert dialer.send(b"again")
    network.until(lambda: network.received)
    assert not dialer.refused


def test_server_that_is_not_there_yet(network: Network) -> None:
    """A Dialer may come before its server."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    dialer = network.dial(f"tcp://127.0.0.1:{port}")
    network.turn_for(0.05)
    network.listen(f"tcp://127.0.0.1:{port}")
    network.until(lambda: dialer.connected)


def test_ipv6(network: Network) -> None:
    """An endpoint in brackets is IPv6, at both ends."""
    try:
        listener = network.listen("tcp://[::1]:0")
    except LinkError:
        pytest.skip("this host has no IPv6 loopback")
    assert listener.endpoint == f"tcp://[::1]:{listener.port}"
    network.connect(listener.endpoint)


def test_ipv6_any_takes_ipv4_too(network: Network) -> None:
    """A server on [::] is reached over IPv4 as well."""
    try:
        listener = network.listen("tcp://[::]:0")
    except LinkError:
        pytest.skip("this host has no IPv6")
    assert network.connect(f"tcp://127.0.0.1:{listener.port}").connected


def test_port_taken(network: Network) -> None:
    """A taken port is an error that names the address, the cause and the next step."""
    listener = network.listen()
    with pytest.raises(LinkError, match="in use") as caught:
        network.listen(listener.endpoint, domain="other")
    assert str(listener.port) in caught.value.message
    assert "ss -ltnp" in caught.value.hint
    network.listen(domain="other")


@pytest.mark.parametrize(
    ("endpoint", "hint"),
    [
        ("tcp://192.0.2.1:0", "ip -br addr"),
        ("tcp://nonsense", "tcp://ADDRESS:PORT"),
        ("http://127.0.0.1:1", "tcp://ADDRESS:PORT"),
    ],
)
def test_cannot_listen(network: Network, endpoint: str, hint: str) -> None:
    """An address that cannot be listened on is an error with a next step."""
    with pytest.raises(LinkError, match="cannot listen on") as caught:
        network.listen(endpoint)
    assert hint in caught.value.hint


def test_cannot_dial(network: Network) -> None:
    """An endpoint or key that cannot be understood is an error with a next step."""
    with pytest.raises(LinkError, match="cannot dial"):
        network.dial("nonsense")
    with pytest.raises(ConfigError, match="no key"):
        network.dial("tcp://127.0.0.1:1", server_key="short")
    with pytest.raises(ConfigError, match="no key"):
        network.dial("tcp://127.0.0.1:1", server_key="AB" * 32)


def test_cannot_listen_with_a_broken_key(network: Network) -> None:
    """A key that cannot be understood is an error, and leaves the domain free."""
    network.server = KeyPair("short", "short")
    with pytest.raises(ConfigError, match="no key"):
        network.listen()
    network.server = new_keypair()
    network.listen()


def test_other_trouble_is_not_hidden(network: Network) -> None:
    """A send on a socket that was closed is a fault of the program, and raises."""
    listener = network.listen()
    dialer = network.connect(listener.endpoint)
    network.drop(listener)
    network.drop(dialer)
    with pytest.raises(zmq.ZMQError) as caught:
        listener.send(b"x", b"y")
    assert caught.value.errno == errno.ENOTSOCK


def test_last_words_leave_with_linger() -> None:
    """What was sent before a close with linger still arrives, though the hub closes at once."""
    network, leaving = Network(), Hub()
    listener = network.listen()
    pair = new_keypair()
    network.admitted.add(pair.public)
    dialer = Dialer(leaving, listener.endpoint, pair, network.server.public, bytes_max=BYTES_MAX)
    network.waiter.add(dialer)
    network.until(lambda: dialer.connected)
    network.waiter.remove(dialer)
    assert dialer.send(b"bye")
    dialer.close(linger_s=5.0)
    leaving.close()
    network.until(lambda: network.received)
    network.close()


def test_an_idle_link_does_not_work(network: Network) -> None:
    """A link on which nothing is said costs next to no processor time."""
    listener = network.listen()
    network.connect(listener.endpoint)
    network.turn_for(0.05)
    before_s = time.process_time()
    network.turn_for(0.4)
    assert time.process_time() - before_s < 0.1


def test_many_dialers(network: Network) -> None:
    """A hub has room for more sockets than the thousand that libzmq allows by itself."""
    listener = network.listen()
    pair = new_keypair()
    network.admitted.add(pair.public)
    dialers = [network.dial(listener.endpoint, pair) for _ in range(400)]
    network.until(lambda: all(dialer.connected for dialer in dialers))
    assert not any(dialer.refused for dialer in dialers)


def test_message_before_the_wait(network: Network) -> None:
    """What arrived before a wait, or before the source was added, ends it at once."""
    listener = network.listen()
    dialer = network.connect(listener.endpoint)
    dialer.send(b"a")
    dialer.send(b"b")
    network.waiter.remove(listener)
    network.turn_for(0.1)
    late = Waiter()
    late.add(listener)
    assert late.wait() == [listener]
    assert late.wait() == [listener]
    assert listener.receive() is not None
    assert late.wait() == [listener]
    assert listener.receive() is not None
    assert late.wait(until_steady_us=int(clock.monotonic_s() * 1e6)) == []
    late.remove(listener)
    network.waiter.add(listener)
