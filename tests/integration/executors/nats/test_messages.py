"""What is sent, and who confirms it."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.contract.host_client import Agent, Host
from tocsin.execution import Status

from .peer import Peer
from .runs import order_for, send
from .server import NatsServer

# Core.


def test_a_message_arrives_and_has_its_facts(agent: Agent, server: NatsServer, peer: Peer) -> None:
    """The server has taken it, and says so; payload and headers are as they were given."""
    peer.listen("greetings")
    fields = {"X-At": "12:30, or http://x/ü"}
    outcome = send(agent, servers=server.url, payload="héllo", headers=fields)
    assert outcome.status is Status.SUCCEEDED
    assert outcome.message == ""
    heard = peer.next()
    assert heard.data == "héllo".encode()
    assert heard.headers == fields
    assert outcome.facts["server"] == server.address
    assert outcome.facts["bytes"] == 6
    assert outcome.facts["latency_ms"] >= 0


@pytest.mark.parametrize(
    ("block", "data"),
    [
        ({}, b""),
        ({"payload": ""}, b""),
        ({"payload_base64": base64.b64encode(bytes(range(256))).decode()}, bytes(range(256))),
        ({"payload_base64": "aGVs\n bG8=\n"}, b"hello"),
    ],
)
def test_what_is_sent(
    agent: Agent, server: NatsServer, peer: Peer, block: dict[str, Any], data: bytes
) -> None:
    """Nothing, text or bytes."""
    peer.listen("greetings")
    assert send(agent, servers=server.url, **block).message == ""
    assert peer.next().data == data


def test_a_file_is_sent_as_it_is(
    agent: Agent, server: NatsServer, peer: Peer, tmp_path: Path
) -> None:
    """And one that cannot be read fails the run before anything is sent."""
    peer.listen("greetings")
    (tmp_path / "data").write_bytes(b"\x00\xff\r\nPING\r\n")
    assert send(agent, servers=server.url, payload_file=str(tmp_path / "data")).message == ""
    assert peer.next().data == b"\x00\xff\r\nPING\r\n"
    for path, why in (("/no/such/file", "No such file or directory"), ("/dev", "is not a file")):
        end = agent.run(order_for({"payload_file": path}))
        assert end.began_us is None
        assert end.outcome.message == f"`payload_file` {path}: {why}"


def test_header_fields_may_repeat(agent: Agent, host: Host, server: NatsServer, peer: Peer) -> None:
    """A list of values is a field for each."""
    peer.make_stream("FIELDS", "fields")
    url, fields = server.url, {"A": ["1", "2"], "B": "3"}
    send(agent, servers=url, subject="fields", jetstream=True, msg_id=False, headers=fields)
    api = "$JS.API.STREAM.MSG.GET.FIELDS"
    run = order_for({"servers": url, "subject": api, "request": True, "payload": '{"seq": 1}'})
    assert agent.run(run).outcome.status is Status.SUCCEEDED
    kept = json.loads(host.stdout(run))["message"]["hdrs"]
    assert base64.b64decode(kept) == b"NATS/1.0\r\nA: 1\r\nA: 2\r\nB: 3\r\n\r\n"


def test_placeholders_are_filled_in(agent: Agent, server: NatsServer, peer: Peer) -> None:
    """And what they make is checked as anything else: a subject cannot smuggle in a command."""
    peer.listen("orders.*")
    block = {"subject": "orders.{{ param.region }}", "servers": server.url, "payload": "x"}
    good = order_for(block, env={"TOCSIN_PARAM_REGION": "eu"})
    assert agent.run(good).outcome.message == ""
    assert peer.next().subject == "orders.eu"
    for evil in ("eu\r\nPUB x 0\r\n", "{{ x \r\nPUB x 0\r\n", "*", "a..b", ""):
        end = agent.run(order_for(block, env={"TOCSIN_PARAM_REGION": evil}))
        assert "`subject`" in end.outcome.message
        assert end.began_us is None


# JetStream.


def test_a_stream_acknowledges(agent: Agent, server: NatsServer, peer: Peer) -> None:
    """Stream and sequence are facts; a later attempt of the run is known as the same."""
    peer.make_stream("ORDERS", "orders.>")
    block = {"subject": "orders.new", "servers": server.url, "jetstream": True, "payload": "1"}
    env = {"TOCSIN_IDEMPOTENCY_KEY": "job/2026-01-01T00:00:00Z"}
    facts = [
        agent.run(order_for(block, run="same", attempt=n, env=env)).outcome.facts for n in (1, 2)
    ]
    assert [(it["stream"], it["seq"], it["duplicate"]) for it in facts] == [
        ("ORDERS", 1, False),
        ("ORDERS", 1, True),
    ]
    other = {"TOCSIN_IDEMPOTENCY_KEY": "job/2026-01-02T00:00:00Z"}
    assert agent.run(order_for(block, run="next", env=other)).outcome.facts["seq"] == 2
    assert peer.stored("ORDERS") == 2


@pytest.mark.parametrize(("msg_id", "kept"), [("mine", 1), (False, 2), (True, 2), (None, 2)])
def test_the_message_id_can_be_chosen(
    agent: Agent, server: NatsServer, peer: Peer, msg_id: Any, kept: int
) -> None:
    """Two runs with one id are one message; without an id each is its own."""
    name = f"IDS-{msg_id}"
    peer.make_stream(name, name)
    for _ in range(2):
        outcome = send(agent, servers=server.url, subject=name, jetstream=True, msg_id=msg_id)
        assert outcome.status is Status.SUCCEEDED
    assert peer.stored(name) == kept


def test_no_stream_takes_it(agent: Agent, server: NatsServer, peer: Peer) -> None:
    """Nobody there, or somebody who is no stream, is a failure that says so."""
    outcome = send(agent, servers=server.url, subject="nowhere", jetstream=True)
    assert outcome.status is Status.FAILED
    assert outcome.message == f"{server.address}: no stream takes this subject"
    peer.listen("elsewhere", b"thanks")
    wrong = send(agent, servers=server.url, subject="elsewhere", jetstream=True)
    assert wrong.message == f"{server.address}: what answered is no stream: thanks"


def test_a_stream_refuses(agent: Agent, server: NatsServer, peer: Peer) -> None:
    """Its reason is in the message."""
    peer.make_stream("PICKY", "picky", max_msg_size=300)
    large = send(agent, servers=server.url, subject="picky", jetstream=True, payload="x" * 301)
    assert "message size exceeds maximum allowed" in large.message
    fields = {"Nats-Expected-Stream": "OTHER"}
    other = send(agent, servers=server.url, subject="picky", jetstream=True, headers=fields)
    assert "expected stream does not match" in other.message
    assert large.status is other.status is Status.FAILED


# Requests.


def test_a_reply_is_the_output(agent: Agent, host: Host, server: NatsServer, peer: Peer) -> None:
    """Byte for byte, with its headers as facts."""
    peer.listen("ask", b"\x00answer\xff", Kind="short")
    run = order_for({"subject": "ask", "servers": server.url, "request": True, "payload": "?"})
    outcome = agent.run(run).outcome
    assert outcome.status is Status.SUCCEEDED
    assert host.stdout(run) == b"\x00answer\xff"
    assert outcome.facts["reply_bytes"] == 8
    assert outcome.facts["reply_headers"] == {"Kind": "short"}
    assert peer.next().data == b"?"


def test_nobody_answers(agent: Agent, server: NatsServer, peer: Peer) -> None:
    """No responders is known at once; a responder that is silent, in time."""
    alone = send(agent, servers=server.url, subject="nobody", request=True)
    assert alone.status is Status.FAILED
    assert alone.message == f"{server.address}: no responders: nobody listens to this subject"
    peer.listen("silent")
    late = send(agent, servers=server.url, subject="silent", request="200ms")
    assert late.status is Status.FAILED
    assert late.message == f"{server.address}: no reply within 200ms"
    block = {"subject": "silent", "servers": server.url, "request": True}
    assert agent.run(order_for(block, timeout_s=0.2)).outcome.status is Status.TIMED_OUT


def test_a_late_reply_is_nobody_elses(
    agent: Agent, host: Host, server: NatsServer, peer: Peer
) -> None:
    """What answers an earlier run is not taken for the answer to the next one."""
    block = {"subject": "slow", "servers": server.url, "request": True}
    peer.listen("slow")
    early, later = order_for(block, timeout_s=0.2), order_for(block)
    assert agent.run(early).outcome.status is Status.TIMED_OUT
    agent.start(later)
    first, second = peer.next(), peer.next()
    peer.publish(first.reply, b"late")
    peer.publish(second.reply, b"in time")
    assert agent.end_of(later).outcome.status is Status.SUCCEEDED
    assert host.stdout(later) == b"in time"
    assert host.stdout(early) == b""


def test_a_service_that_fails(agent: Agent, host: Host, server: NatsServer, peer: Peer) -> None:
    """The error of a micro-service is a failure, whatever else it sends."""
    fields = {"Nats-Service-Error": "out of stock", "Nats-Service-Error-Code": "409"}
    peer.listen("service", b"details", **fields)
    run = order_for({"subject": "service", "servers": server.url, "request": True})
    outcome = agent.run(run).outcome
    assert outcome.status is Status.FAILED
    assert outcome.message == f"{server.address}: the service fails: 409 out of stock"
    assert host.stdout(run) == b"details"


def test_a_status_in_a_reply(agent: Agent, server: NatsServer, peer: Peer) -> None:
    """What a server says in place of a reply is a failure."""
    peer.make_stream("PULLED", "pulled")
    make = {"stream_name": "PULLED", "config": {"durable_name": "d", "ack_policy": "explicit"}}
    url = server.url
    api = "$JS.API.CONSUMER"
    made = send(
        agent, servers=url, subject=f"{api}.DURABLE.CREATE.PULLED.d", request=True,
        payload=json.dumps(make),
    )  # fmt: skip
    assert made.message == ""
    none = send(
        agent, servers=url, subject=f"{api}.MSG.NEXT.PULLED.d", request=True,
        payload='{"batch": 1, "no_wait": true}',
    )  # fmt: skip
    assert none.message == f"{server.address}: the reply has status 404 No Messages"


# Size.


def test_a_message_that_is_too_large(agent: Agent, tmp_path: Path) -> None:
    """The server's own bound is said, and the connection lives on."""
    with NatsServer(tmp_path / "small", "max_payload: 1KB") as small:
        fits = send(agent, servers=small.url, payload="x" * 1024)
        assert fits.message == ""
        large = send(agent, servers=small.url, payload="x" * 1025)
        assert large.status is Status.FAILED
        assert large.message == (
            f"{small.address}: the message has 1,025 bytes, the server takes 1,024 (max_payload)"
        )
        headed = send(agent, servers=small.url, payload="x" * 1000, headers={"A": "x" * 20})
        assert "max_payload" in headed.message
        assert small.connections(1) == 1


