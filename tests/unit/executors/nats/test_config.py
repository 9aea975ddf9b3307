"""The `nats` block of a job file, and the page that tells of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from tocsin.execution import check_config
from tocsin.executors.nats import Nats
from tocsin.executors.nats.addresses import Address, parse_addresses
from tocsin.executors.nats.config import NatsConfig, Tls
from tocsin.executors.nats.settings import settings_of

PAGE = (Path(__file__).parents[4] / "docs/executors/nats.md").read_text(encoding="utf-8")
SEED = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY"


def test_a_string_is_a_subject() -> None:
    """`nats: "…"` is the subject of an empty message to the server on the agent's own machine."""
    full = check_config(Nats, "backup.wanted")
    assert full == {"subject": "backup.wanted"}
    assert msgspec.convert(full, NatsConfig).servers == "nats://127.0.0.1:4222"


@pytest.mark.parametrize(
    ("block", "named"),
    [
        ({"subject": ""}, "`subject`"),
        ({"subject": "a b"}, "`subject`.*white space"),
        ({"subject": "a\r\nPUB b 0"}, "`subject`.*white space"),
        ({"subject": "a.*"}, "`subject`.*wildcard"),
        ({"subject": "a.>"}, "`subject`.*wildcard"),
        ({"subject": "a..b"}, "`subject`.*dots"),
        ({"subject": ".a"}, "`subject`.*dots"),
        ({"subject": "a."}, "`subject`.*dots"),
        ({"subject": "ü" * 600}, "`subject`.*1024 bytes"),
        ({"servers": []}, "`servers`: names no server"),
        ({"servers": ""}, "`servers`.*is no address"),
        ({"servers": "http://x"}, "`servers`.*must begin with nats://"),
        ({"servers": "wss://x"}, "`servers`.*websockets"),
        ({"servers": ["nats://a", "nats://b:0"]}, "`servers`.*port"),
        ({"servers": "nats://b:65536"}, "`servers`.*port"),
        ({"servers": "nats://a b"}, "`servers`.*is no address"),
        ({"servers": "nats://a/path"}, "`servers`.*is no address"),
        ({"payload": "a", "payload_file": "/a"}, "`payload` and `payload_file`"),
        ({"payload_base64": "a"}, "`payload_base64`"),
        ({"payload_base64": "a=b=c==="}, "`payload_base64`"),
        ({"payload_file": "data.json"}, "`payload_file`.*root"),
        ({"headers": {"a:b": "c"}}, "`headers`.*cannot name"),
        ({"headers": {"": "c"}}, "`headers`.*cannot name"),
        ({"headers": {"ü": "c"}}, "`headers`.*cannot name"),
        ({"headers": {"a": "b\r\nc"}}, "`headers`.*line break"),
        ({"headers": {"a": ["b", "c\n"]}}, "`headers`.*line break"),
        ({"headers": {"a": 1}}, "headers"),
        ({"headers": {"nats-msg-id": "1"}, "jetstream": True}, "`headers`.*`msg_id`"),
        ({"jetstream": True, "request": True}, "`jetstream` and `request`"),
        ({"jetstream": True, "request": "1s"}, "`jetstream` and `request`"),
        ({"jetstream": "yes"}, "jetstream"),
        ({"msg_id": "x"}, "`msg_id` stands without `jetstream`"),
        ({"msg_id": False}, "`msg_id` stands without `jetstream`"),
        ({"msg_id": "", "jetstream": True}, "`msg_id`.*empty"),
        ({"msg_id": "a\nb", "jetstream": True}, "`msg_id`"),
        ({"request": "soon"}, "`request`.*duration"),
        ({"request": 0}, "`request`.*more than 0"),
        ({"request": -1}, "`request`"),
        ({"wait": "0s"}, "`wait`.*more than 0"),
        ({"wait": True}, "wait"),
        ({"inbox_prefix": "a.>"}, "`inbox_prefix`.*wildcard"),
        ({"user": "u"}, "`user` and `password`"),
        ({"password": "p"}, "`user` and `password`"),
        ({"user": "u", "password": "p", "token": "t"}, "`user` and `token`"),
        ({"creds": "/a", "nkey": "/b"}, "`nkey` and `creds`"),
        ({"creds": "a.creds"}, "`creds`.*root"),
        ({"nkey": SEED}, "`nkey`: is the path"),
        ({"creds": f"-----BEGIN USER NKEY SEED-----\n{SEED}\n"}, "`creds`: is the path"),
        ({"tls": {"key": "/k"}}, "`key` stands without `cert`.*tls"),
        ({"tls": {"ca": "ca.pem"}}, "`ca`.*root.*tls"),
        ({"tls": {"insecure": True}}, "insecure.*tls"),
        ({"message": "x"}, "message"),
    ],
)
def test_blocks_that_are_wrong(block: dict[str, Any], named: str) -> None:
    """A wrong block is refused when it is applied, and the key is named."""
    with pytest.raises(msgspec.ValidationError, match=named):
        check_config(Nats, {"subject": "a", **block})


