"""The real coordinator service, driven through its ports, which fail and crash when told to."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path
from random import Random  # noqa: TID251 - a seeded one
from typing import Any, Protocol, cast

from tocsin.coordinator.config import CoordinatorConfig
from tocsin.coordinator.gateway import AgentSaid, ClientAsked, Gateway, Incoming
from tocsin.coordinator.machine.commands import Command
from tocsin.coordinator.machine.events import Asker, Event
from tocsin.coordinator.machine.machine import Machine
from tocsin.coordinator.machine.state import Policy
from tocsin.coordinator.registry import Registry
from tocsin.coordinator.service import Service
from tocsin.coordinator.store.sqlite import SqliteStore
from tocsin.coordinator.store.staging import Staging
from tocsin.errors import StoreError
from tocsin.instants import Now
from tocsin.link import Waiter
from tocsin.log import Log
from tocsin.messages.agent_link import ToAgent
from tocsin.messages.client_answers import Answer
from tocsin.model import Role

from .decision import Decision
from .evidence import Violation
from .monitor import Monitor


class Crash(Exception):  # noqa: N818 - what happens, not what went wrong
    """The process dies here."""


class Asleep(Exception):  # noqa: N818 - not an error
    """The service would sleep now, until one of these."""

    def __init__(self, steady_us: int | None, wall_us: int | None) -> None:
        super().__init__()
        self.steady_us = steady_us
        self.wall_us = wall_us


class SimWaiter:
    """Tells what the service would wait for, or lets it pass."""

    def __init__(self) -> None:
        self.peeking = False

    def wait(
        self, *, until_steady_us: int | None = None, until_wall_us: int | None = None
    ) -> list[int]:
        """Pass, or raise `Asleep` when somebody only wants to know."""
        if self.peeking:
            raise Asleep(until_steady_us, until_wall_us)
        return []


class Fuse:
    """Counts crash points, and crashes at the one it was lit for."""

    def __init__(self) -> None:
        self.left: int | None = None

    def burn(self) -> None:
        """One more step is done."""
        if self.left is None:
            return
        if self.left <= 0:
            self.left = None
            raise Crash
        self.left -= 1


class SimStore(SqliteStore):
    """The real store in memory, with outages, and crash points around and inside its commit."""

    def __init__(self, fuse: Fuse) -> None:
        super().__init__(None)
        self.fuse = fuse
        self.outage = ""
        """`all`: nothing works; `main`: output can still be written; `commit`: reads work."""
        self.on_commit: Callable[[], None] = lambda: None
        self._committing = False

    def commit(self) -> None:
        self.fuse.burn()
        if self.outage == "all":
            raise StoreError("the disk is gone")
        self._committing = True
        try:
            super().commit()
        finally:
            self._committing = False
        self.on_commit()
        self.fuse.burn()

    def _apply(self) -> None:
        if self._committing:
            self.fuse.burn()
        if self.outage and (self._committing or self.outage != "commit"):
            raise StoreError("the disk is full")
        super()._apply()

    def crash(self) -> None:
        """Its process died: what is not committed is gone."""
        self._rollback()
        self._staged = Staging()


class WatchedMachine(Machine):
    """The real machine, and somebody who looks on."""

    def __init__(self, monitor: Monitor, true_us: Callable[[], int], **options: Any) -> None:
        super().__init__(**options)
        self._monitor = monitor
        self._true_us = true_us

    def handle(self, event: Event, now: Now) -> list[Command]:
        sessions, true_us = self.sessions(), self._true_us()
        commands = super().handle(event, now)
        ahead_us, there = true_us - now.steady_us, {s.agent.id for s in self.sessions()}
        heard_us = {
            session.agent.id: session.heard_us + ahead_us
            for session in sessions
            if session.agent.id not in there
        }
        reachable = [session.agent for session in sessions]
        self._monitor.decided(Decision(event, now, commands, true_us, reachable, heard_us))
        return commands


class _Socket:
    """What is left of a socket where there is no network."""

    port = 1

    def __init__(self) -> None:
        self.dropped: Counter[str] = Counter()


class SimGateway:
    """Messages in, messages out; between any two of them the process may crash."""

    def __init__(self, process: Coordinator) -> None:
        self._process = process
        self.members = self.strangers = _Socket()
        self.dropped: Counter[str] = Counter()
        self.inbox: deque[Incoming] = deque()
        self.routes: dict[str, int] = {}
        self._registry: Registry | None = None

    def serve(self, registry: Registry) -> None:
        """From now on, hear whom this registry knows; a key is its agent's id."""
        self._registry = registry

    def receive(self, now_s: float) -> Incoming | None:
        """The next message."""
        del now_s
        self._process.fuse.burn()
        while self.inbox:
            incoming = self.inbox.popleft()
            if not isinstance(incoming, AgentSaid) or self._may_speak(incoming.agent_id):
                return incoming
        return None

    def _may_speak(self, agent_id: str) -> bool:
        return self._registry is None or self._registry.knows(agent_id)

    def tell(self, agent_id: str, message: ToAgent) -> bool:
        """Send to an agent, over the connection on which it was last heard."""
        self._process.fuse.burn()
        self._process.leaves(agent_id, message)
        return True

    def reply(self, asker: Asker, answer: Answer) -> bool:
        """Answer the client."""
        self._process.fuse.burn()
        self._process.port.answered(asker[1], answer)
        return True

    def update(self, route: bytes, update: object) -> bool:
        """Nobody subscribes."""
        del route, update
        return False


