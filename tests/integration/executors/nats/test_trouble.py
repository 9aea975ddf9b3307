"""Servers that are down, dying, frozen, slow or none at all; and runs that are given up."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from tests.contract.host_client import Agent, Host
from tocsin.execution import Status
from tocsin.executors.nats.connections import Connections
from tocsin.executors.nats.patience import Patience

from .impostor import GREETING, Impostor
from .peer import Peer
from .runs import order_for, send, send_here
from .server import NatsServer

DEADLINE_S = 30.0
HASTY = Patience(connect_s=0.3, quiet_s=0.0, probe_s=0.3, beat_s=0.2, idle_s=0.4)


@pytest.fixture
def closed() -> str:
    """An address at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"127.0.0.1:{listener.getsockname()[1]}"


def here(act: Callable[[Connections], Coroutine[Any, Any, Any]], patience: Patience = HASTY) -> Any:
    """What comes of an act over connections of this process, in time."""

    async def run() -> Any:
        with contextlib.closing(Connections(patience)) as connections:
            return await asyncio.wait_for(act(connections), DEADLINE_S)

    return asyncio.run(run())


# Servers that are not there.


def test_nobody_listens(agent: Agent, closed: str) -> None:
    """Every server of a list is named with its reason, and nothing of the credentials is."""
    words = {"user": "u", "password": "hunter22"}
    outcome = send(agent, servers=[f"nats://{closed}", "tls://no-such-host.invalid"], **words)
    assert outcome.status is Status.FAILED
    first = f"{closed}: Connection refused"
    assert outcome.message.startswith(f"{first}; no-such-host.invalid:4222: its name ")


def test_the_next_server_is_taken(agent: Agent, server: NatsServer, closed: str) -> None:
    """The first of a list that takes us is the one."""
    for servers in ([f"nats://{closed}", server.url], f"{closed},{server.address}"):
        assert send(agent, servers=servers).facts["server"] == server.address


def test_a_connection_is_kept(agent: Agent, tmp_path: Path) -> None:
    """Runs with the same settings share one; others have their own."""
    with NatsServer(tmp_path / "server") as server:
        runs = [order_for({"servers": server.url}) for _ in range(200)]
        agent.start(*runs)
        assert {agent.end_of(run).outcome.message for run in runs} == {""}
        assert server.connections(1) == 1
        assert "connect_ms" not in send(agent, servers=server.url).facts
        send(agent, servers=server.url, user="u", password="p")
        assert server.connections(2) == 2


def test_a_server_that_was_restarted(agent: Agent, tmp_path: Path) -> None:
    """A kept connection that has ended is made anew."""
    with NatsServer(tmp_path / "server") as server:
        assert send(agent, servers=server.url).message == ""
        server.kill()
        down = send(agent, servers=server.url)
        assert down.message == f"{server.address}: Connection refused"
        server.start()
        assert send(agent, servers=server.url).message == ""


def test_a_server_that_is_killed_while_a_run_waits(agent: Agent, tmp_path: Path) -> None:
    """The run fails at once, and says who closed."""
    with NatsServer(tmp_path / "server") as server, Peer(server.url) as peer:
        peer.listen("silent")
        run = order_for({"servers": server.url, "subject": "silent", "request": True})
        agent.start(run)
        peer.next()
        server.kill()
        outcome = agent.end_of(run).outcome
        assert outcome.status is Status.FAILED
        assert outcome.message.startswith(f"{server.address}: ")


def test_a_cluster_goes_on(agent: Agent, tmp_path: Path) -> None:
    """A stream that two servers can reach takes messages when the first of them is gone."""
    routes = tmp_path / "routes"
    routes.mkdir()
    with NatsServer(tmp_path / "a", cluster("a")) as first:
        port = first.await_line("Listening for route connections on").rpartition(":")[2]
        with NatsServer(tmp_path / "b", cluster("b", port)) as second, Peer(second.url) as peer:
            first.await_line("Route connection created")
            peer.listen("greetings", b"hello")
            block = {"servers": [first.url, second.url], "request": True}
            assert send(agent, **block).facts["server"] == first.address
            first.kill()
            assert send(agent, **block).facts["server"] == second.address


def cluster(name: str, port: str = "") -> str:
    """The configuration of a member, with the port of another one."""
    routes = f"routes: [ nats-route://127.0.0.1:{port} ]" if port else ""
    return f"server_name: {name}\ncluster {{ name: c, listen: 127.0.0.1:-1, {routes} }}"


