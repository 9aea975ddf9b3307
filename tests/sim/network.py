"""The network between one agent and the coordinator: in order, unless a fault says otherwise."""

from __future__ import annotations

from collections.abc import Callable
from random import Random  # noqa: TID251 - a seeded one
from typing import Any, Final, Protocol

from .oracle import SECOND_US
from .plan import RATES, Fault

LATENCY_US: Final = 20_000
LATE_US: Final = 6 * SECOND_US
"""Shorter than the silence that ends a session."""
RECONNECT_US: Final = SECOND_US
NOTICED_US: Final = 6 * SECOND_US
"""A silent network is noticed within this time by the link's own heartbeats."""


class Scheduler(Protocol):
    """Virtual time: what is to happen when."""

    now_us: int

    def at(self, when_us: int, label: str, action: Callable[[], None]) -> None:
        """Do something at a true instant."""
        ...


class Line:
    """One agent's line to the coordinator. `up` and `down` tell the agent about its link."""

    def __init__(
        self,
        scheduler: Scheduler,
        faults: frozenset[Fault],
        dice: Random,
        *,
        to_agent: Callable[[Any], None],
        to_coordinator: Callable[[int, Any], None],
        link_changed: Callable[[bool], None],
    ) -> None:
        self._scheduler = scheduler
        self._faults = sorted(faults & RATES.keys())
        self._dice = dice
        self._to_agent = to_agent
        self._to_coordinator = to_coordinator
        self._link_changed = link_changed
        self.connection = 0
        """The number of the agent's present connection."""
        self.is_up = False
        self._blocked: set[bool] = set()
        """Directions (to the agent?) in which nothing passes."""
        self._held: list[tuple[bool, int, Any]] | None = None
        """What a partition holds back; None when it swallows."""
        self._last_us = {True: 0, False: 0}
        self.server_is_up = False
        self.quiet = False
        """Faults of single messages are over."""
        self._oldest = 0
        """What was given to an earlier connection went to a coordinator that is dead."""
        self._queues = dice.random() < 0.5
        """Whether the link keeps what is said while it is down."""
        self._queued: list[Any] = []

    # Connections.

    def dial(self) -> None:
        """The agent asks for a connection of its own; what is for an older one is gone."""
        self._queued.clear()
        self.cut()

    def hang_up(self) -> None:
        """The agent's process is gone."""
        self._queued.clear()
        self.connection += 1
        self.is_up = False

    def server_changed(self, *, up: bool) -> None:
        """The coordinator's process began or ended."""
        self.server_is_up = up
        if up:
            self._try(self.connection)
        else:
            self.cut()
            self._oldest = self.connection

    def cut(self) -> None:
        """The connection breaks; the link makes another."""
        self.connection += 1
        self._set(up=False)
        self._try(self.connection)

    def _try(self, connection: int) -> None:
        wait_us = self._dice.randrange(RECONNECT_US)
        self._scheduler.at(
            self._scheduler.now_us + wait_us, "connect", lambda: self._connected(connection)
        )

    def _connected(self, connection: int) -> None:
        if connection == self.connection and self.server_is_up and not self._blocked:
            self._set(up=True)
            queued, self._queued = self._queued, []
            for message in queued:
                self._carry(connection, message, to_agent=False)

    def _set(self, *, up: bool) -> None:
        if up is not self.is_up:
            self.is_up = up
            self._link_changed(up)

    # Partitions.

    def block(self, directions: set[bool], *, hold: bool) -> None:
        """Let nothing pass any more; hold it back, or swallow it."""
        self._blocked |= directions
        self._held = [] if hold else None
        connection = self.connection
        noticed_us = self._scheduler.now_us + self._dice.randrange(SECOND_US, NOTICED_US)
        self._scheduler.at(noticed_us, "notice", lambda: self._notice(connection))

    def _notice(self, connection: int) -> None:
        if self._blocked and connection == self.connection:
            self._held = None
            self.cut()

    def unblock(self) -> None:
        """Let everything pass again."""
        if not self._blocked:
            return
        self._blocked.clear()
        held, self._held = self._held or [], None
        for to_agent, connection, message in held:
            self._carry(connection, message, to_agent=to_agent)
        if not self.is_up:
            self._try(self.connection)

    # Messages.

    def send(self, message: Any, *, to_agent: bool, connection: int) -> None:
        """Take a message along, on the connection it was given to."""
        if not to_agent and not self.is_up and self._queues:
            self._queued.append(message)
        elif connection == self.connection and self.is_up:
            self._carry(connection, message, to_agent=to_agent)

    def _carry(self, connection: int, message: Any, *, to_agent: bool) -> None:
        if to_agent in self._blocked:
            if self._held is not None:
                self._held.append((to_agent, connection, message))
            return
        now_us = self._scheduler.now_us
        when_us = max(now_us + self._dice.randrange(500, LATENCY_US), self._last_us[to_agent] + 1)
        fault = None if self.quiet else self._fault()
        if fault is Fault.LOSE:
            return
        if fault is Fault.DELAY:
            when_us += self._dice.randrange(5 * SECOND_US)
        if fault is Fault.REORDER:
            late_us = when_us + self._dice.randrange(self._dice.choice([50_000, LATE_US]))
            self._deliver(late_us, connection, message, to_agent=to_agent)
            return
        if fault is Fault.DOUBLE:
            late_us = when_us + self._dice.randrange(self._dice.choice([50_000, LATE_US]))
            self._deliver(late_us, connection, message, to_agent=to_agent)
        self._last_us[to_agent] = when_us
        self._deliver(when_us, connection, message, to_agent=to_agent)

    def _fault(self) -> Fault | None:
        for fault in self._faults:
            if self._dice.random() < RATES[fault]:
                return fault
        return None

    def _deliver(self, when_us: int, connection: int, message: Any, *, to_agent: bool) -> None:
        def arrive() -> None:
            # What the agent sent before its connection broke may have been read before that.
            if to_agent and connection == self.connection:
                self._to_agent(message)
            elif not to_agent and self.server_is_up and connection >= self._oldest:
                self._to_coordinator(connection, message)

        self._scheduler.at(when_us, "arrive", arrive)