# Permissions.


def test_a_refusal_fails_its_own_run(agent: Agent, tmp_path: Path) -> None:
    """Permissions come back as errors of the connection; they find the runs they are about."""
    config = """
    authorization { users: [
      { user: a, password: b, permissions: {
          publish: ["ok.>", "_INBOX.>"], subscribe: ["MINE.>"] } } ] }
    """
    with NatsServer(tmp_path / "strict", config) as strict:
        block = {"servers": strict.url, "user": "a", "password": "b"}
        runs = [
            order_for({**block, "subject": f"{kind}.{n}.Größe"})
            for n in range(20)
            for kind in ("ok", "no")
        ]
        agent.start(*runs)
        said = [agent.end_of(run).outcome.message for run in runs]
        assert said[::2] == [""] * 20
        assert said[1::2] == [
            f"{strict.address}: the server says: "
            f'Permissions Violation for Publish to "no.{n}.Größe"'
            for n in range(20)
        ]
        inbox = send(agent, **block, subject="ok.reply", request=True)
        assert 'Permissions Violation for Subscription to "_INBOX.' in inbox.message
        assert strict.connections(1) == 1
        mine = {**block, "inbox_prefix": "MINE.in", "request": True}
        assert "no responders" in send(agent, **mine, subject="ok.reply").message
        refused = send(agent, **mine, subject="no.reply")
        assert 'Permissions Violation for Publish to "no.reply"' in refused.message
