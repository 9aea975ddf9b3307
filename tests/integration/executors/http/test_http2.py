"""HTTP/2: spoken where the server does, and what becomes of a request when it breaks off."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.host_client import DEADLINE_S, Agent, Host
from tocsin.execution import Outcome, Status

from .asking import ask, asked, await_output
from .web import Web
from .web2 import LARGE_BYTES, Web2


@pytest.fixture
def web2(secured: ssl.SSLContext) -> Iterator[Web2]:
    """A server of HTTP/2."""
    made = Web2(secured)
    yield made
    made.close()


class Asker:
    """Asks a server of HTTP/2."""

    def __init__(self, agent: Agent, web2: Web2, files: dict[str, str]) -> None:
        self.block: dict[str, Any] = {**files, "http2": True}
        self._agent, self._url = agent, web2.url

    def __call__(self, path: str, **block: Any) -> Outcome:
        """Make a request."""
        return ask(self._agent, **self.block, url=f"{self._url}/{path}", **block)


@pytest.fixture
def ask2(agent: Agent, web2: Web2, files: dict[str, str]) -> Asker:
    """One that asks the server."""
    return Asker(agent, web2, files)


def test_the_version_is_a_fact(ask2: Asker, web2: Web2) -> None:
    """HTTP/2 is spoken, with the fields of the job, when it is asked for."""
    outcome = ask2("ok", json=[1], headers={"X-A": "b", "Host": "other.example"})
    assert outcome.status is Status.SUCCEEDED, outcome.message
    assert outcome.facts["version"] == "HTTP/2"
    assert outcome.facts.keys() >= {"status", "tls_ms", "first_byte_ms", "tls_expires"}
    assert web2.fields[":authority"] == "other.example"
    assert web2.fields["x-a"] == "b"


def test_it_is_not_spoken_unasked(agent: Agent, secure: Web, files: dict[str, str]) -> None:
    """And a server that does not speak it is asked in HTTP/1.1."""
    for http2 in (False, True):
        outcome = ask(agent, url=f"{secure.url}/status/200", http2=http2, **files)
        assert outcome.facts["version"] == "HTTP/1.1"


def test_many_at_a_time(agent: Agent, ask2: Asker, web2: Web2) -> None:
    """Each has a connection to itself, and these serve the next ones."""
    for _ in range(2):
        runs = [asked(**ask2.block, url=f"{web2.url}/large") for _ in range(20)]
        agent.start(*runs)
        for run in runs:
            outcome = agent.end_of(run).outcome
            assert (outcome.status, outcome.facts["bytes"]) == (Status.SUCCEEDED, LARGE_BYTES)
    assert web2.connections <= 20


def test_a_cancelled_run_holds_up_no_other(
    agent: Agent, host: Host, ask2: Asker, web2: Web2
) -> None:
    """The server sees the end of it at once."""
    run = asked(**ask2.block, url=f"{web2.url}/hang")
    agent.start(run)
    await_output(host, run, 6)
    agent.cancel(run)
    assert agent.end_of(run).outcome.status is Status.CANCELLED
    assert web2.gone.wait(DEADLINE_S)
    assert ask2("ok").status is Status.SUCCEEDED


@pytest.mark.parametrize(("size", "version"), [(60_000, "HTTP/2"), (1 << 20, "HTTP/1.1")])
def test_uploads(ask2: Asker, size: int, version: str) -> None:
    """What a server need not take at once goes by HTTP/1.1, where it may answer meanwhile."""
    outcome = ask2("ok", body="x" * size)
    assert outcome.status is Status.SUCCEEDED, outcome.message
    assert (outcome.facts["sent_bytes"], outcome.facts["version"]) == (size, version)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ["refuse-first", "away-first"])
def test_what_the_server_has_not_seen_is_sent_again(
    ask2: Asker, web2: Web2, path: str, method: str
) -> None:
    """It says so itself, so even what must not reach it twice may be sent."""
    outcome = ask2(path, method=method)
    assert outcome.status is Status.SUCCEEDED, outcome.message
    assert web2.requests == [(1, f"/{path}"), (2, f"/{path}")]


@pytest.mark.parametrize(
    ("path", "why", "times"),
    [
        ("refuse", "it broke the request off (REFUSED_STREAM)", 2),
        ("reset", "it broke the request off (INTERNAL_ERROR)", 1),
        ("reset-late", "it broke the request off (ENHANCE_YOUR_CALM)", 1),
        ("away", "it closed the connection before the answer was whole (INTERNAL_ERROR)", 1),
        ("away-late", "", 1),
        ("cut", "", 1),
    ],
)
def test_a_request_that_is_broken_off(
    ask2: Asker, web2: Web2, path: str, why: str, times: int
) -> None:
    """A failure that says how, and nothing is sent again that may have been acted on."""
    outcome = ask2(path, method="POST")
    assert outcome.status is Status.FAILED
    assert outcome.message.startswith(f"{web2.place}: {why}")
    assert len(web2.requests) == times


@pytest.mark.parametrize(("method", "connections"), [("GET", 2), ("POST", 3)])
def test_a_kept_connection_that_is_gone(
    ask2: Asker, web2: Web2, method: str, connections: int
) -> None:
    """It fails no run: what may be sent twice is, and the rest never uses one."""
    for _ in range(3):
        assert ask2("cut-first", method=method).status is Status.SUCCEEDED
    assert web2.connections == connections


def test_a_connection_that_is_at_its_end(ask2: Asker) -> None:
    """A server may end one with a request in hand, as nginx does at every thousandth."""
    for _ in range(7):
        outcome = ask2("last")
        assert outcome.status is Status.SUCCEEDED, outcome.message
