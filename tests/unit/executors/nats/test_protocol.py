"""Bytes from a server, in pieces of any size."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.errors import ProtocolError
from tocsin.executors.nats.answers import fault_of, read_ack
from tocsin.executors.nats.protocol import (
    Event,
    Message,
    Parser,
    Refusal,
    ServerInfo,
    Sign,
    decode_headers,
    encode_headers,
    encode_publish,
)

STREAM = (
    b'INFO {"version":"2.9.10","max_payload":99,"nonce":"x","unknown":[1]}\r\n'
    b"PING\r\n+OK\r\nMSG a.b 1 5\r\nhe\r\no\r\nMSG a.b 1 reply.to 0\r\n\r\n"
    b"HMSG a 1 33 35\r\nNATS/1.0\r\nA: 1\r\nA:2\r\nB:  x y \r\n\r\nhi\r\n"
    b"HMSG a 1 reply 16 16\r\nNATS/1.0 503\r\n\r\n\r\n-ERR 'Some Trouble'\r\npong\r\n"
)
EVENTS = [
    ServerInfo(version="2.9.10", max_payload=99, nonce="x"),
    Sign.PING,
    Message("a.b", "", {}, b"he\r\no"),
    Message("a.b", "", {}, b""),
    Message("a", "", {"A": ["1", "2"], "B": ["x y"]}, b"hi"),
    Message("a", "503", {}, b""),
    Refusal("Some Trouble"),
    Sign.PONG,
]


@given(st.lists(st.integers(0, len(STREAM))))
def test_pieces_do_not_matter(cuts: list[int]) -> None:
    """The events are the same however the bytes come."""
    parser = Parser()
    events: list[Event] = []
    for start, end in pairwise(sorted({0, len(STREAM), *cuts})):
        events += parser.feed(STREAM[start:end])
    assert events == EVENTS
    assert parser.is_between


@given(st.binary(max_size=200))
def test_anything_may_come(data: bytes) -> None:
    """Bytes make events, or are refused in one line; nothing else."""
    said = ""
    try:
        list(Parser().feed(data + b"\r\n"))
    except ProtocolError as error:
        said = error.message
    assert "\n" not in said
    assert len(said) < 300


@pytest.mark.parametrize(
    "line",
    [
        b"MSG a 1 -1", b"MSG a 1 99999999999", b"MSG a 1", b"HMSG a 1 9 8", b"HMSG a 1 1",
        b"INFO", b"INFO []", b'INFO {"max_payload": "1"}', b"", b"HELLO", b"MSG a 1 " + b"9" * 5000,
    ],
)  # fmt: skip
def test_what_no_server_says(line: bytes) -> None:
    """It is refused, and shown."""
    with pytest.raises(ProtocolError, match="it said "):
        list(Parser().feed(line + b"\r\n"))


def test_a_line_without_an_end() -> None:
    """It is not kept for ever."""
    with pytest.raises(ProtocolError):
        list(Parser().feed(b"x" * (2 << 20)))


def test_messages_as_bytes() -> None:
    """Sizes are those of bytes; headers have their own."""
    assert encode_publish("a", "", b"", "ü".encode()) == b"PUB a 2\r\n\xc3\xbc\r\n"
    headers = encode_headers([("A", "ü"), ("A", "2")])
    assert headers == b"NATS/1.0\r\nA: \xc3\xbc\r\nA: 2\r\n\r\n"
    assert decode_headers(headers) == ("", {"A": ["ü", "2"]})
    assert encode_publish("a", "r", headers, b"x").startswith(b"HPUB a r 25 26\r\nNATS/1.0\r\n")
    assert encode_headers([]) == b""


@pytest.mark.parametrize(
    ("reply", "wrong"),
    [
        (Message("", "503", {}, b""), "no stream takes this subject"),
        (Message("", "", {}, b"[]"), "what answered is no stream: []"),
        (Message("", "", {}, b"\xff"), "what answered is no stream: \ufffd"),
        (Message("", "", {}, b""), "what answered is no stream: an empty message"),
        (
            Message("", "", {}, b'{"error":{"err_code":10060,"description":"not so"}}'),
            "the stream refuses: not so (10060)",
        ),
        (Message("", "", {}, b'{"stream":"S","seq":7,"domain":"d"}'), ""),
    ],
)
def test_acknowledgements(reply: Message, wrong: str) -> None:
    """Only a stream and a sequence are one."""
    facts, said = read_ack(reply)
    assert said == wrong
    known = {"stream": "S", "seq": 7, "duplicate": False, "domain": "d"}
    assert facts == ({} if wrong else known)


@pytest.mark.parametrize(
    ("status", "headers", "wrong"),
    [
        ("", {}, ""),
        ("", {"A": ["1"]}, ""),
        ("100 Idle Heartbeat", {}, ""),
        ("503", {}, "no responders: nobody listens to this subject"),
        ("409 Message Size", {}, "the reply has status 409 Message Size"),
        ("", {"Nats-Service-Error": ["bad"]}, "the service fails: bad"),
        ("", {"nats-service-error-code": ["500"]}, "the service fails: 500"),
    ],
)
def test_replies(status: str, headers: dict[str, list[str]], wrong: str) -> None:
    """A status from the server, or an error of a micro-service, is a failure."""
    assert fault_of(Message("", status, headers, b"x")) == wrong
