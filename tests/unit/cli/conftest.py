"""A command line with a home of its own."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.unit.coordinator.bench import START_US
from tests.unit.coordinator.office import Office
from tocsin import wire
from tocsin.cli import main
from tocsin.config import Context, read_context, write_context
from tocsin.instants import Now
from tocsin.keys import write_keypair
from tocsin.link import Hub, Listener, Waiter, new_keypair
from tocsin.messages.client_answers import Answer
from tocsin.messages.client_link import Ask, FromClient, Reply
from tocsin.model import Agent, AgentState


class Said(NamedTuple):
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str


Tocsin = Callable[..., Said]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """TOCSIN_HOME of this test."""
    monkeypatch.setenv("TOCSIN_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("TOCSIN_CONTEXT", raising=False)
    return tmp_path / "home"


@pytest.fixture
def tocsin(home: Path, capfd: pytest.CaptureFixture[str]) -> Tocsin:  # noqa: ARG001 - the environment it sets
    """Runs a command in this process."""

    def run(*arguments: str) -> Said:
        capfd.readouterr()
        code = main(list(arguments))
        return Said(code, *capfd.readouterr())

    return run


class Desk:
    """Stands in a thread where a coordinator would, and answers as the test says.

    `answer` gives the answer to a question, or None to stay silent; `asked` has all questions.
    """

    def __init__(self, *, admits: bool = True) -> None:
        self.asked: list[Ask] = []
        self.answer: Callable[[Ask], Answer | None] = lambda _ask: None
        self.hang_up_after = 0
        """Break the link in place of the answer to this many questions."""
        self.own = new_keypair()
        self.port = 0
        self._admits = admits
        self._ready = threading.Event()
        self._bell, self._ring = os.pipe()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        assert self._ready.wait(10)

    def close(self) -> None:
        """End the thread."""
        os.write(self._ring, b"x")
        self._thread.join(10)
        os.close(self._ring)
        os.close(self._bell)

    def _serve(self) -> None:
        while self._serve_until_hang_up():
            pass

    def _serve_until_hang_up(self) -> bool:
        """Serve on one socket; whether to go on with another."""
        hub, waiter = Hub(), Waiter()
        listener = self._listen(hub)
        self.port = listener.port
        waiter.add(listener)
        waiter.add(self._bell)
        self._ready.set()
        try:
            while self._bell not in waiter.wait():
                while (message := listener.receive()) is not None:
                    peer, data = message
                    request = wire.decode(data, FromClient)
                    self.asked.append(request.ask)
                    if self.hang_up_after:
                        self.hang_up_after -= 1
                        return True
                    answer = self.answer(request.ask)
                    if answer is not None:
                        listener.send(peer.route, wire.encode(Reply(request.id, answer)))
            listener.close(0.5)
            return False
        finally:
            hub.close()

    def _listen(self, hub: Hub) -> Listener:
        return Listener(
            hub,
            f"tcp://127.0.0.1:{self.port or '*'}",
            self.own,
            domain="clients",
            allow=lambda _key: self._admits,
            bytes_max=wire.FRAME_BYTES_MAX,
        )


@pytest.fixture
def desk(home: Path) -> Iterator[Desk]:
    """A coordinator's place, known here as the context `test`."""
    desk = Desk()
    _make_known(home, desk)
    yield desk
    desk.close()


@pytest.fixture
def closed_desk(home: Path) -> Iterator[Desk]:
    """One that admits nobody."""
    desk = Desk(admits=False)
    _make_known(home, desk)
    yield desk
    desk.close()


def _make_known(home: Path, desk: Desk) -> None:
    write_keypair(home / "config" / "client.key", new_keypair())
    write_context(
        home / "config" / "context.toml",
        Context(
            name="test",
            endpoint=f"tcp://127.0.0.1:{desk.port}",
            server_key=desk.own.public,
            key_file=Path("client.key"),
        ),
    )


def context_of(home: Path) -> Context:
    """The context of a test."""
    return read_context(home / "config" / "context.toml")


AGENTS = [
    Agent(id="A1", key="k1", name="db1", state=AgentState.UP, tags={"role": "db"},
          executors=["shell", "scripted"]),
    Agent(id="A2", key="k2", name="db2", state=AgentState.UP, tags={"role": "db"},
          executors=["scripted"]),
    Agent(id="A3", key="k3", name="web1", state=AgentState.UP, tags={"role": "web"},
          executors=["shell", "scripted"]),
    Agent(id="A4", key="k4", name="old", state=AgentState.REVOKED, tags={"role": "db"},
          executors=["shell", "scripted"]),
]  # fmt: skip
"""The hosts of `fleet`."""


class Fleet:
    """A whole coordinator behind the desk, in whose thread it lives; `by` is who asks."""

    def __init__(self) -> None:
        self.by = "ann"
        self.now_us = START_US
        self._office: Office | None = None

    def answer(self, ask: Ask) -> Answer | None:
        """The answer to any question."""
        if self._office is None:
            self._office = Office(AGENTS)
        self._office.now = Now(self.now_us, 0)
        answer: Answer | None = self._office.ask(ask, by=self.by)
        return answer


@pytest.fixture
def fleet(desk: Desk) -> Fleet:
    """A coordinator that knows four hosts and no job, at the beginning of 2026."""
    fleet = Fleet()
    desk.answer = fleet.answer
    return fleet