@pytest.mark.parametrize(
    "servers", ["nats://u:hunter22@x", ["a", "nats://hunter22@x:4222"], "tls://a,hunter22@b"]
)
def test_credentials_in_an_address(servers: str | list[str]) -> None:
    """They are refused with the way to give them, and not repeated."""
    with pytest.raises(msgspec.ValidationError, match="as secrets") as refused:
        check_config(Nats, {"subject": "a", "servers": servers})
    assert "hunter22" not in str(refused.value)


def test_a_seed_is_not_repeated() -> None:
    """What is no path, but what should be in a file, does not turn up in the error."""
    with pytest.raises(msgspec.ValidationError) as refused:
        check_config(Nats, {"subject": "a", "nkey": SEED})
    assert SEED not in str(refused.value)


def test_what_is_not_yet_filled_in_is_not_judged() -> None:
    """Placeholders may make a subject, an address, a path or base64 of any kind."""
    place = "{{ param.x }}"
    check_config(
        Nats,
        {
            "subject": f"a.{place}",
            "servers": f"nats://{place}:4222",
            "payload_base64": place,
            "creds": place,
            "inbox_prefix": place,
        },
    )


@pytest.mark.parametrize(
    ("servers", "found"),
    [
        ("db1", [Address("db1", 4222, tls=False)]),
        ("tls://db1", [Address("db1", 4222, tls=True)]),
        ("NATS://db1:1/", [Address("db1", 1, tls=False)]),
        ("tls://[::1]:4223", [Address("::1", 4223, tls=True)]),
        ("a:1, b:2", [Address("a", 1, tls=False), Address("b", 2, tls=False)]),
        (["a", "tls://b"], [Address("a", 4222, tls=False), Address("b", 4222, tls=True)]),
    ],
)
def test_addresses(servers: str | list[str], found: list[Address]) -> None:
    """As every NATS client takes them."""
    assert parse_addresses(servers) == found


def test_an_address_is_shown_as_it_is_written() -> None:
    """With its port, and brackets where it has colons."""
    assert [str(it) for it in parse_addresses("db1,[::1]:1")] == ["db1:4222", "[::1]:1"]


def test_settings_tell_connections_apart() -> None:
    """Who asks and whom makes a connection; what is sent does not."""
    one = NatsConfig(subject="a", servers=["x"], tls=Tls(ca="/ca"))
    same = NatsConfig(subject="b", servers=["x"], tls=Tls(ca="/ca"), payload="x", jetstream=True)
    other = NatsConfig(subject="a", servers=["x"], tls=Tls(ca="/ca", verify=False))
    assert settings_of(one) == settings_of(same)
    assert len({settings_of(it) for it in (one, same, other)}) == 2


def test_every_key_is_on_the_page() -> None:
    """The table has the keys of the schema, all of them, and the main one; so has that of `tls`."""
    table, of_tls = (part.partition("\n\n")[0] for part in PAGE.split("| key |")[1:3])
    rows = dict(re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|(.*)$", table, flags=re.MULTILINE))
    assert set(re.findall(r"\w+", " ".join(rows))) == set(NatsConfig.__struct_fields__)
    assert [key for key, row in rows.items() if "The main key." in row] == ["`subject`"]
    assert set(re.findall(r"^\| `(\w+)` \|", of_tls, re.MULTILINE)) == set(Tls.__struct_fields__)


def test_the_examples_are_taken() -> None:
    """Each example of the page passes the check."""
    examples = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)
    assert len(examples) > 3
    for example in examples:
        check_config(Nats, yaml.safe_load(example)["nats"])
