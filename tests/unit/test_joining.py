"""Join strings, as they are written and read."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tocsin.errors import ConfigError
from tocsin.joining import JoinString, endpoint, format_join, parse_join

KEY = "0123456789abcdef" * 4
NAMED = JoinString("coordinator.example.org", 7371, KEY, "1a2b3c4d", "f" * 32)
WORD = f"j1:coordinator.example.org:7371:{KEY}:1a2b3c4d.{'f' * 32}"


@pytest.mark.parametrize("host", ["coordinator.example.org", "10.0.0.1", "::1", "fe80::1%eth0"])
def test_what_is_written_is_read(host: str) -> None:
    """A join string says the same after a round trip, for names and both kinds of addresses."""
    join = replace(NAMED, host=host)
    assert parse_join(f" {format_join(join)}\n") == join


def test_the_form() -> None:
    """The string is as documented; an IPv6 address stands in brackets."""
    assert format_join(NAMED) == WORD
    assert format_join(replace(NAMED, host="::1")).startswith("j1:[::1]:7371:")
    assert endpoint("::1", 7370) == "tcp://[::1]:7370"
    assert endpoint("h", 7370) == "tcp://h:7370"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        WORD[:-40],
        WORD[1:],
        WORD.replace("j1:", "j2:"),
        WORD.replace(":7371:", ":0:"),
        WORD.replace(":7371:", ":65536:"),
        WORD.replace(":7371:", ":x:"),
        WORD.replace(KEY, KEY[:-1]),
        WORD.replace(KEY, KEY[:-1] + "G"),
        WORD.replace("coordinator.example.org", "::1"),
        WORD.replace("coordinator.example.org", ""),
        WORD.replace(".f", ""),
        WORD + " x",
    ],
)
def test_what_is_none_is_refused(text: str) -> None:
    """The message says so, and the hint how to get a good one."""
    with pytest.raises(ConfigError, match="join string") as caught:
        parse_join(text)
    assert "agent token" in caught.value.hint


def test_the_secret_is_not_shown() -> None:
    """Neither in logs nor in tracebacks."""
    assert NAMED.secret not in repr(NAMED)
