"""Connections that are kept, and what becomes of a request on one that is gone."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.contract.host_client import Agent, Host
from tocsin.execution import Status

from .asking import ask, asked
from .web import Web
from .wire import OK, Talk, Wire

DEADLINE_S = 30


class Fickle:
    """Answers the first request of its first connection, and ends that at the second."""

    def __init__(self, last_words: bytes = b"") -> None:
        self.heard: Counter[int] = Counter()
        self._last_words = last_words

    def __call__(self, talk: Talk) -> None:
        while talk.request():
            self.heard[talk.number] += 1
            if talk.number == 1 and self.heard[1] == 2:
                talk.say(self._last_words)
                return
            talk.say(OK)


def test_connections_are_kept(agent: Agent, web: Web) -> None:
    """Runs one after the other use the same one; two at a time have one each."""
    for _ in range(3):
        assert ask(agent, url=f"{web.url}/status/200").status is Status.SUCCEEDED
    assert len(set(web.ports)) == 1
    hanging = asked(url=f"{web.url}/hang/")
    agent.start(hanging)
    assert web.hanging.wait(DEADLINE_S)
    facts = ask(agent, url=f"{web.url}/status/200").facts
    assert "connect_ms" in facts
    assert len(set(web.ports)) == 2


def test_a_kept_connection_that_is_gone_fails_no_run(agent: Agent) -> None:
    """A request that may be sent twice is sent again, on a new connection."""
    fickle = Fickle()
    wire = Wire(fickle)
    try:
        for _ in range(2):
            assert ask(agent, url=wire.url).status is Status.SUCCEEDED
    finally:
        wire.close()
    assert fickle.heard == {1: 2, 2: 1}


def test_half_an_answer_is_not_asked_for_again(agent: Agent) -> None:
    """Once the server has begun to answer it has heard the request."""
    fickle = Fickle(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab")
    wire = Wire(fickle)
    try:
        assert ask(agent, url=wire.url).status is Status.SUCCEEDED
        assert "its answer is broken" in ask(agent, url=wire.url).message
    finally:
        wire.close()
    assert fickle.heard == {1: 2}


@pytest.mark.parametrize(
    ("block", "connections"),
    [
        ({"method": "POST", "body": "a"}, 3),
        ({"method": "PATCH", "body": "a"}, 3),
        ({"method": "BREW"}, 3),
        ({"method": "POST", "headers": {"Idempotency-Key": "{{ run.id }}"}}, 1),
        ({"method": "PUT", "body": "a"}, 1),
        ({"method": "DELETE"}, 1),
    ],
)
def test_what_must_not_be_sent_twice_gets_a_new_connection(
    agent: Agent, web: Web, block: dict[str, Any], connections: int
) -> None:
    """Nobody could tell whether its server has acted on it before it hung up."""
    for _ in range(3):
        outcome = ask(agent, url=f"{web.url}/status/200", **block)
        assert outcome.status is Status.SUCCEEDED
    assert len(set(web.ports)) == connections


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_new_connection_that_breaks_is_a_failure(agent: Agent, method: str) -> None:
    """The request is sent once, whatever it is: the job's retry decides about the next time."""
    heard: list[bytes] = []
    wire = Wire(lambda talk: heard.append(talk.request()))
    try:
        outcome = ask(agent, url=wire.url, method=method)
    finally:
        wire.close()
    assert outcome.message == (
        f"localhost:{wire.port}: its answer is broken: "
        "Server disconnected without sending a response."
    )
    assert len(heard) == 1


def test_a_cancel_closes_the_connection(agent: Agent, web: Web) -> None:
    """The server sees it at once, whatever the grace."""
    run = asked(url=f"{web.url}/hang/")
    agent.start(run)
    assert web.hanging.wait(DEADLINE_S)
    agent.cancel(run)
    assert agent.end_of(run).outcome.status is Status.CANCELLED
    assert web.hung_up.wait(DEADLINE_S)


def test_an_upload_that_nobody_takes_can_be_cancelled(
    agent: Agent, web: Web, tmp_path: Path
) -> None:
    """The facts say how far it came."""
    with (tmp_path / "large").open("wb") as file:
        file.truncate(64 << 20)
    run = asked(url=f"{web.url}/stuck", file=str(tmp_path / "large"))
    agent.start(run)
    assert web.hanging.wait(DEADLINE_S)
    agent.cancel(run)
    outcome = agent.end_of(run).outcome
    assert outcome.status is Status.CANCELLED
    assert 0 <= outcome.facts["sent_bytes"] < 64 << 20


def test_a_cancel_in_the_same_breath_leaves_nothing(
    agent: Agent, host: Host, web: Web, tmp_path: Path
) -> None:
    """Neither a file that is open, nor a connection."""
    (tmp_path / "data").write_bytes(b"x" * 1000)
    runs = [asked(url=f"{web.url}/count", file=str(tmp_path / "data")) for _ in range(50)]
    agent.start(*runs)
    agent.cancel(*runs)
    for run in runs:
        agent.end_of(run)
    assert ask(agent, url=f"{web.url}/status/200").status is Status.SUCCEEDED
    opened = [
        str(fd.readlink()) for fd in Path(f"/proc/{host.pid}/fd").iterdir() if fd.is_symlink()
    ]
    assert str(tmp_path / "data") not in opened


def test_a_server_that_is_gone_without_a_word_is_noticed(agent: Agent, web: Web) -> None:
    """The kernel asks it for a sign of life while nothing comes, see proc_net_tcp(5)."""
    run = asked(url=f"{web.url}/hang/")
    agent.start(run)
    assert web.hanging.wait(DEADLINE_S)
    (line,) = _connections_to(web)
    assert line.split()[5].startswith("02:")
    agent.cancel(run)
    agent.end_of(run)


def test_connections_of_runs_that_failed_are_not_kept(agent: Agent, web: Web) -> None:
    """Whatever is left on them."""
    for _ in range(3):
        run = asked(url=f"{web.url}/hang/")
        agent.start(run)
        assert web.hanging.wait(DEADLINE_S)
        web.hanging.clear()
        agent.cancel(run)
        agent.end_of(run)
    assert not _connections_to(web)


def _connections_to(web: Web) -> list[str]:
    """The lines about them, see proc_net_tcp(5)."""
    lines = Path("/proc/net/tcp").read_text().splitlines()
    there = f":{web.server_address[1]:04X}"
    return [line for line in lines if line.split()[2].endswith(there) and line.split()[3] == "01"]