def test_a_server_that_is_about_to_close(agent: Agent, server: NatsServer, tmp_path: Path) -> None:
    """Lame duck mode: who comes next goes to the next server, before the first is gone."""
    config = "lame_duck_duration: 30s, lame_duck_grace_period: 20s"
    with NatsServer(tmp_path / "server", config) as lame, Peer(lame.url) as peer:
        block = {"servers": [lame.url, server.url]}
        assert send(agent, **block).facts["server"] == lame.address
        peer.listen("silent")
        waiting = order_for({**block, "subject": "silent", "request": True})
        agent.start(waiting)
        heard = peer.next()
        lame.bow_out()
        while send(agent, **block).facts["server"] == lame.address:
            pass  # the news is on its way
        peer.publish(heard.reply, b"done")
        assert agent.end_of(waiting).outcome.message == ""


# Servers that are frozen, or slow.


def test_a_frozen_server_is_left_for_the_next(server: NatsServer, tmp_path: Path) -> None:
    """Before its connection is used again, one that was quiet has to give a sign of life."""
    with NatsServer(tmp_path / "server") as frozen:

        async def act(connections: Connections) -> list[Any]:
            block = {"servers": [frozen.url, server.url]}
            before = await send_here(connections, tmp_path, **block)
            frozen.freeze()
            after = await send_here(connections, tmp_path, **block)
            return [before.facts["server"], after.facts["server"]]

        assert here(act) == [frozen.address, server.address]
        frozen.thaw()


def test_a_server_that_freezes_while_a_run_waits(tmp_path: Path) -> None:
    """A reply that may take for ever is not waited for when the server gives no sign of life."""
    with NatsServer(tmp_path / "server") as frozen, Peer(frozen.url) as peer:
        peer.listen("silent")

        async def act(connections: Connections) -> Any:
            block = {"servers": frozen.url, "subject": "silent", "request": True}
            run = asyncio.ensure_future(send_here(connections, tmp_path, **block))
            await asyncio.to_thread(peer.next)
            frozen.freeze()
            return await run

        outcome = here(act)
        frozen.thaw()
        assert outcome.status is Status.FAILED
        assert outcome.message.startswith(f"{frozen.address}: no sign of life for ")


def test_a_long_request_to_a_live_server(tmp_path: Path, server: NatsServer, peer: Peer) -> None:
    """Many beats without a reply are none too many where the server is there."""
    peer.listen("slow")

    async def act(connections: Connections) -> Any:
        block = {"servers": server.url, "subject": "slow", "request": True}
        run = asyncio.ensure_future(send_here(connections, tmp_path, **block))
        heard = await asyncio.to_thread(peer.next)
        done, _ = await asyncio.wait([run], timeout=0.3)
        assert not done
        await asyncio.to_thread(peer.publish, heard.reply, b"at last")
        return await run

    assert here(act, HASTY._replace(beat_s=0.02)).message == ""


def test_a_short_wait_behind_a_long_one(agent: Agent, tmp_path: Path) -> None:
    """It ends at its own time, and the long one goes on to its own."""
    with NatsServer(tmp_path / "server") as server:
        send(agent, servers=server.url)
        server.freeze()
        long = order_for({"servers": server.url, "wait": "1s"})
        agent.start(long)
        agent.await_began(long)
        short = send(agent, servers=server.url, wait="100ms")
        assert short.message == f"{server.address}: no confirmation within 100ms"
        assert long.key not in agent.ended
        assert agent.end_of(long).outcome.message.endswith("no confirmation within 1s")
        server.thaw()


def test_a_frozen_server_takes_no_longer_than_the_job(agent: Agent, tmp_path: Path) -> None:
    """Neither `wait` nor the job's `timeout` is outlasted, connected or not."""
    with NatsServer(tmp_path / "server") as server:
        send(agent, servers=server.url)
        server.freeze()
        late = send(agent, servers=server.url, wait="200ms")
        assert late.message == f"{server.address}: no confirmation within 200ms"
        run = order_for({"servers": server.url}, timeout_s=0.2)
        assert agent.run(run).outcome.status is Status.TIMED_OUT
        server.thaw()


def test_a_large_message_to_a_frozen_server(tmp_path: Path) -> None:
    """What the kernel does not take any more is noticed too."""
    with NatsServer(tmp_path / "server", "max_payload: 60MB, max_pending: 60MB") as frozen:

        async def act(connections: Connections) -> Any:
            await send_here(connections, tmp_path, servers=frozen.url)
            frozen.freeze()
            block = {"servers": frozen.url, "request": True, "payload": "x" * (50 << 20)}
            return await send_here(connections, tmp_path, **block)

        outcome = here(act, HASTY._replace(quiet_s=60.0))
        frozen.thaw()
        assert outcome.message.startswith(f"{frozen.address}: no sign of life for ")


def test_an_idle_connection_is_closed(tmp_path: Path) -> None:
    """And the next run makes another one."""
    with NatsServer(tmp_path / "server") as server:

        async def act(connections: Connections) -> list[str]:
            first = await send_here(connections, tmp_path, servers=server.url)
            await asyncio.to_thread(server.await_line, "Client connection closed")
            second = await send_here(connections, tmp_path, servers=server.url)
            return [first.message, second.message]

        assert here(act) == ["", ""]
        assert server.connections(2) == 2


