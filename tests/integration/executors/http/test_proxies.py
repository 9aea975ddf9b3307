"""Requests that go through a proxy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contract.host_client import Agent, Host
from tocsin.execution import Status

from .asking import ask, unchecked
from .proxy import Proxy
from .web import Web

PASSWORD = "hunter22:%/@"


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """A proxy for everybody."""
    made = Proxy()
    yield made
    made.close()


@pytest.fixture
def guarded() -> Iterator[Proxy]:
    """A proxy that asks for a password."""
    made = Proxy("ann", PASSWORD)
    yield made
    made.close()


@pytest.fixture
def boot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., tuple[Host, Agent]]]:
    """Start a host with an environment of its own."""
    hosts: list[Host] = []

    def start(**environ: str) -> tuple[Host, Agent]:
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        hosts.append(Host("http", tmp_path / "run", 600))
        return hosts[-1], hosts[-1].connect()

    yield start
    for host in hosts:
        host.end()


def test_http_is_forwarded_and_https_tunnelled(
    agent: Agent, proxy: Proxy, web: Web, secure: Web, files: dict[str, str]
) -> None:
    """The proxy sees the whole url of the one, and no more than the place of the other."""
    assert ask(agent, url=f"{web.url}/status/200", proxy=proxy.url).status is Status.SUCCEEDED
    outcome = ask(agent, url=f"{secure.url}/status/200", proxy=proxy.url, **files)
    assert outcome.status is Status.SUCCEEDED, outcome.message
    assert outcome.facts.keys() >= {"connect_ms", "tls_ms", "tls_expires"}
    assert proxy.asked == [
        f"GET {web.url}/status/200 HTTP/1.1",
        f"CONNECT {secure.place} HTTP/1.1",
    ]


def test_http2_through_a_tunnel(
    agent: Agent, proxy: Proxy, secure: Web, files: dict[str, str]
) -> None:
    """It is asked for inside; this server speaks HTTP/1.1 alone."""
    block = {"url": f"{secure.url}/status/200", "proxy": proxy.url, "http2": True}
    assert ask(agent, **block, **files).facts["version"] == "HTTP/1.1"


def test_a_password_is_a_secret(
    boot: Callable[..., tuple[Host, Agent]],
    tmp_path: Path,
    guarded: Proxy,
    web: Web,
    secure: Web,
    files: dict[str, str],
) -> None:
    """Of any characters; it is neither in the output nor on record, nor in the host's log."""
    (tmp_path / "pw").write_text(PASSWORD)
    (tmp_path / "pw").chmod(0o600)
    host, agent = boot(TOCSIN_SECRETS=str(tmp_path))
    proxy = {"url": guarded.url, "user": "ann", "password": "{{ secret.PW }}"}
    for url in (f"{web.url}/echo", f"{secure.url}/status/200"):
        run = unchecked({"url": url, "proxy": proxy, **files}, secrets={"PW": "pw"})
        outcome = agent.run(run).outcome
        assert outcome.status is Status.SUCCEEDED, outcome.message
        assert PASSWORD not in f"{outcome} {host.stdout(run)!r} {host.log()}"


@pytest.mark.parametrize("password", ["", "wrong-password"])
def test_a_proxy_that_lets_nobody_in(
    agent: Agent, guarded: Proxy, web: Web, secure: Web, files: dict[str, str], password: str
) -> None:
    """It is named as what refused, and what was tried is not."""
    proxy = {"url": guarded.url, **({"user": "ann", "password": password} if password else {})}
    tunnelled = ask(agent, url=f"{secure.url}/status/200", proxy=proxy, **files)
    port = guarded.port
    assert tunnelled.message == f"proxy localhost:{port}: 407 Proxy Authentication Required"
    forwarded = ask(agent, url=f"{web.url}/status/200", proxy=proxy)
    assert forwarded.message == "status 407; expected 2xx"


def test_a_proxy_that_is_not_there(agent: Agent, web: Web) -> None:
    """The message names it, and not the server behind it."""
    outcome = ask(agent, url=web.url, proxy="http://127.0.0.1:1")
    assert outcome.message == "proxy 127.0.0.1:1: Connection refused"


def test_a_server_behind_a_proxy(agent: Agent, proxy: Proxy, web: Web) -> None:
    """What is wrong with it is said of it."""
    url = f"https://{web.place}/"
    assert ask(agent, url=url, proxy=proxy.url).message.startswith(f"{web.place}: TLS: ")


def test_the_environment_names_one(
    boot: Callable[..., tuple[Host, Agent]], proxy: Proxy, web: Web
) -> None:
    """A job that says `env` uses it, save where the environment says otherwise."""
    environ = {"http_proxy": f"localhost:{proxy.port}", "NO_PROXY": "127.0.0.1,.example.org"}
    _, agent = boot(**environ)
    url = f"{web.url}/status/200"
    assert ask(agent, url=url).status is Status.SUCCEEDED
    assert proxy.asked == []
    assert ask(agent, url=url, proxy="env").status is Status.SUCCEEDED
    assert len(proxy.asked) == 1
    spared = ask(agent, url=url.replace("localhost", "127.0.0.1"), proxy="env")
    assert spared.status is Status.SUCCEEDED
    assert len(proxy.asked) == 1


def test_the_environment_may_name_who_comes(
    boot: Callable[..., tuple[Host, Agent]], guarded: Proxy, web: Web
) -> None:
    """In the way that all programs read it, percent-encoded."""
    password = "hunter22%3A%25%2F%40"
    _, agent = boot(ALL_PROXY=f"http://ann:{password}@localhost:{guarded.port}")
    assert ask(agent, url=f"{web.url}/status/200", proxy="env").status is Status.SUCCEEDED


def test_an_environment_that_names_none(boot: Callable[..., tuple[Host, Agent]], web: Web) -> None:
    """Nothing is sent; its value, in which a password may be, is not shown."""
    host, agent = boot(http_proxy="socks5://ann:hunter22@x")
    end = agent.run(unchecked({"url": web.url, "proxy": "env"}))
    assert end.began_us is None
    assert end.outcome.message == (
        "http_proxy in the agent's environment is no url of a proxy; write http://HOST:PORT"
    )
    assert "hunter22" not in host.log()
