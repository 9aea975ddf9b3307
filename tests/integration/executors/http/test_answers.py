"""What comes back: streamed, unpacked, bounded, and sometimes broken."""

from __future__ import annotations

import asyncio
import errno
import gzip
import os
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from tests.contract.host_client import DEADLINE_S, Agent, Host
from tocsin.execution import Order, Outcome, Status
from tocsin.executors.http.config import HttpConfig
from tocsin.executors.http.connections import Connections
from tocsin.executors.http.exchange import Exchange
from tocsin.executors.output_files import OutputFiles
from tocsin.output_plan import FREE_SLACK_BYTES

from .asking import ask, asked, await_output, forget_peak, peak_memory_bytes
from .web import Web
from .wire import OK, Talk, Wire

Serve = Callable[[Callable[[Talk], None]], Wire]
TEXT = b"the answer, again and again; " * 1000


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server that talks as a function says."""
    wires: list[Wire] = []

    def start(script: Callable[[Talk], None]) -> Wire:
        wires.append(Wire(script))
        return wires[-1]

    yield start
    for wire in wires:
        wire.close()


def once(data: bytes) -> Callable[[Talk], None]:
    """Answer the first request with these bytes, and hang up."""

    def script(talk: Talk) -> None:
        talk.request()
        talk.say(data)

    return script


def packed_as(packed: bytes, coding: str) -> Callable[[Talk], None]:
    """Answer each request with this body in this coding."""

    def script(talk: Talk) -> None:
        while talk.request():
            talk.answer(packed, f"content-encoding: {coding}")

    return script


def output_of(agent: Agent, host: Host, run: Order) -> bytes:
    """Make a request that succeeds; its output."""
    outcome = agent.run(run).outcome
    assert outcome.status is Status.SUCCEEDED, outcome.message
    assert outcome.facts["bytes"] == len(host.stdout(run))
    return host.stdout(run)


def test_output_comes_as_the_answer_does(agent: Agent, host: Host, web: Web) -> None:
    """A few bytes are in the output while the rest is not there yet."""
    run = asked(url=f"{web.url}/hang/")
    agent.start(run)
    await_output(host, run, 6)
    assert host.stdout(run) == b"first\n"
    assert run.key not in agent.ended
    agent.cancel(run)
    outcome = agent.end_of(run).outcome
    assert outcome.status is Status.CANCELLED
    assert outcome.facts["bytes"] == 6


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("gzip", gzip.compress(TEXT)),
        ("x-gzip", gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:])),
        ("GZIP", gzip.compress(TEXT) + bytes(512)),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", zlib.compress(TEXT)[2:-4]),
        ("identity", TEXT),
        ("br", TEXT),
        ("gzip, gzip", TEXT),
    ],
)
def test_packed_answers(agent: Agent, host: Host, serve: Serve, coding: str, packed: bytes) -> None:
    """What was asked for is unpacked; anything else stays as it came."""
    wire = serve(packed_as(packed, coding))
    assert output_of(agent, host, asked(url=wire.url)) == TEXT


def test_an_empty_answer_that_is_said_to_be_packed(agent: Agent, host: Host, serve: Serve) -> None:
    """Nothing is missing from it."""
    wire = serve(packed_as(b"", "gzip"))
    assert output_of(agent, host, asked(url=wire.url)) == b""


@pytest.mark.parametrize(
    ("packed", "why"),
    [
        (gzip.compress(TEXT)[:-20], "what it packed ends too early"),
        (b"\x1f\x8b\x08\x00 nonsense", "what it packed is damaged"),
        (b"no gzip", "what it packed is damaged"),
    ],
)
def test_packed_answers_that_are_broken(
    agent: Agent, serve: Serve, packed: bytes, why: str
) -> None:
    """They are failures, and the message says why."""
    wire = serve(packed_as(packed, "gzip"))
    outcome = ask(agent, url=wire.url)
    assert outcome.status is Status.FAILED
    assert outcome.message == f"localhost:{wire.port}: its answer is broken: {why}"


def test_a_bomb(agent: Agent, host: Host, serve: Serve) -> None:
    """What unpacks to a thousand times its size fills neither memory nor disk."""
    size = 256 << 20
    packer = zlib.compressobj(9)
    packed = b"".join(
        [*(packer.compress(bytes(1 << 20)) for _ in range(size >> 20)), packer.flush()]
    )
    wire = serve(packed_as(packed, "deflate"))
    run = asked(url=wire.url)
    ask(agent, url=wire.url.replace("localhost", "127.0.0.1"), expect=200, method="HEAD")
    forget_peak(host.pid)
    before = peak_memory_bytes(host.pid)
    outcome = agent.run(run).outcome
    assert (outcome.status, outcome.facts["bytes"]) == (Status.SUCCEEDED, size)
    assert peak_memory_bytes(host.pid) < before + (16 << 20)
    allocated = (host.out / f"{run.key}.out").stat().st_blocks * 512
    assert allocated <= run.keep_bytes + FREE_SLACK_BYTES + (1 << 20)


def test_an_answer_without_an_end(agent: Agent, host: Host, serve: Serve) -> None:
    """It goes on until somebody ends it, and fills no disk meanwhile."""

    def script(talk: Talk) -> None:
        talk.request()
        talk.say(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            talk.say(bytes(1 << 20))

    run = asked(url=serve(script).url)
    agent.start(run)
    await_output(host, run, 64 << 20)
    allocated = (host.out / f"{run.key}.out").stat().st_blocks * 512
    assert allocated <= run.keep_bytes + FREE_SLACK_BYTES + (1 << 20)
    agent.cancel(run)
    assert agent.end_of(run).outcome.status is Status.CANCELLED


def test_a_large_body_is_streamed(agent: Agent, host: Host, web: Web) -> None:
    """Every byte arrives."""
    size = 64 << 20
    run = asked(url=f"{web.url}/large/{size}")
    assert agent.run(run).outcome.facts["bytes"] == size
    assert (host.out / f"{run.key}.out").stat().st_size == size


def test_an_answer_that_drips_can_be_ended(agent: Agent, serve: Serve) -> None:
    """A head that never ends holds nothing up: neither a cancel nor a timeout."""
    dripped, gone = threading.Event(), threading.Event()

    def script(talk: Talk) -> None:
        talk.request()
        for byte in b"HTTP/1.1 200 OK\r\nx: ":
            talk.say(bytes([byte]))
        dripped.set()
        talk.await_gone()
        gone.set()

    url = serve(script).url
    run = asked(url=url)
    agent.start(run)
    assert dripped.wait(DEADLINE_S)
    agent.cancel(run)
    assert agent.end_of(run).outcome.status is Status.CANCELLED
    assert gone.wait(DEADLINE_S)
    late = msgspec.structs.replace(asked(url=url), timeout_s=0.2)
    assert agent.run(late).outcome.status is Status.TIMED_OUT


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" * 3,
        b"",
    ],
)
def test_heads_before_the_answer(agent: Agent, host: Host, serve: Serve, head: bytes) -> None:
    """They are no answer, and pass by."""
    assert output_of(agent, host, asked(url=serve(once(head + OK)).url)) == b"ok"


def test_chunks_and_trailers(agent: Agent, host: Host, serve: Serve) -> None:
    """Extensions and trailers are no part of the body."""
    body = b"3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nx-sum: 1\r\nx-more: 2\r\n\r\n"
    wire = serve(once(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + body))
    assert output_of(agent, host, asked(url=wire.url)) == b"abcde"


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nA\r\nonly",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nnonsense\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\nno trailer\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"x" * 200_000 + b"\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"this is not HTTP\r\n\r\n",
        b"HTTP/1.1 200",
        b"\xff" * 1000,
    ],
)
def test_a_broken_answer_is_a_failure(agent: Agent, serve: Serve, data: bytes) -> None:
    """It names the server, and the host goes on."""
    wire = serve(once(data))
    outcome = ask(agent, url=wire.url, method="POST")
    assert outcome.status is Status.FAILED
    assert outcome.message.startswith(f"localhost:{wire.port}: its answer is broken: ")
    assert outcome.facts["total_ms"] >= 0
    good = serve(once(OK))
    assert ask(agent, url=good.url).status is Status.SUCCEEDED


def test_an_answer_that_changes_the_protocol(agent: Agent, serve: Serve) -> None:
    """It was not asked to."""
    wire = serve(once(b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nraw"))
    assert "its answer is broken" in ask(agent, url=wire.url).message


def test_a_server_that_waits_for_nothing(agent: Agent, serve: Serve) -> None:
    """It answers before it has the body, and hangs up: its answer counts."""

    def script(talk: Talk) -> None:
        talk.say(b"HTTP/1.1 413 Too Large\r\nconnection: close\r\ncontent-length: 3\r\n\r\nbig")
        talk.request()

    outcome = ask(agent, url=serve(script).url, body="x" * (1 << 20))
    assert outcome.message == "status 413; expected 2xx"


def test_expectations_look_at_the_unpacked_body(agent: Agent, serve: Serve) -> None:
    """Paths and patterns are for what the server meant."""
    packed = gzip.compress(b'{"state": "ok"}')
    wire = serve(packed_as(packed, "gzip"))
    assert ask(agent, url=wire.url, expect={"json": {"state": "ok"}}).status is Status.SUCCEEDED


def test_who_must_wait_is_told_so(agent: Agent, web: Web) -> None:
    """Seconds, or a date, become a fact that the retry heeds."""
    for asks, least, most in (
        ("7", 7, 7),
        ("Fri, 31 Dec 2100 23:59:59 GMT", 1e9, 1e10),
        ("Fri, 31 Dec 2100 23:59:59 -0000", 1e9, 1e10),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 0, 0),
    ):
        facts = ask(agent, url=f"{web.url}/busy/{asks}").facts
        assert least <= facts["retry_after_s"] <= most
    assert "retry_after_s" not in ask(agent, url=f"{web.url}/busy/soon").facts


class FullDisk(OutputFiles):
    """A sink on a disk that is full."""

    def write(self, data: bytes, *, stderr: bool = False) -> None:
        del data, stderr
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_an_answer_that_cannot_be_kept(web: Web, tmp_path: Path) -> None:
    """It is no fault of the server's, and the message does not say so."""

    async def run() -> Outcome:
        config = HttpConfig(url=f"{web.url}/status/200")
        full = FullDisk(str(tmp_path / "R.1"), 1000)
        return await Exchange(Connections(), config, full, has_secrets=False).wait()

    outcome = asyncio.run(run())
    assert outcome.status is Status.FAILED
    assert outcome.message == "its answer cannot be kept: No space left on device"
