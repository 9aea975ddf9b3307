"""Servers that want to know who comes, and that are to prove who they are."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nkeys
import pytest
import trustme

from tests.contract.host_client import Agent, Host
from tocsin.execution import Outcome, Status

from .impostor import GREETING, Impostor, TlsFront
from .keys import Realm, make_key
from .peer import Peer
from .runs import send
from .server import NatsServer

REFUSED = "the server says: Authorization Violation"


@pytest.mark.parametrize(
    ("config", "good", "bad"),
    [
        (
            "authorization { user: u, password: hunter22 }",
            {"user": "u", "password": "hunter22"},
            {"user": "u", "password": "hunter23"},
        ),
        ("authorization { token: hunter22 }", {"token": "hunter22"}, {"token": "hunter23"}),
    ],
)
def test_words(agent: Agent, host: Host, tmp_path: Path, config: str, good: Any, bad: Any) -> None:
    """User and password, or a token; the wrong one, or none, is refused and not shown."""
    with NatsServer(tmp_path / "server", config) as server:
        assert send(agent, servers=server.url, **good).message == ""
        block: dict[str, Any]
        for block in (bad, {}):
            outcome = send(agent, servers=server.url, **block)
            assert outcome.status is Status.FAILED
            assert outcome.message == f"{server.address}: {REFUSED}"
            assert "hunter" not in host.log()


def test_an_nkey(agent: Agent, tmp_path: Path) -> None:
    """The seed in a file signs what the server asks; another seed is refused."""
    known, unknown = (make_key(nkeys.PREFIX_BYTE_USER) for _ in range(2))
    for name, key in (("known", known), ("unknown", unknown)):
        (tmp_path / name).write_text(f"{key.seed}\n")
    config = f"authorization {{ users: [ {{ nkey: {known.public} }} ] }}"
    with NatsServer(tmp_path / "server", config) as server:
        assert send(agent, servers=server.url, nkey=str(tmp_path / "known")).message == ""
        other = send(agent, servers=server.url, nkey=str(tmp_path / "unknown"))
        assert other.message == f"{server.address}: {REFUSED}"


def test_a_credentials_file(agent: Agent, tmp_path: Path) -> None:
    """A user of an operator's account is let in; one whose time is over is not."""
    realm = Realm()
    good = realm.write_creds(tmp_path / "good.creds")
    old = realm.write_creds(tmp_path / "old.creds", exp=1)
    foreign = Realm().write_creds(tmp_path / "foreign.creds")
    with NatsServer(tmp_path / "server", realm.config) as server:
        assert send(agent, servers=server.url, creds=good).message == ""
        for path in (old, foreign):
            refused = send(agent, servers=server.url, creds=path)
            assert refused.message.startswith(f"{server.address}: the server says: ")
            assert "uth" in refused.message  # Authorization Violation, Authentication Expired


@pytest.mark.parametrize("key", ["nkey", "creds"])
def test_a_file_of_keys_that_is_none(agent: Agent, tmp_path: Path, key: str) -> None:
    """It fails the run, and says nothing of what is in it."""
    seed = make_key(nkeys.PREFIX_BYTE_USER).seed
    (tmp_path / "bad").write_text(f"x{seed}x")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    config = f"authorization {{ users: [ {{ nkey: {make_key(nkeys.PREFIX_BYTE_USER).public} }} ] }}"
    with NatsServer(tmp_path / "server", config) as server:
        for name in ("missing", "bad", "bytes"):
            outcome = send(agent, servers=server.url, **{key: str(tmp_path / name)})
            assert outcome.status is Status.FAILED
            assert outcome.message.startswith(f"`{key}` {tmp_path / name}: ")
            assert seed[:10] not in outcome.message


# TLS.


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Who signs the certificates."""
    return trustme.CA()


@pytest.fixture
def files(authority: trustme.CA, tmp_path: Path) -> dict[str, str]:
    """Paths of the authority, of a client's certificate and its key, and of the server's."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca"))
    for name, identity in (("client", "client@example.org"), ("server", "nats.example.org")):
        issued = authority.issue_cert(identity)
        issued.cert_chain_pems[0].write_to_path(str(tmp_path / f"{name}-cert"))
        issued.private_key_pem.write_to_path(str(tmp_path / f"{name}-key"))
    return {path.name: str(path) for path in tmp_path.iterdir()}


@pytest.fixture
def secure(files: dict[str, str], tmp_path: Path) -> Iterator[NatsServer]:
    """A server with TLS that wants a client's certificate, and knows itself by a name."""
    config = (
        f"tls {{ cert_file: {files['server-cert']}, key_file: {files['server-key']}, "
        f"ca_file: {files['ca']}, verify: true }}"
    )
    with NatsServer(tmp_path / "server", config) as made:
        yield made