class SimLog:
    """Hears what no run of the service may ever say."""

    def info(self, event: str, /, **facts: object) -> None:
        """Nothing to see."""

    warning = info

    def error(self, event: str, /, **facts: object) -> None:
        """The machine was told what cannot be, and refused it."""
        if event == "event.refused":
            raise Violation("transition", f"{facts['kind']}: {facts['error']}")


class Port(Protocol):
    """The world around the coordinator."""

    def now(self) -> Now:
        """The coordinator's clocks."""
        ...

    def true_us(self) -> int:
        """True time."""
        ...

    def told(self, agent_id: str, connection: int, message: ToAgent) -> None:
        """A message leaves for an agent."""
        ...

    def answered(self, number: int, answer: Answer) -> None:
        """An answer leaves for the client."""
        ...

    def new_id(self) -> str:
        """An id that sorts behind all earlier ones."""
        ...


class Coordinator:
    """The coordinator's process: begins, takes turns, crashes; its store stays."""

    def __init__(
        self, port: Port, monitor: Monitor, policy: Policy, key_file: Path, dice: Random
    ) -> None:
        self.port = port
        self.fuse = Fuse()
        self.store = SimStore(self.fuse)
        self.store.on_commit = self._committed
        self.epochs: list[int] = []
        self.machine: WatchedMachine | None = None
        self._monitor = monitor
        self._dice = dice
        self._config = CoordinatorConfig(data_dir=Path(), key_file=key_file, policy=policy)
        self._waiter = SimWaiter()
        self._gateway = SimGateway(self)
        self._service: Service | None = None

    @property
    def is_up(self) -> bool:
        """Whether it runs."""
        return self._service is not None

    def start(self) -> None:
        """Begin a new epoch with what the store holds.

        Raises:
            StoreError: the store is away.
            Crash: it died again at once.
        """
        epoch = self.store.next_epoch()
        self.epochs.append(epoch)
        machine = WatchedMachine(
            self._monitor,
            self.port.true_us,
            epoch=epoch,
            policy=self._config.policy,
            new_id=self.port.new_id,
            chance=self._dice,
        )
        self._gateway = SimGateway(self)
        service = Service(
            self.store,
            machine,
            cast("Gateway", self._gateway),
            self._config,
            cast("Log", SimLog()),
        )
        self._monitor.restarted(self.port.true_us(), self.store.stored().active)
        self.machine = machine  # its first decisions are committed before it is up
        service.restore()
        self._service = service

    def crash(self) -> None:
        """Die here and now."""
        self.fuse.left = None
        self.store.crash()
        self._monitor.crashed()
        self.machine = self._service = None

    def hear_agent(self, agent_id: str, connection: int, message: Any) -> None:
        """A message of an agent arrived."""
        self._gateway.routes[agent_id] = connection
        self._gateway.inbox.append(AgentSaid(agent_id, message))

    def hear_client(self, number: int, ask: Any) -> None:
        """A client's request arrived."""
        self._gateway.inbox.append(ClientAsked((b"client", number), "user", ask, Role.ADMIN))

    def turn(self) -> None:
        """One turn of the loop."""
        assert self._service is not None
        self._waiter.peeking = False
        self._service.turn(cast("Waiter", self._waiter))

    def sleeps_until(self) -> tuple[int | None, int | None]:
        """What it waits for: an instant on the steady clock, one on the wall clock."""
        assert self._service is not None
        if self._gateway.inbox:
            return 0, None
        self._waiter.peeking = True
        try:
            self._service.turn(cast("Waiter", self._waiter))
        except Asleep as asleep:
            return asleep.steady_us, asleep.wall_us
        raise AssertionError("the service does not wait")

    def leaves(self, agent_id: str, message: ToAgent) -> None:
        """Something leaves for an agent."""
        self._monitor.sent(agent_id, message)
        self.port.told(agent_id, self._gateway.routes.get(agent_id, -1), message)

    def _committed(self) -> None:
        if self.machine is not None:
            self._monitor.committed(self.machine)
