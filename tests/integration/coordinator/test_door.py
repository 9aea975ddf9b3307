"""Who is served, and what becomes of what is not understood: real sockets, a real coordinator."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tests.fleet import Fleet, until
from tocsin import wire
from tocsin.clock import monotonic_s
from tocsin.config import read_context
from tocsin.keys import KeyPair, read_keypair
from tocsin.link import Dialer, Hub, Waiter, new_keypair
from tocsin.messages.agent_link import Heartbeat
from tocsin.messages.client_answers import Status
from tocsin.messages.client_link import GetStatus, Reply, Request, ToClient
from tocsin.messages.enrolment import Denied, Enrol, Enrolled, Pending, ToStranger, token_mac


class Caller:
    """One connection to the coordinator."""

    def __init__(self, fleet: Fleet, own: KeyPair, port: int) -> None:
        self.context = read_context(fleet.home / "coordinator/data/coordinator/admin.toml")
        self.hub, self.waiter = Hub(), Waiter()
        endpoint = f"tcp://127.0.0.1:{port}"
        self.dialer = Dialer(self.hub, endpoint, own, self.context.server_key, bytes_max=1 << 20)
        self.waiter.add(self.dialer)

    def say(self, data: bytes) -> None:
        """Send one message, waiting for the link."""
        until(lambda: self.dialer.send(data) or self._wait(), "the link")

    def hear(self) -> bytes:
        """The next message."""
        heard: list[bytes] = []

        def listen() -> list[bytes]:
            data = self.dialer.receive()
            if data is None:
                self._wait()
            else:
                heard.append(data)
            return heard

        return until(listen, "a message")[0]

    def refused(self) -> bool:
        """Whether the handshake is refused, once it is decided."""
        until(lambda: self.dialer.refused or self.dialer.connected or self._wait(), "a verdict")
        return self.dialer.refused

    def _wait(self) -> bool:
        self.waiter.wait(until_steady_us=int((monotonic_s() + 0.02) * 1e6))
        return False

    def close(self) -> None:
        """Hang up."""
        self.waiter.close()
        self.dialer.close()
        self.hub.close()


def admin(fleet: Fleet) -> KeyPair:
    """The administrator's key."""
    return read_keypair(Path(fleet.home / "coordinator/data/coordinator/admin.key"))


def dropped(fleet: Fleet) -> dict[str, int]:
    """What the coordinator counted as not taken."""
    counts: dict[str, int] = fleet.json("status")["dropped"]
    return counts


def test_a_key_that_is_not_known_is_refused(fleet: Fleet) -> None:
    """The handshake itself fails."""
    caller = Caller(fleet, new_keypair(), fleet.ports[0])

    assert caller.refused()

    caller.close()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "undecodable"),
        (b"\xc1", "undecodable"),
        (os.urandom(2000), "undecodable"),
        (b"\x91" * 5000, "undecodable"),
        (wire.encode(Heartbeat("s", 0, 0)), "undecodable"),
        (b"\x93\xa7request\x01\x91\xa7made_up", "undecodable"),
    ],
    ids=["empty", "reserved", "noise", "nested", "agent's", "made up"],
)
def test_what_does_not_decode_is_dropped_and_counted(
    fleet: Fleet, data: bytes, reason: str
) -> None:
    """The coordinator goes on serving the same connection."""
    caller = Caller(fleet, admin(fleet), fleet.ports[0])

    caller.say(data)
    caller.say(wire.encode(Request(7, GetStatus())))

    reply = wire.decode(caller.hear(), ToClient)
    assert isinstance(reply, Reply)
    assert isinstance(reply.answer, Status)
    assert (reply.id, reply.answer.dropped[reason]) == (7, 1)
    caller.close()


def test_a_client_may_do_what_its_role_allows_and_no_more(fleet: Fleet) -> None:
    """A viewer is told why it may not, and nothing is done."""
    fleet.join("web-1")

    status = fleet.call("status", who="web-1")
    denied = fleet.call("agent", "token", who="web-1")

    assert status.returncode == 0
    assert denied.returncode == 1
    assert "your role here is viewer" in denied.stderr
    assert dropped(fleet)["wrong role"] == 1


def test_raw_bytes_and_oversized_frames_harm_nobody(fleet: Fleet) -> None:
    """Whoever does not speak the protocol gets nothing, and the others go on."""
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", fleet.ports[0])) as raw:
            raw.sendall(os.urandom(4096))
    caller = Caller(fleet, admin(fleet), fleet.ports[0])
    caller.say(bytes(4 << 20))
    caller.close()

    assert fleet.json("status")["store"] == "ok"


def enrol(fleet: Fleet, own: KeyPair, *, token_id: str, secret: str, name: str) -> ToStranger:
    """Ask to be let in."""
    import hashlib

    caller = Caller(fleet, own, fleet.ports[1])
    digest = hashlib.sha256(secret.encode()).digest()
    mac = token_mac(digest, own.public, caller.context.server_key, "")
    caller.say(wire.encode(Enrol(1, name, {}, token_id, mac, "")))
    answer: ToStranger = wire.decode(caller.hear(), ToStranger)
    caller.close()
    return answer


def test_a_token_lets_in_as_often_as_it_says_and_only_who_knows_its_secret(fleet: Fleet) -> None:
    """Every kind of wrong token gets the same answer."""
    join = fleet.json("agent", "token", "--name", "web-*")["join"]
    token_id, _, secret = join.rpartition(":")[2].partition(".")

    wrong = enrol(fleet, new_keypair(), token_id=token_id, secret="no", name="web-1")
    unknown = enrol(fleet, new_keypair(), token_id="no", secret=secret, name="web-1")
    elsewhere = enrol(fleet, new_keypair(), token_id=token_id, secret=secret, name="db-1")
    right = enrol(fleet, new_keypair(), token_id=token_id, secret=secret, name="web-1")
    again = enrol(fleet, new_keypair(), token_id=token_id, secret=secret, name="web-2")

    assert isinstance(right, Enrolled)
    assert right.port == fleet.ports[0]
    assert wrong == unknown == again
    assert isinstance(wrong, Denied)
    assert isinstance(elsewhere, Denied)
    assert "web-*" in elsewhere.reason


def test_a_host_without_a_token_waits_to_be_accepted(fleet: Fleet) -> None:
    """It is listed with its fingerprint; once accepted it is let in."""
    own = new_keypair()
    waiting = enrol(fleet, own, token_id="", secret="", name="web-1")
    assert isinstance(waiting, Pending)
    (listed,) = fleet.json("agent", "list")
    assert (listed["state"], listed["fingerprint"]) == ("pending", waiting.fingerprint)

    assert fleet.call("agent", "accept", waiting.fingerprint).returncode == 0

    assert isinstance(enrol(fleet, own, token_id="", secret="", name="web-1"), Enrolled)


def test_a_second_coordinator_on_the_same_data_is_refused_with_the_pid_of_the_first(
    fleet: Fleet,
) -> None:
    """Two of them would fire everything twice."""
    second = fleet.call("coordinator", "--port", "0", "--enrol-port", "0")

    assert second.returncode == 2
    assert str(fleet.processes["coordinator"].pid) in second.stderr
