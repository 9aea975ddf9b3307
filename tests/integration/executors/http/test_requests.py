"""What is asked, how, and what counts as a success."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.contract.host_client import Agent, Host
from tocsin.execution import Health, Status, check_config
from tocsin.executors.http import Http

from .asking import ask, asked, forget_peak, peak_memory_bytes, told, unchecked
from .web import Web

DEADLINE_S = 30


def test_a_success_has_its_facts(agent: Agent, host: Host, web: Web) -> None:
    """The body is the output; status, size and phases are facts."""
    run = asked(url=f"{web.url}/status/201")
    outcome = agent.run(run).outcome
    assert host.stdout(run) == b"this is 201"
    assert outcome.status is Status.SUCCEEDED
    assert outcome.message == ""
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
        ({"form": {"a": ["1", "2"]}}, {"body": "a=1&a=2"}),
        ({"query": {"a": ["1", "2"], "b": "x y&"}}, {"path": "/echo?z=0&a=1&a=2&b=x+y%26"}),
        ({"method": "head-ish"}, {"method": "HEAD-ISH", "body": ""}),
    ],
)
def test_what_is_sent(
    agent: Agent, host: Host, web: Web, block: dict[str, Any], seen: dict[str, str]
) -> None:
    """Method, query and body arrive as the block has them."""
    assert ask(agent, url=f"{web.url}/echo?z=0", **block).status is Status.SUCCEEDED
    shown = told(agent, host)
    assert {key: shown[key] for key in seen} == seen


def test_a_body_says_what_it_is(agent: Agent, host: Host, web: Web) -> None:
    """JSON and forms do; text and files are what the headers say."""
    ask(agent, url=f"{web.url}/echo", json={"a": 1})
    assert told(agent, host)["headers"]["content-type"] == "application/json"
    assert told(agent, host)["headers"]["content-length"] == "7"


def test_a_method_with_no_body_says_so(agent: Agent, host: Host, web: Web) -> None:
    """A server need not wait for one."""
    ask(agent, url=f"{web.url}/echo", method="post")
    assert told(agent, host)["headers"]["content-length"] == "0"


def test_any_character_may_stand_in_a_url(agent: Agent, host: Host, web: Web) -> None:
    """It arrives percent-encoded; what is so already stays."""
    ask(agent, url=f"{web.url}/ä b/%20?q=ü&r=%2F#part")
    assert told(agent, host)["path"] == "/%C3%A4%20b/%20?q=%C3%BC&r=%2F"


def test_a_placeholder_cannot_split_a_request(agent: Agent, web: Web) -> None:
    """A line break in a url or a header ends the attempt before anything is sent."""
    for block in (
        {"url": web.url + "/{{ param.x }}"},
        {"url": web.url, "headers": {"X-At": "{{ param.x }}"}},
        {"url": web.url, "auth": {"bearer": "{{ param.x }}"}},
    ):
        run = unchecked(block, env={"TOCSIN_PARAM_X": "a\r\nHost: b"})
        end = agent.run(run)
        assert end.began_us is None
        assert end.outcome.status is Status.FAILED
        assert "Host: b" not in end.outcome.message


def test_ipv6(agent: Agent) -> None:
    """A literal address is asked, and named with its brackets."""
    with socket.socket(socket.AF_INET6) as closed:
        closed.bind(("::1", 0))
        port = closed.getsockname()[1]
    assert ask(agent, url=f"http://[::1]:{port}/").message == f"[::1]:{port}: Connection refused"
    web = Web(address="::1")
    try:
        assert ask(agent, url=f"{web.url}/status/200").status is Status.SUCCEEDED
    finally:
        web.close()


def test_a_head_has_no_body(agent: Agent, web: Web) -> None:
    """However long the server says that it would be."""
    outcome = ask(agent, url=f"{web.url}/status/200", method="HEAD")
    assert outcome.status is Status.SUCCEEDED
    assert outcome.facts["bytes"] == 0


def test_header_fields_arrive_whole(agent: Agent, host: Host, web: Web) -> None:
    """Colons, commas and the Host field are taken as they are."""
    fields = {"X-At": "12:30, or http://x/y", "Host": "other.example", "X-Né".encode().hex(): " ü "}
    ask(agent, url=f"{web.url}/echo", headers=fields, auth={"user": "a", "password": "b:c"})
    shown = told(agent, host)["headers"]
    assert shown["x-at"] == "12:30, or http://x/y"
    assert shown["host"] == "other.example"
    assert shown["X-Né".encode().hex()].encode("latin-1").decode() == "ü"
    assert shown["authorization"] == "Basic YTpiOmM="


def test_a_file_is_sent_as_it_is(agent: Agent, host: Host, web: Web, tmp_path: Path) -> None:
    """And one that is missing is said to be, before anything is sent."""
    (tmp_path / "data").write_text("from a file")
    assert ask(agent, url=f"{web.url}/echo", file=str(tmp_path / "data")).status is Status.SUCCEEDED
    assert told(agent, host)["body"] == "from a file"
    os.mkfifo(tmp_path / "pipe")
    for path, why in (
        ("/no/such/file", "`file` /no/such/file: No such file or directory"),
        (str(tmp_path), f"`file` {tmp_path} is not a file"),
        (str(tmp_path / "pipe"), f"`file` {tmp_path}/pipe is not a file"),
    ):
        end = agent.run(unchecked({"url": f"{web.url}/echo", "file": path}))
        assert end.began_us is None
        assert end.outcome.message == why


def test_a_large_file_is_streamed(agent: Agent, host: Host, web: Web, tmp_path: Path) -> None:
    """Its length is said before, and it is never whole in memory."""
    size = 300 << 20
    with (tmp_path / "large").open("wb") as file:
        file.truncate(size)
    ask(agent, url=f"{web.url}/count", file=str(tmp_path / "large"), method="PUT")
    forget_peak(host.pid)
    before = peak_memory_bytes(host.pid)
    run = asked(url=f"{web.url}/count", file=str(tmp_path / "large"), method="PUT")
    assert agent.run(run).outcome.facts["sent_bytes"] == size
    assert host.stdout(run) == f"{size} of {size}".encode()
    assert peak_memory_bytes(host.pid) < before + (16 << 20)


def test_a_file_that_shrinks_is_said_to(agent: Agent, web: Web, tmp_path: Path) -> None:
    """What was announced can then not be sent."""
    path = tmp_path / "data"
    with path.open("wb") as file:
        file.truncate(64 << 20)
    run = asked(url=f"{web.url}/stuck", file=str(path))
    agent.start(run)
    assert web.hanging.wait(DEADLINE_S)
    os.truncate(path, 1 << 20)
    web.go_on.set()
    outcome = agent.end_of(run).outcome
    assert outcome.message == f"{web.place}: the file became shorter while it was sent"


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


@pytest.mark.parametrize("path", ["cut/", "garbage/"])
def test_a_broken_answer_is_a_failure(agent: Agent, web: Web, path: str) -> None:
    """It names the server, and the host goes on."""
    outcome = ask(agent, url=f"{web.url}/{path}")
    assert outcome.status is Status.FAILED
    assert outcome.message.startswith(f"{web.url.removeprefix('http://')}: its answer is broken")
    assert ask(agent, url=f"{web.url}/status/200").status is Status.SUCCEEDED


def test_nobody_listens(agent: Agent) -> None:
    """Host, port and reason are said; nothing of the credentials is."""
    outcome = ask(agent, url="http://127.0.0.1:1/?token=hunter22", auth={"bearer": "hunter22"})
    assert outcome.message == "127.0.0.1:1: Connection refused"
    unknown = ask(agent, url="http://no-such-host.invalid/")
    assert unknown.message.startswith("no-such-host.invalid:80: its name ")


@pytest.mark.parametrize(
    "url",
    ["http://localhost:99999/", "http://localhost:0/", "http:///x", "http://x:y/", "http://[zz]/",
     "http://" + 70 * "é" + ".example/", "http://xn--zz/"],
)  # fmt: skip
def test_a_url_that_is_none(agent: Agent, url: str) -> None:
    """Nothing is begun; the message says what is wrong with it."""
    end = agent.run(unchecked({"url": url}))
    assert end.began_us is None
    assert end.outcome.message.startswith("cannot be asked: ")


@pytest.mark.parametrize("name", ["a..b", ".x", "1.2.3.4.5", "-", "x" * 64, "a." * 200 + "b"])
def test_a_name_that_is_none(agent: Agent, name: str) -> None:
    """It is looked up, and the message says that there is none."""
    assert ask(agent, url=f"http://{name}/").message.startswith(f"{name}:80: its name "[:499])


def test_a_timeout(agent: Agent, web: Web) -> None:
    """An answer that does not come in time is a timeout."""
    run = unchecked({"url": f"{web.url}/hang/"}, timeout_s=0.3)
    assert agent.run(run).outcome.status is Status.TIMED_OUT


@pytest.mark.parametrize(
    ("block", "says"),
    [
        ({"url": "ftp://x"}, "must begin with http"),
        ({"url": "http://u:p@x"}, "holds a user; give `auth`"),
        ({"method": "connect"}, "opens a tunnel"),
        ({"method": "G T"}, "method"),
        ({"headers": "X: 1"}, "headers"),
        ({"headers": {"Content-Length": "3"}}, "follows from what is sent"),
        ({"headers": {"a": "b\x00"}}, "control character"),
        ({"proxy": "proxy:3128"}, "`proxy` must begin with"),
        ({"proxy": "socks5://x"}, "`proxy` must begin with"),
        ({"proxy": "http://u:p@x"}, "give `proxy: {url, user, password}`"),
        ({"proxy": {"url": "http://u:p@x"}}, "give `user` and `password`"),
        ({"proxy": {"url": "http://x", "password": "p"}}, "without `user`"),
        ({"auth": {"user": "a:b"}}, "holds a colon"),
        ({"body": "a", "form": {}}, "only one of them"),
        ({"key": "/k"}, "without `cert`"),
        ({"headers": {"a:b": "c"}}, "cannot name a header"),
        ({"headers": {"a": "b\r\nc"}}, "line break"),
        ({"auth": {}}, "must be given"),
        ({"expect": "1200"}, "is none"),
        ({"expect": "299-200"}, "is none"),
        ({"expect": {"body": "("}}, "no regular expression"),
        ({"redirects": -1}, ">= 0"),
    ],
)
def test_a_wrong_block_is_refused_at_apply(block: dict[str, Any], says: str) -> None:
    """With words that say what is wrong."""
    with pytest.raises(msgspec.ValidationError, match=says):
        check_config(Http, {"url": "http://x", **block})


def test_health_names_the_libraries() -> None:
    """They are there, and their versions are known."""

    async def look() -> list[Health]:
        return [health async for health in Http().health()]

    (health,) = asyncio.run(look())
    assert health.available
    assert health.facts.keys() == {"httpx", "h2"}
