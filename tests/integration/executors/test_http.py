"""The http executor's host against real servers."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trustme

from tests.contract.host_client import Agent, Host, order
from tocsin.execution import Outcome, Status, check_config
from tocsin.executors.http import Http

from .web import Web

DEADLINE_S = 30


@pytest.fixture
def web() -> Iterator[Web]:
    """A server without TLS."""
    made = Web()
    yield made
    made.close()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Who signs the certificates."""
    return trustme.CA()


@pytest.fixture
def files(authority: trustme.CA, tmp_path: Path) -> dict[str, str]:
    """Paths of the authority and of a client's certificate."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    client = authority.issue_cert("client@example.org")
    client.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "client.pem"))
    return {"ca": str(tmp_path / "ca.pem"), "cert": str(tmp_path / "client.pem")}


@pytest.fixture
def secure(authority: trustme.CA) -> Iterator[Web]:
    """A server with TLS that wants a client's certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    made = Web(context)
    yield made
    made.close()


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """A host of the executor."""
    made = Host("http", tmp_path / "run", 600)
    yield made
    made.end()


@pytest.fixture
def agent(host: Host) -> Agent:
    """Its agent."""
    return host.connect()


def ask(agent: Agent, run: str = "R", **block: Any) -> Outcome:
    """Make a request, as its block says after the check at apply."""
    return agent.run(order("http", run, check_config(Http, block))).outcome


def told(host: Host) -> Any:
    """What the echoing server saw."""
    (file,) = host.out.glob("*.out")
    return json.loads(file.read_bytes())


def test_a_success_has_its_facts(agent: Agent, host: Host, web: Web) -> None:
    """The body is the output; status, size and phases are facts."""
    outcome = ask(agent, url=f"{web.url}/status/201")
    assert outcome.status is Status.SUCCEEDED
    assert outcome.message == ""
    (file,) = host.out.glob("*.out")
    assert file.read_bytes() == b"this is 201"
    assert outcome.facts["status"] == 201
    assert outcome.facts["bytes"] == 11
    assert outcome.facts["version"] == "HTTP/1.1"
    assert {"connect_ms", "first_byte_ms", "total_ms"} <= outcome.facts.keys()


@pytest.mark.parametrize(
    ("block", "seen"),
    [
        ({}, {"method": "GET", "body": ""}),
        ({"body": "héllo"}, {"method": "POST", "body": "héllo"}),
        ({"json": {"a": [1]}, "method": "put"}, {"method": "PUT", "body": '{"a":[1]}'}),
        ({"form": {"a": "1 2", "b": "&"}}, {"method": "POST", "body": "a=1+2&b=%26"}),
        ({"query": {"a": ["1", "2"], "b": "x y"}}, {"path": "/echo?z=0&a=1&a=2&b=x+y"}),
    ],
)
def test_what_is_sent(
    agent: Agent, host: Host, web: Web, block: dict[str, Any], seen: dict[str, str]
) -> None:
    """Method, query and body arrive as the block has them."""
    assert ask(agent, url=f"{web.url}/echo?z=0", **block).status is Status.SUCCEEDED
    shown = told(host)
    assert {key: shown[key].replace("%20", "+").replace('": [', '":[') for key in seen} == seen


def test_header_fields_arrive_whole(agent: Agent, host: Host, web: Web) -> None:
    """Colons, commas and the Host field are taken as they are."""
    fields = {"X-At": "12:30, or http://x/y", "Host": "other.example"}
    ask(agent, url=f"{web.url}/echo", headers=fields, auth={"user": "a", "password": "b:c"})
    shown = told(host)["headers"]
    assert shown["x-at"] == "12:30, or http://x/y"
    assert shown["host"] == "other.example"
    assert shown["authorization"] == "Basic YTpiOmM="


def test_a_file_is_sent_as_it_is(agent: Agent, host: Host, web: Web, tmp_path: Path) -> None:
    """And one that is missing is said to be, before anything is sent."""
    (tmp_path / "data").write_text("from a file")
    assert ask(agent, url=f"{web.url}/echo", file=str(tmp_path / "data")).status is Status.SUCCEEDED
    assert told(host)["body"] == "from a file"
    outcome = ask(agent, "S", url=f"{web.url}/echo", file="/no/such/file")
    assert outcome.message == "`file` /no/such/file: No such file or directory"


@pytest.mark.parametrize(
    ("path", "expect", "message"),
    [
        ("status/500", "2xx", "status 500; expected 2xx"),
        ("status/404", [200, "4xx"], ""),
        ("status/204", {"status": "200-203"}, "status 204; expected 200-203"),
        ("status/200", {"body": "^this is \\d+$"}, ""),
        ("status/200", {"body": "that"}, "the output does not match that"),
        ("echo", {"json": {"method": "GET"}}, ""),
        ("echo", {"json": {"method": "PUT"}}, 'method is "GET"; expected "PUT"'),
        ("busy/7", "2xx", "status 503; expected 2xx; the server asks to wait 7 s"),
    ],
)
def test_what_counts_as_a_success(
    agent: Agent, web: Web, path: str, expect: Any, message: str
) -> None:
    """Status and body decide, and a failure says what was seen."""
    outcome = ask(agent, url=f"{web.url}/{path}", expect=expect)
    assert outcome.message == message
    assert outcome.status is (Status.FAILED if message else Status.SUCCEEDED)


