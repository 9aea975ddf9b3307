"""What an agent process touches: its journal, its line, its hosts, its sleep."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random  # noqa: TID251 - a seeded one
from typing import Protocol, cast

from tocsin.agent.machine.events import (
    Event,
    ExecutorsProbed,
    HostFailed,
    HostGone,
    HostMet,
    HostSaid,
)
from tocsin.agent.machine.records import EpochSeen, Record
from tocsin.agent.spool import Spool, frame
from tocsin.errors import StoreError
from tocsin.execution import AttemptKey, Offer
from tocsin.hosting import HostHello, HostReport, StartRuns
from tocsin.hosting import ToHost as HostOrder
from tocsin.log import Log

from .coordinator import Asleep, Fuse, SimLog
from .executor_host import Process, SimHost
from .network import Line

EXECUTOR = "sim"


class SimSpool(Spool):
    """The real journal, with a disk that fills, and what a crash leaves of it."""

    def __init__(self, fuse: Fuse, folder: Path, boot_id: str, new_id: Callable[[], str]) -> None:
        self.is_full = False
        self.synced_bytes = 0
        self._fuse = fuse
        super().__init__(folder, boot_id, new_id, cast("Log", SimLog()))
        self.synced_bytes = self._size

    def append(self, records: Sequence[Record], now_us: int) -> None:
        self._fuse.burn()
        if self.is_full:
            self._torn = True
            os.pwrite(self._fd, frame(records)[:5], self._size)
            raise StoreError("the disk is full")
        super().append(records, now_us)
        if any(isinstance(record, EpochSeen) for record in records):
            self.synced_bytes = self._size
        self._fuse.burn()

    def sync(self, now_us: int, *, ends_held: bool) -> None:
        due_us = self.sync_due_us
        super().sync(now_us, ends_held=ends_held)
        if ends_held and due_us is not None and now_us >= due_us:
            self.synced_bytes = self._size

    def tear(self, dice: Random) -> None:
        """The process was killed in the middle of a write."""
        os.pwrite(self._fd, b"\x99\x00\x00\x00torn"[: dice.randrange(9)], self._size)

    def lose_unsynced(self, dice: Random) -> None:
        """The machine went down: what was not synced is there in part."""
        os.ftruncate(self._fd, dice.randrange(min(self.synced_bytes, self._size), self._size + 1))

    def let_go(self) -> None:
        """The process is no more."""
        os.close(self._fd)
        self._lock.release()


class SimDialer:
    """The agent's end of its line."""

    def __init__(self, line: Line, fuse: Fuse) -> None:
        self.connected = False
        self.refused = False
        self.inbox: deque[bytes] = deque()
        self._line = line
        self._fuse = fuse
        line.dial()

    def receive(self) -> bytes | None:
        """The next message."""
        return self.inbox.popleft() if self.inbox else None

    def send(self, data: bytes) -> bool:
        """Say something to the coordinator."""
        self._fuse.burn()
        self._line.send(data, to_agent=False, connection=self._line.connection)
        return True

    def close(self, linger_s: float = 0.0) -> None:
        """Hang up."""
        del linger_s


class Machinery(Protocol):
    """The machine that the agent is on, as its hosts see it."""

    host: SimHost | None
    fuse: Fuse
    units: dict[AttemptKey, Process]

    def start_host(self, hosts: SimHosts) -> None:
        """Start a host process."""
        ...

    def wake(self) -> None:
        """Something happened to the agent."""
        ...


class SimHosts:
    """The hosts of this machine, as one agent process sees them."""

    def __init__(self, machine: Machinery) -> None:
        self.events: list[Event] = []
        self._machine = machine
        self._host: SimHost | None = None
        self._unsent: list[AttemptKey] = []

    def seek(self, executor: str) -> list[Event]:
        """Connect to the host that is alive, if one is."""
        host = self._machine.host
        if host is None or not host.is_alive:
            return [HostGone(executor, "there is none", [], bool(self._machine.units))]
        self._host = host
        host.connect(self)
        return []

    def start(self, executor: str, now_us: int) -> list[Event]:
        """Start a host."""
        del executor, now_us
        self._machine.fuse.burn()
        self._machine.start_host(self)
        return []

    def send(self, executor: str, message: HostOrder) -> None:
        """Write to the host's socket; what a dead one does not take comes back with its end."""
        del executor
        self._machine.fuse.burn()
        if self._host is None:
            return
        if self._host.is_alive:
            self._host.write(message)
        elif isinstance(message, StartRuns):
            self._unsent += [order.key for order in message.orders]

    def close(self) -> None:
        """Hang up."""
        if self._host is not None:
            self._host.disconnect(self)

    def deadline_us(self) -> int | None:
        """At once, when something happened."""
        return 0 if self.events else None

    def tick(self, now_us: int) -> list[Event]:
        """What happened."""
        del now_us
        events, self.events = self.events, []
        return events

    # What the machine tells.

    def host_started(self, host: SimHost) -> None:
        """A host listens; connect to it."""
        self._host = host
        host.connect(self)

    def host_failed(self) -> None:
        """No host came to be."""
        self._add(HostFailed(EXECUTOR, "no such thing"))

    def host_met(self, identity: str, hello: HostHello) -> None:
        """A host said hello."""
        self._add(HostMet(EXECUTOR, identity, hello))

    def host_said(self, report: HostReport) -> None:
        """A host reported."""
        self._add(HostSaid(EXECUTOR, report))

    def host_gone(self, reason: str, *, left_handles: bool) -> None:
        """The host's process is over."""
        unsent, self._unsent = self._unsent, []
        self._host = None
        self._add(HostGone(EXECUTOR, reason, unsent, left_handles))

    def _add(self, event: Event) -> None:
        self.events.append(event)
        self._machine.wake()


class SimProber:
    """Finds the one executor well; after a failure only in a while."""

    def __init__(self, dice: Random, probed: Callable[[], None]) -> None:
        self._dice = dice
        self._probed = probed
        self._due_us: int | None = 0

    def deadline_us(self) -> int | None:
        """When it has found something."""
        return self._due_us

    def owns(self, fd: int) -> bool:
        """No descriptor is its own."""
        del fd
        return False

    def again(self, now_us: int) -> None:
        """Look again in a while."""
        if self._due_us is None:
            self._due_us = now_us + self._dice.randrange(20_000_000)

    def tick(self, now_us: int) -> list[Event]:
        """What was found."""
        del now_us
        self._due_us = None
        self._probed()
        return [ExecutorsProbed([Offer(EXECUTOR)], {})]


class SimAgentWaiter:
    """Tells what the agent would wait for, or lets it pass."""

    def __init__(self) -> None:
        self.peeking = False
        self.signals: list[int] = []
        self._sources: list[object] = []

    def wait(self, *, until_steady_us: int | None = None) -> list[object]:
        """All sources, or `Asleep` when somebody only wants to know."""
        if self.peeking:
            raise Asleep(until_steady_us, None)
        return list(self._sources)

    def take_signals(self) -> list[int]:
        """The signals since the last call."""
        signals, self.signals = self.signals, []
        return signals

    def add(self, source: object) -> None:
        """Look at this source in each turn."""
        self._sources.append(source)

    def remove(self, source: object) -> None:
        """Look at it no more."""
        self._sources.remove(source)
