"""What an agent says of its executors."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tocsin.agent.config import ExecutorConfig
from tocsin.agent.machine.commands import ProbeExecutors
from tocsin.agent.machine.events import ExecutorsProbed, HostHealthSaid
from tocsin.agent.offering import offered
from tocsin.errors import ConfigError
from tocsin.execution import Health, Offer
from tocsin.hosting import Settings
from tocsin.messages.agent_link import Describe, Descriptions, Offers

from .bench import Bench

SHELL = Offer("shell", "d1", facts={"units": True})
HTTP = Offer("http", available=False, message="no module named httpx")
PROBED = ExecutorsProbed([SHELL, HTTP], {"d1": b"one", "d2": b"two"})


def test_what_was_found_is_told_when_it_is_known() -> None:
    """A hello does not wait for it: names come first, the rest follows."""
    bench = Bench()
    session = bench.open()
    assert bench.said(Offers) == []
    bench.feed(PROBED)
    assert bench.said(Offers) == [Offers(session, [SHELL, HTTP])]


def test_each_session_is_told() -> None:
    """What was found before the coordinator could be reached follows its welcome."""
    bench = Bench()
    bench.feed(PROBED)
    hello = bench.link_up()
    assert hello.executors == ["shell", "http"]
    bench.welcome(hello.session)
    assert bench.said(Offers) == [Offers(hello.session, [SHELL, HTTP])]


def test_descriptions_are_given_when_asked_for() -> None:
    """Those that are not known are left out."""
    bench = Bench()
    bench.feed(PROBED)
    session = bench.open()
    bench.tell(Describe(session, ["d2", "gone", "d1"]))
    assert bench.said(Descriptions) == [Descriptions(session, [b"two", b"one"])]


def test_an_executor_whose_host_does_not_start_is_not_offered() -> None:
    """It is said why, and it is looked at again."""
    bench = Bench()
    bench.feed(PROBED)
    session = bench.open()
    bench.dispatch(session, 1)
    bench.failed("no module named x")
    (told,) = bench.said(Offers)
    assert told.offers[0] == replace(SHELL, available=False, message="no module named x")
    assert ProbeExecutors() in bench.commands
    bench.commands.clear()
    bench.feed(PROBED)
    assert bench.said(Offers)[0].offers[0].available


def test_an_executor_says_how_it_is_while_it_runs() -> None:
    """Only what changes is told."""
    bench = Bench()
    bench.feed(PROBED)
    session = bench.open()
    for _ in range(2):
        bench.feed(HostHealthSaid("shell", Health(available=False, message="no bus")))
    broken = replace(SHELL, available=False, message="no bus", facts={})
    assert bench.said(Offers) == [Offers(session, [broken, HTTP])]


@pytest.mark.parametrize(
    ("allowed", "configured", "found"),
    [
        (None, {}, {"http": "http", "shell": "shell"}),
        (["shell"], {}, {"shell": "shell"}),
        (["shell", "x"], {}, {"shell": "shell", "x": "x"}),
        (None, {"http": {"enabled": False}}, {"shell": "shell"}),
        (None, {"api": {"use": "http"}}, {"api": "http", "http": "http", "shell": "shell"}),
        (["api"], {"api": {"use": "http"}, "b": {"use": "shell"}}, {"api": "http"}),
        (None, {"htp": {"config": {"a": 1}}}, {"htp": "htp", "http": "http", "shell": "shell"}),
    ],
)
def test_which_executors_are_on_offer(
    allowed: list[str] | None, configured: dict[str, dict[str, Any]], found: dict[str, str]
) -> None:
    """By what is installed, what is allowed, and what the settings say of each."""
    tables = {name: ExecutorConfig(**keys) for name, keys in configured.items()}
    made = offered(["shell", "http"], allowed, tables)
    assert {name: settings.use for name, settings in made.items()} == found
    assert list(made) == sorted(made)


def test_settings_go_with_the_name() -> None:
    """The keys that are filled in are those of the table."""
    made = offered(["http"], None, {"api": ExecutorConfig(use="http", config={"url": "http://x"})})
    assert made["api"] == Settings("http", {"url": "http://x"}, "api")


def test_a_name_that_cannot_be_one_is_refused() -> None:
    """It would name a socket."""
    with pytest.raises(ConfigError, match=r"executor\.a/b"):
        offered([], None, {"a/b": ExecutorConfig(use="http")})