def test_redirects(agent: Agent, web: Web) -> None:
    """They are followed up to a number, or not at all."""
    followed = ask(agent, "R", url=f"{web.url}/redirect/3")
    assert followed.facts["redirects"] == 4
    assert followed.facts["url"] == f"{web.url}/echo"
    assert "too many redirects" in ask(agent, "S", url=f"{web.url}/redirect/3", redirects=2).message
    assert ask(agent, "T", url=f"{web.url}/redirect/3", redirects=False).facts["status"] == 302


def test_a_large_body_is_streamed(agent: Agent, host: Host, web: Web) -> None:
    """Every byte arrives."""
    size = 64 << 20
    assert ask(agent, url=f"{web.url}/large/{size}").facts["bytes"] == size
    (file,) = host.out.glob("*.out")
    assert file.stat().st_size == size


@pytest.mark.parametrize("path", ["cut/", "garbage/"])
def test_a_broken_answer_is_a_failure(agent: Agent, web: Web, path: str) -> None:
    """It names the server, and the host goes on."""
    outcome = ask(agent, url=f"{web.url}/{path}")
    assert outcome.status is Status.FAILED
    assert outcome.message.startswith(f"{web.url.removeprefix('http://')}: its answer is broken")
    assert ask(agent, "S", url=f"{web.url}/status/200").status is Status.SUCCEEDED


def test_nobody_listens(agent: Agent) -> None:
    """Host, port and reason are said; nothing of the credentials is."""
    outcome = ask(agent, url="http://127.0.0.1:1/?token=hunter22", auth={"bearer": "hunter22"})
    assert outcome.message == "127.0.0.1:1: Connection refused"
    unknown = ask(agent, "S", url="http://no-such-host.invalid/")
    assert unknown.message == "no-such-host.invalid:80: its name is not known"


def test_mutual_tls(agent: Agent, secure: Web, files: dict[str, str]) -> None:
    """Both sides show a certificate; the server's end is a fact."""
    outcome = ask(agent, url=f"{secure.url}/status/200", **files)
    assert outcome.message == ""
    assert outcome.facts["tls_expires"].endswith("Z")
    assert outcome.facts["tls_ms"] >= 0


def test_an_unknown_authority(agent: Agent, secure: Web, files: dict[str, str]) -> None:
    """A certificate that is not trusted ends the request, unless nobody is to look at it."""
    url = f"{secure.url}/status/200"
    distrusted = ask(agent, "R", url=url, cert=files["cert"])
    assert "its certificate is not trusted" in distrusted.message
    taken = ask(agent, "S", url=url, cert=files["cert"], verify=False)
    assert taken.status is Status.SUCCEEDED


def test_no_client_certificate(agent: Agent, secure: Web, files: dict[str, str]) -> None:
    """A server that wants one refuses, and the failure names it."""
    outcome = ask(agent, url=f"{secure.url}/status/200", ca=files["ca"])
    assert outcome.status is Status.FAILED
    assert outcome.message.startswith(secure.url.removeprefix("https://"))


@pytest.mark.parametrize("key", ["ca", "cert"])
def test_a_certificate_that_is_none(agent: Agent, web: Web, tmp_path: Path, key: str) -> None:
    """It fails the run before anything is sent."""
    (tmp_path / "bad.pem").write_text("no PEM")
    for n, path in enumerate((tmp_path / "bad.pem", tmp_path / "missing.pem")):
        end = agent.run(order("http", f"R{n}", {"url": web.url, key: str(path)}))
        assert end.began_us is None
        assert end.outcome.message.startswith(f"`{key}` {path}: ")


def test_a_cancel_closes_the_connection(agent: Agent, web: Web) -> None:
    """The server sees it at once, whatever the grace."""
    run = order("http", "R", {"url": f"{web.url}/hang/"}, kill_after_s=3600.0)
    agent.start(run)
    agent.await_began(run)
    assert web.hanging.wait(DEADLINE_S)
    agent.cancel(run)
    assert agent.end_of(run).outcome.status is Status.CANCELLED
    assert web.hung_up.wait(DEADLINE_S)


def test_a_timeout(agent: Agent, web: Web) -> None:
    """An answer that does not come in time is a timeout."""
    run = order("http", "R", {"url": f"{web.url}/hang/"}, timeout_s=0.3)
    assert agent.run(run).outcome.status is Status.TIMED_OUT


@pytest.mark.parametrize(
    ("block", "says"),
    [
        ({"url": "ftp://x"}, "must begin with http"),
        ({"url": "http://u:p@x"}, "holds a user"),
        ({"body": "a", "form": {}}, "only one of them"),
        ({"key": "/k"}, "without `cert`"),
        ({"headers": {"a:b": "c"}}, "cannot name a header"),
        ({"headers": {"a": "b\r\nc"}}, "line break"),
        ({"auth": {}}, "must be given"),
        ({"expect": "1200"}, "is none"),
        ({"expect": {"body": "("}}, "no regular expression"),
        ({"redirects": -1}, ">= 0"),
    ],
)
def test_a_wrong_block_is_refused_at_apply(block: dict[str, Any], says: str) -> None:
    """With words that say what is wrong."""
    with pytest.raises(msgspec.ValidationError, match=says):
        check_config(Http, {"url": "http://x", **block})
