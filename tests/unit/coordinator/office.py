"""A coordinator without its sockets: what is asked, decided, and kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tocsin.coordinator import auditing
from tocsin.coordinator.gateway import ClientAsked
from tocsin.coordinator.machine.commands import FetchFires, Reply, SaveAgent
from tocsin.coordinator.machine.events import AgentJoined, Event, FiresEnded
from tocsin.coordinator.machine.machine import Machine
from tocsin.coordinator.machine.state import Policy
from tocsin.coordinator.registry import Registry
from tocsin.coordinator.requests import Requests
from tocsin.coordinator.store.sqlite import SqliteStore
from tocsin.coordinator.updates import Updates
from tocsin.instants import Now
from tocsin.messages.client_link import Ask
from tocsin.model import Agent, Role

from .bench import START_US, EvenChance


class Office:
    """Requests, a machine and a store in memory."""

    def __init__(self, agents: Iterable[Agent] = ()) -> None:
        self.store = SqliteStore(None)
        self.store.stage([SaveAgent(agent) for agent in agents])
        self.now = Now(START_US, 0)
        self.ids = iter(range(1, 10_000))
        self.machine = Machine(
            epoch=1, policy=Policy(), new_id=lambda: f"R{next(self.ids)}", chance=EvenChance()
        )
        registry = Registry(self.store, server_key="", port=1, new_id=lambda: f"A{next(self.ids)}")
        self.requests = Requests(
            self.store,
            self.machine,
            registry,
            Updates(lambda _route, _update: True, self.store.list_jobs),
            enrol_port=1,
            dropped=dict,
            started_us=START_US,
        )

    def ask(self, ask: Ask, by: str = "ann", route: bytes = b"client") -> Any:
        """The answer to a request, with everything done that follows from it."""
        result = self.requests.take(ClientAsked((route, 1), by, ask, Role.ADMIN), self.now)
        for agent in self.requests._registry.take_let_in():
            self.machine.handle(AgentJoined(agent), self.now)
        if not isinstance(result, Event):
            return result
        answers = []
        events: list[Event] = [result]
        for event in events:  # what is fetched becomes the next
            commands = self.machine.handle(event, self.now)
            commands += auditing.of_event(event, commands, self.now.wall_us)
            self.store.stage(commands)
            answers += [c.answer for c in commands if isinstance(c, Reply)]
            for fetch in (c for c in commands if isinstance(c, FetchFires)):
                fires = self.store.fires(fetch.groups)
                rows = self.store.jobs_by_id(fetch.job_ids)
                events.append(FiresEnded(list(fires.values()), rows))
        (answer,) = answers
        return answer

    def jobs(self) -> dict[str, int]:
        """All jobs, with their versions."""
        return {row.job.name: row.version for row in self.store.list_jobs("", 1000)}
