"""Where answers lead to, and what goes along."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.host_client import Agent, Host
from tocsin.execution import Status

from .asking import ask, told
from .web import Web

SECRETS = {"X-Api-Key": "hunter22", "Cookie": "a=hunter22", "Proxy-Authorization": "hunter22"}


@pytest.fixture
def other() -> Iterator[Web]:
    """Another server."""
    made = Web()
    yield made
    made.close()


def test_redirects(agent: Agent, web: Web) -> None:
    """They are followed up to a number, or not at all."""
    followed = ask(agent, url=f"{web.url}/redirect/3")
    assert followed.facts["redirects"] == 4
    assert followed.facts["url"] == f"{web.url}/echo"
    assert "too many redirects" in ask(agent, url=f"{web.url}/redirect/3", redirects=3).message
    assert "too many redirects" in ask(agent, url=f"{web.url}/redirect/99").message
    enough = ask(agent, url=f"{web.url}/redirect/3", redirects=4)
    assert enough.status is Status.SUCCEEDED
    none = ask(agent, url=f"{web.url}/redirect/3", redirects=False)
    assert none.facts["status"] == 302
    assert none.message == "status 302; expected 2xx"


def test_its_own_server_is_told_all(agent: Agent, host: Host, web: Web) -> None:
    """A redirect to the same host and port is the same request elsewhere."""
    block: dict[str, Any] = {"headers": SECRETS, "auth": {"bearer": "hunter22"}}
    ask(agent, url=f"{web.url}/to/307?/echo", json=[1], **block)
    shown = told(agent, host)
    assert (shown["method"], shown["body"]) == ("POST", "[1]")
    assert shown["headers"]["authorization"] == "Bearer hunter22"
    assert shown["headers"]["x-api-key"] == "hunter22"


def test_another_server_is_told_no_secrets(agent: Agent, host: Host, web: Web, other: Web) -> None:
    """Neither who asks, nor a cookie, nor any field of the job's own."""
    block: dict[str, Any] = {"headers": {**SECRETS, "Host": "x", "Accept": "text/html"}}
    auth = {"user": "a", "password": "hunter22"}
    outcome = ask(agent, url=f"{web.url}/to/302?{other.url}/echo", auth=auth, **block)
    assert outcome.status is Status.SUCCEEDED
    shown = told(agent, host)
    assert shown["headers"].keys() == {"host", "accept", "accept-encoding", "user-agent"}
    assert shown["headers"]["host"] == other.place
    assert shown["headers"]["accept"] == "text/html"
    assert "hunter22" not in str(shown)


@pytest.mark.parametrize(
    ("status", "method", "seen"),
    [
        (301, "POST", ("GET", "")),
        (302, "POST", ("GET", "")),
        (303, "POST", ("GET", "")),
        (303, "PUT", ("GET", "")),
        (302, "PUT", ("PUT", "abc")),
        (307, "POST", ("POST", "abc")),
        (308, "POST", ("POST", "abc")),
    ],
)
def test_what_becomes_of_the_method(
    agent: Agent, host: Host, web: Web, status: int, method: str, seen: tuple[str, str]
) -> None:
    """As RFC 9110 says, and as browsers do; the body goes with the method."""
    ask(agent, url=f"{web.url}/to/{status}?/echo", method=method, body="abc")
    shown = told(agent, host)
    assert (shown["method"], shown["body"]) == seen
    assert ("content-length" in shown["headers"]) is bool(seen[1])


def test_a_user_in_a_location_is_left_out(agent: Agent, host: Host, web: Web) -> None:
    """A server cannot make the job log in elsewhere, nor put a password on record."""
    outcome = ask(agent, url=f"{web.url}/to/302?http://u:hunter22@{web.place}/echo")
    assert outcome.facts["url"] == f"{web.url}/echo"
    assert "authorization" not in told(agent, host)["headers"]


@pytest.mark.parametrize("to", ["ftp://x/", "file:///etc/passwd", "http://[::1"])
def test_a_location_that_is_none(agent: Agent, web: Web, to: str) -> None:
    """The answer is broken, and the message says which server's."""
    outcome = ask(agent, url=f"{web.url}/to/302?{to}")
    assert outcome.message.startswith(f"{web.place}: its answer is broken: it redirects to ")


def test_a_file_is_sent_again(agent: Agent, host: Host, web: Web, tmp_path: Any) -> None:
    """From its beginning, to where the answer leads."""
    (tmp_path / "data").write_text("from a file")
    ask(agent, url=f"{web.url}/to/307?/echo", file=str(tmp_path / "data"))
    assert told(agent, host)["body"] == "from a file"


def test_cookies_end_with_their_answer(agent: Agent, host: Host, web: Web) -> None:
    """No other run, and no later request, is given one."""
    assert ask(agent, url=f"{web.url}/cookie").status is Status.SUCCEEDED
    ask(agent, url=f"{web.url}/echo")
    assert "cookie" not in told(agent, host)["headers"]