def knock(agent: Agent, server: NatsServer, scheme: str = "tls", **tls: Any) -> Outcome:
    """Send a message over TLS."""
    return send(agent, servers=f"{scheme}://{server.address}", tls=tls or False)


@pytest.mark.parametrize("scheme", ["tls", "nats"])
def test_mutual_tls(agent: Agent, secure: NatsServer, files: dict[str, str], scheme: str) -> None:
    """Both sides show a certificate, however the address is written."""
    own = {"ca": files["ca"], "cert": files["client-cert"], "key": files["client-key"]}
    outcome = knock(agent, secure, scheme, **own, server_name="nats.example.org")
    assert outcome.message == ""


def test_what_is_wrong_with_tls(agent: Agent, secure: NatsServer, files: dict[str, str]) -> None:
    """An authority, a name or a certificate that is missing is said."""
    own = {"cert": files["client-cert"], "key": files["client-key"]}
    name = {"server_name": "nats.example.org"}
    unknown = knock(agent, secure, **own, **name)
    assert "its certificate is not trusted" in unknown.message
    other = knock(agent, secure, **own, ca=files["ca"])
    assert "its certificate is not trusted" in other.message
    stranger = knock(agent, secure, **name, ca=files["ca"])
    assert stranger.status is Status.FAILED
    for outcome in (unknown, other, stranger):
        assert outcome.message.startswith(f"{secure.address}: ")
    assert knock(agent, secure, **own, verify=False).message == ""


def test_a_server_that_asks_for_tls(agent: Agent, secure: NatsServer) -> None:
    """Gets it, and has to be trusted, where the job says nothing of TLS."""
    outcome = knock(agent, secure, "nats")
    assert "its certificate is not trusted" in outcome.message


def test_a_certificate_that_is_none(
    agent: Agent, server: NatsServer, files: dict[str, str], tmp_path: Path
) -> None:
    """It fails the run, and names the key."""
    (tmp_path / "bad").write_text("no PEM")
    bad, cert, other = str(tmp_path / "bad"), files["client-cert"], files["server-key"]
    pair: dict[str, Any] = {"cert": cert, "key": other}
    for tls, says in (
        ({"ca": "/no/ca"}, "`ca` /no/ca: No such file or directory"),
        ({"cert": "/no/cert"}, "`cert` /no/cert: No such file or directory"),
        ({"ca": bad}, f"`ca` {bad}: no certificate or key in PEM"),
        (pair, f"`cert` {cert}, `key` {other}: the key is not that of the certificate"),
    ):
        outcome = send(agent, servers=server.url, tls=tls)
        assert outcome.status is Status.FAILED
        assert outcome.message.startswith(says)


@pytest.mark.parametrize("block", [{"servers": "tls://{}"}, {"servers": "{}", "tls": True}])
def test_nothing_is_said_to_a_server_without_tls(agent: Agent, block: dict[str, Any]) -> None:
    """Where the job wants TLS, neither password nor message goes out in the clear."""
    with Impostor(GREETING) as plain:
        address = block["servers"].format(plain.address)
        words = {"user": "u", "password": "hunter22"}
        outcome = send(agent, **{**block, "servers": address}, **words, payload="secret")
        assert outcome.message == f"{plain.address}: it offers no TLS, and the job wants it"
        assert plain.told == b""


def test_what_comes_before_tls_is_not_believed(agent: Agent) -> None:
    """Whoever sits in between cannot put words into the server's mouth."""
    greeting = GREETING.replace(b"{", b'{"tls_required": true, ', 1)
    with Impostor(greeting + b"PONG\r\n", hangs_up=False) as liar:
        outcome = send(agent, servers=f"tls://{liar.address}", payload="secret")
        assert (
            outcome.message
            == f"{liar.address}: it said more than a greeting before it was spoken to"
        )
        assert b"secret" not in liar.told


def test_tls_before_the_greeting(
    agent: Agent, authority: trustme.CA, files: dict[str, str], server: NatsServer, peer: Peer
) -> None:
    """`first` speaks TLS at once, as some servers and every proxy want it."""
    peer.listen("greetings")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with TlsFront(server.port, context) as front:
        tls = {"ca": files["ca"], "first": True}
        outcome = send(agent, servers=f"tls://127.0.0.1:{front.port}", tls=tls, payload="hi")
        assert outcome.message == ""
        assert peer.next().data == b"hi"
