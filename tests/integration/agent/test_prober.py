"""A probe of real executors, some of which do everything to spoil it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tocsin import clock
from tocsin.agent.machine.events import Event, ExecutorsProbed
from tocsin.agent.prober import AGAIN_US, ANSWER_US, LOOK_US, SETTLE_US, Prober
from tocsin.execution import Offer
from tocsin.hosting import Settings
from tocsin.instants import SECOND_US
from tocsin.link import Waiter
from tocsin.model import Description

DEADLINE_S = 60.0
PLUGIN = """
import msgspec
{first}
class Config(msgspec.Struct, forbid_unknown_fields=True):
    path: str
class Plugin:
    name, summary, main_key, config = "it", "it runs", "path", Config
    async def start(self, order, config, sink):
        raise NotImplementedError
{more}
"""
HEALTH = """
    async def health(self):
        from tocsin.execution import Health
        {body}
        yield Health({health})
"""


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages that every Python process finds."""
    folder = tmp_path / "packages"
    folder.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.syspath_prepend(str(folder))
    return folder


@pytest.fixture
def waiter() -> Iterator[Waiter]:
    """What the agent's loop sleeps on."""
    made = Waiter()
    yield made
    made.close()


def install(folder: Path, name: str, first: str = "", more: str = "") -> None:
    """Bring an executor, as a package that pip has installed."""
    (folder / f"plugin_{name}.py").write_text(PLUGIN.format(first=first, more=more))
    info = folder / f"plugin_{name}-1.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: plugin-{name}\nVersion: 1.5\n")
    (info / "entry_points.txt").write_text(f"[tocsin.executors]\n{name} = plugin_{name}:Plugin\n")


def settings(*names: str) -> dict[str, Settings]:
    """Of these executors."""
    return {name: Settings(name, {}, name) for name in names}


def probed(prober: Prober, waiter: Waiter, late: int = 0) -> ExecutorsProbed:
    """What the probe finds; so many times it is waited for in vain first."""
    now_us = 0
    events: list[Event] = prober.tick(now_us)
    end_s = clock.monotonic_s() + DEADLINE_S
    while not events:
        assert clock.monotonic_s() < end_s, "the probe told nothing"
        until_us = round(min(end_s, clock.monotonic_s() + 3.0 if late else end_s) * SECOND_US)
        for source in waiter.wait(until_steady_us=until_us):
            assert isinstance(source, int)
            assert prober.owns(source)
            events += prober.ready(now_us)
        if not events and late:
            late -= 1
            now_us += ANSWER_US
            events += prober.tick(now_us)
    (event,) = events
    assert isinstance(event, ExecutorsProbed)
    return event


def by_name(found: ExecutorsProbed) -> dict[str, Offer]:
    """The offers."""
    return {offer.name: offer for offer in found.offers}


def test_in_tree_executors_are_described(waiter: Waiter) -> None:
    """Schema, package and health, from a process that is over afterwards."""
    found = probed(Prober(lambda: settings("http", "scripted", "shell"), waiter), waiter)
    offers = by_name(found)
    assert [offer.available for offer in offers.values()] == [True, True, True]
    body = found.bodies[offers["http"].digest]
    described = msgspec.msgpack.decode(body, type=Description)
    assert described.main_key == "url"
    assert described.version.startswith("tocsin ")
    properties = described.schema["$defs"]["Auth"]["properties"]
    assert properties["bearer"]["x-secret"] is True
    assert "x-secret" not in properties["user"]


def test_secrets_of_settings_are_not_published(waiter: Waiter) -> None:
    """A key whose value holds one is masked whole."""
    keys = {"auth": {"bearer": "hunter22"}, "url": "http://x"}
    found = probed(Prober(lambda: {"api": Settings("http", keys, "api")}, waiter), waiter)
    (body,) = found.bodies.values()
    described = msgspec.msgpack.decode(body, type=Description)
    assert described.defaults == {"auth": "***", "url": "http://x"}
    assert (described.name, described.use) == ("api", "http")
    assert b"hunter22" not in body


@pytest.mark.parametrize(
    ("first", "more", "says"),
    [
        ("import no_such_thing", "", "no_such_thing"),
        ("raise SystemExit(3)", "", "SystemExit"),
        ("import os; os._exit(3)", "", "it ended its process with exit code 3"),
        ("import ctypes; ctypes.string_at(0)", "", "it ended its process with signal 11"),
        ("print('x' * 100_000, flush=True)", "", ""),
        ("import os; os.close(1)", "", ""),
        ("", HEALTH.format(body="pass", health="False, 'no engine here'"), "no engine here"),
        ("", HEALTH.format(body="raise OSError('gone')", health="True"), "gone"),
        ("", HEALTH.format(body="pass", health="True, facts={'v': 3}"), ""),
        ("", "    config = None", "its `config` is no msgspec.Struct"),
        ("", "    capabilities = 5", "'int'"),
    ],
)
def test_an_executor_spoils_only_itself(
    packages: Path, waiter: Waiter, first: str, more: str, says: str
) -> None:
    """Whatever its module does, the others are described, and it is said what is wrong."""
    install(packages, "evil", first, more)
    install(packages, "good")
    found = by_name(probed(Prober(lambda: settings("evil", "good", "shell"), waiter), waiter))
    assert found["good"].available
    assert found["shell"].available
    assert found["evil"].available is (not says)
    assert says in found["evil"].message
    assert "\n" not in found["evil"].message


def test_an_executor_that_hangs_is_given_up(packages: Path, waiter: Waiter) -> None:
    """After its time the process is killed, and another one goes on with the rest."""
    install(packages, "evil", "import time; time.sleep(600)")
    install(packages, "good")
    prober = Prober(lambda: settings("evil", "good"), waiter)
    found = by_name(probed(prober, waiter, late=1))
    assert found["good"].available
    assert found["evil"].message == "when it was looked at, it did not answer in 20 s"


def test_it_is_looked_again_when_a_package_comes(packages: Path, waiter: Waiter) -> None:
    """Once nothing changes any more."""
    prober = Prober(lambda: settings("shell"), waiter)
    probed(prober, waiter)
    at_us = 0
    for _ in range(2):
        at_us += LOOK_US
        assert prober.tick(at_us) == []
        assert prober.deadline_us() == at_us + LOOK_US
    install(packages, "late")
    at_us += LOOK_US
    assert prober.tick(at_us) == []
    assert prober.deadline_us() == at_us + SETTLE_US
    prober.tick(at_us + SETTLE_US)
    assert prober.deadline_us() == at_us + SETTLE_US + ANSWER_US
    prober.close()


def test_it_is_looked_again_a_while_after_a_failure(waiter: Waiter) -> None:
    """However many failures there are meanwhile."""
    prober = Prober(lambda: settings("shell"), waiter)
    probed(prober, waiter)
    prober.again(5)
    prober.again(SECOND_US)
    prober.tick(AGAIN_US + 4)
    assert prober.deadline_us() == min(AGAIN_US + 5, AGAIN_US + 4 + LOOK_US)
    prober.tick(AGAIN_US + 5)
    assert prober.deadline_us() == AGAIN_US + 5 + ANSWER_US
    prober.close()
