"""The loop: what leaves after a transaction."""

from __future__ import annotations

from collections import Counter, deque
from pathlib import Path
from random import Random  # noqa: TID251 - a seeded one
from typing import cast

import pytest

from tests.sim.coordinator import SimLog, SimWaiter
from tocsin import clock
from tocsin.coordinator.config import CoordinatorConfig
from tocsin.coordinator.gateway import AgentSaid, ClientAsked, Gateway, Incoming
from tocsin.coordinator.machine.commands import SaveAgent
from tocsin.coordinator.machine.events import Asker
from tocsin.coordinator.machine.machine import Machine
from tocsin.coordinator.machine.state import Policy
from tocsin.coordinator.registry import Registry
from tocsin.coordinator.service import Service
from tocsin.coordinator.store.sqlite import SqliteStore
from tocsin.keys import KeyPair, load_or_make_keypair
from tocsin.link import Waiter
from tocsin.log import Log
from tocsin.messages.agent_link import Dispatch, Hello, Rejected, ToAgent, Welcome
from tocsin.messages.client_answers import Answer
from tocsin.messages.client_link import Ask, PutJobs, RevokeAgents, RunJobs
from tocsin.model import Agent, Role, RunState

from .bench import job


class _Socket:
    """What is left of a socket where there is no network."""

    port = 1

    def __init__(self) -> None:
        self.dropped: Counter[str] = Counter()


class Post:
    """What came, and what left."""

    def __init__(self) -> None:
        self.members = self.strangers = _Socket()
        self.dropped: Counter[str] = Counter()
        self.inbox: deque[Incoming] = deque()
        self.told: list[ToAgent] = []

    def serve(self, registry: Registry) -> None:
        """Everybody is let in."""

    def receive(self, now_s: float) -> Incoming | None:
        """The next message."""
        del now_s
        return self.inbox.popleft() if self.inbox else None

    def tell(self, agent_id: str, message: ToAgent) -> bool:
        """Something leaves for an agent."""
        del agent_id
        self.told.append(message)
        return True

    def reply(self, asker: Asker, answer: Answer) -> bool:
        """Nobody waits for an answer."""
        del asker, answer
        return True

    def update(self, route: bytes, update: object) -> bool:
        """Nobody subscribes."""
        del route, update
        return False


class Loop:
    """A coordinator with a store in memory and one agent, which is connected."""

    def __init__(self, folder: Path) -> None:
        self.store = SqliteStore(None)
        self.store.stage([SaveAgent(Agent(id="A", key="ab" * 32, name="a"))])
        key_file = folder / "key"
        load_or_make_keypair(key_file, lambda: KeyPair("ab" * 32, "cd" * 32))
        machine = Machine(epoch=1, policy=Policy(), new_id=clock.new_ulid, chance=Random(1))
        self.post = Post()
        self.service = Service(
            self.store,
            machine,
            cast("Gateway", self.post),
            CoordinatorConfig(data_dir=folder, key_file=key_file),
            cast("Log", SimLog()),
        )
        self.service.restore()
        self.post.inbox.append(
            AgentSaid("A", Hello(1, "session", "spool", 0, "1", {}, 4, ["scripted"], [], 0, 1))
        )
        self.turn(PutJobs([job(schedule=[], overlap="allow")]))

    def turn(self, *asks: Ask) -> None:
        """One turn of the loop, in which all of this is asked."""
        for number, ask in enumerate(asks):
            self.post.inbox.append(ClientAsked((b"client", number), "ann", ask, Role.ADMIN))
        self.service.turn(cast("Waiter", SimWaiter()))


@pytest.fixture
def loop(tmp_path: Path) -> Loop:
    """A loop that has turned once."""
    return Loop(tmp_path)


def test_an_agent_that_is_struck_off_gets_no_order_of_the_same_transaction(loop: Loop) -> None:
    """The order was decided before it, and would leave after it."""
    loop.turn(RunJobs(["backup"]))
    loop.turn(RunJobs(["backup"]), RevokeAgents(["a"], "stolen"))

    assert [type(message) for message in loop.post.told] == [Welcome, Dispatch, Rejected]
    states = [run.state for run in loop.store.list_runs("", [], "", 10)]
    assert states == [RunState.DISPATCHED, RunState.DISPATCHED]