# Servers that are none.


@pytest.mark.parametrize(
    ("greeting", "answer", "says"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", "is no NATS server: it said 'HTTP/1.1 400"),
        (b"\x00\xff\r\n", b"", "is no NATS server"),
        (b"INFO nonsense\r\n", b"", "is no NATS server"),
        (GREETING, b"", "the server closed the connection"),
        (GREETING, b"-ERR 'Parser Error'\r\n", "the server says: Parser Error"),
        (GREETING, b"MSG a b c\r\n", "is no NATS server"),
        (GREETING, b"MSG a 1 99999999999\r\n", "is no NATS server"),
        (GREETING, b"x" * (2 << 20), "(is no NATS server|the server closed)"),
        (b"", b"", "the server closed the connection before its greeting"),
    ],
)
def test_a_peer_that_is_none(agent: Agent, greeting: bytes, answer: bytes, says: str) -> None:
    """The failure names it, and says what it did."""
    with Impostor(greeting, answer, hangs_up=True) as impostor:
        outcome = send(agent, servers=f"nats://{impostor.address}")
    assert outcome.status is Status.FAILED
    assert re.match(f"{impostor.address}: {says}", outcome.message), outcome.message
    assert len(outcome.message) < 200


def test_a_peer_that_says_nothing(tmp_path: Path) -> None:
    """Each step of a connection has its time."""

    async def act(connections: Connections, impostor: Impostor) -> Any:
        return await send_here(connections, tmp_path, servers=impostor.address)

    with Impostor(b"") as silent:
        assert (
            here(lambda it: act(it, silent)).message
            == f"{silent.address}: no greeting within 300ms"
        )
    with Impostor(GREETING) as shy:
        wanted = f"{shy.address}: no answer to our credentials within 300ms"
        assert here(lambda it: act(it, shy)).message == wanted


def test_a_server_of_old(agent: Agent) -> None:
    """Headers are not sent to one that takes none."""
    with Impostor(b'INFO {"version": "2.1.9"}\r\n', b"PONG\r\n") as old:
        outcome = send(agent, servers=old.address, headers={"A": "1"})
        assert outcome.message == f"{old.address}: version 2.1.9 of the server takes no headers"


# Runs that are given up.


@pytest.mark.parametrize("greeting", [b"", GREETING])
def test_a_cancel_while_it_connects(agent: Agent, greeting: bytes) -> None:
    """The run is over at once."""
    with Impostor(greeting) as impostor:
        run = order_for({"servers": impostor.address}, kill_after_s=3600.0)
        agent.start(run)
        agent.await_began(run)
        agent.cancel(run)
        assert agent.end_of(run).outcome.status is Status.CANCELLED


def test_a_cancel_hurts_nobody_else(agent: Agent, server: NatsServer, peer: Peer) -> None:
    """The connection goes on, for those that wait on it and for those that come."""
    peer.listen("silent")
    block = {"servers": server.url, "subject": "silent", "request": True}
    given_up, other = order_for(block, kill_after_s=3600.0), order_for(block)
    agent.start(given_up, other)
    replies = [peer.next().reply for _ in range(2)]
    agent.cancel(given_up)
    assert agent.end_of(given_up).outcome.status is Status.CANCELLED
    assert send(agent, servers=server.url).message == ""
    for reply in replies:
        peer.publish(reply, b"late")
    assert agent.end_of(other).outcome.status is Status.SUCCEEDED


def test_a_confirmation_that_nobody_waits_for(agent: Agent, tmp_path: Path) -> None:
    """A PONG for a run that was cancelled is not taken for another run's."""
    with NatsServer(tmp_path / "server") as server:
        send(agent, servers=server.url)
        server.freeze()
        runs = [order_for({"servers": server.url, "wait": "60s"}) for _ in range(10)]
        agent.start(*runs)
        for run in runs:
            agent.await_began(run)
        agent.cancel(*runs[::2])
        assert {agent.end_of(run).outcome.status for run in runs[::2]} == {Status.CANCELLED}
        server.thaw()
        assert {agent.end_of(run).outcome.message for run in runs[1::2]} == {""}
        assert server.connections(1) == 1


def test_an_idle_host_ends(tmp_path: Path) -> None:
    """With it goes the memory that a run has cost; a kept connection does not hold it."""
    with NatsServer(tmp_path / "server") as server:
        host = Host("nats", tmp_path / "run", 0.3)
        try:
            agent = host.connect()
            run = order_for({"servers": server.url})
            assert agent.run(run).outcome.message == ""
            agent.confirm(run)
            assert host.await_exit() == 0
        finally:
            host.end()
