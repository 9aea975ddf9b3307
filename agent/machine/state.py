"""What the machine remembers between events, and what it has decided so far in this turn."""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from tocsin.execution import AttemptKey, Offer, Order
from tocsin.hosting import RunBegan, RunEnded
from tocsin.messages.agent_link import Chunk

from .commands import Command, FinishOutput, Journal, Note
from .memory import Attempt, Memory
from .profile import Profile
from .records import Began, Ended, Forgotten, Handed, Record


class Phase(enum.Enum):
    """Where the agent stands with the coordinator."""

    DOWN = enum.auto()
    """It cannot be reached, or a fresh socket was asked for."""
    GREETING = enum.auto()
    """Hello was said, and is not answered."""
    UP = enum.auto()
    REJECTED = enum.auto()
    """It does not serve us; we ask again after a while."""


class Link(msgspec.Struct):
    """The session with the coordinator. Instants are on the steady clock."""

    phase: Phase = Phase.DOWN
    reachable: bool = False
    session: str = ""
    hello_due: bool = False
    hellos: int = 0
    """How many were said since the journal was opened."""
    orders_seen: int = 0
    heartbeat_us: int = 1_000_000
    beat_us: int = 0
    """When the next heartbeat is due."""
    heard_us: int = 0
    """When the coordinator last said anything."""
    until_us: int = 0
    """When a hello that is not answered, or a rejection, is over."""
    patience_us: int = 0
    """How long the last hello was given to be answered."""


class Sent(NamedTuple):
    """A report that is not acknowledged."""

    number: int
    at_us: int
    output_bytes: int
    ended: list[AttemptKey]


class Outbox(msgspec.Struct):
    """What the coordinator is still to be told in this session."""

    number: int = 0
    window: deque[Sent] = msgspec.field(default_factory=deque)
    unacked_bytes: int = 0
    dirty: dict[AttemptKey, None] = {}
    """Attempts whose latest state no report carries."""
    chunks: deque[Chunk] = msgspec.field(default_factory=deque)
    chunk_bytes: int = 0
    urgent: bool = False
    """Something waits besides the mere acceptance of orders."""
    since_us: int = 0
    """Since when something waits."""
    flushed_us: int = 0

    @property
    def waiting(self) -> int:
        """How many things wait."""
        return len(self.dirty) + len(self.chunks)


class HostSide(msgspec.Struct):
    """The host of one executor, as far as it is known."""

    identity: str = ""
    """Of the connected host; empty when none is."""
    asked: bool = False
    """One was asked for."""
    waiting: dict[AttemptKey, None] = {}
    """Attempts to be handed over as soon as there is a host."""
    orders: dict[AttemptKey, Order] = {}
    """To be sent once this turn's records are safe; so are the next two."""
    cancels: list[AttemptKey] = []
    confirms: list[AttemptKey] = []
    seeks: str = ""
    """Why the next host has to find runs again; empty when it has not."""
    met_us: int = 0
    """Steady clock: when the connected host answered."""
    gone_in_a_row: int = 0
    """Hosts that ended one after the other, each soon after it answered."""


class Standing(NamedTuple):
    """How an agent is, for people."""

    phase: Phase
    runs: int
    broken: list[str]
    """Executors that do not work."""
    draining: bool


class State:
    """The mutable inside of the machine."""

    def __init__(
        self, memory: Memory, profile: Profile, sought: set[str], new_id: Callable[[], str]
    ) -> None:
        self.memory: Final = memory
        self.attempts: Final = memory.attempts
        self.profile = profile
        self.new_id: Final = new_id
        self.offers: dict[str, Offer] = {name: Offer(name) for name in profile.executors}
        """Its executors by name."""
        self.bodies: dict[str, bytes] = {}
        """Descriptions of executors by digest."""
        self.link: Final = Link()
        self.outbox = Outbox()
        self.hosts: Final[dict[str, HostSide]] = {}
        self.sought: Final = sought
        """Executors whose hosts may be alive since before; no hello is said until this is known."""
        self.seek_until_us: int | None = None
        self.running = sum(1 for a in self.attempts.values() if a.outcome is None)
        """How many attempts are not over."""
        self.kept: Final = {
            key: None for key, a in self.attempts.items() if a.outcome is None and not a.host
        }
        """Accepted attempts that are not placed: by the end of an earlier agent, or of this one."""
        self.found = False
        """A host spoke of attempts that were not known."""
        self.unseen: Final[set[str]] = set()
        """Executors of which runs may go on that no host has looked for yet, by their handles.

        They may be found again, so their output is not deleted.
        """
        self.sweep_due = True
        """Output may be left of attempts that are not held."""
        self.draining = False
        self.drain_until_us: int | None = None
        self.exited = False
        self.commands: list[Command] = []
        self.turn: list[Record] = []
        """Records that were commanded and are not known to be written."""
        self.unwritten: list[Record] = []
        """Records that could not be written."""
        self.unwritten_confirms: list[tuple[str, AttemptKey]] = []
        self.rewrite_us: int | None = None
        self._handed: dict[str, list[AttemptKey]] = {}
        self._began: list[RunBegan] = []
        self._ended: list[RunEnded] = []
        self._forgotten: list[AttemptKey] = []
        self._finished: list[tuple[AttemptKey, int]] = []

    def host(self, executor: str) -> HostSide:
        """What is known of an executor's host."""
        side = self.hosts.get(executor)
        if side is None:
            side = self.hosts[executor] = HostSide()
        return side

    def note(self, event: str, **facts: str | int) -> None:
        """Have a warning logged."""
        self.commands.append(Note(event, facts))

    # Facts are gathered over one event, so that a batch of attempts is one record.

    def journal(self, record: Record) -> None:
        """Have this record written."""
        self.turn.append(record)
        self.commands.append(Journal(record))

    def handed(self, host: str, key: AttemptKey) -> None:
        """An attempt goes to a host."""
        self._handed.setdefault(host, []).append(key)

    def began(self, run: RunBegan) -> None:
        """An attempt runs."""
        self._began.append(run)

    def ended(self, attempt: Attempt, run: RunEnded) -> None:
        """An attempt is over; its output is to be read to the end."""
        self._ended.append(run)
        self._finished.append((attempt.key, attempt.keep_bytes))

    def forgotten(self, key: AttemptKey) -> None:
        """Nothing of an attempt is needed any more."""
        self._forgotten.append(key)

    def settle(self) -> list[Command]:
        """The commands given since the last call."""
        for host, keys in self._handed.items():
            self.journal(Handed(host, keys))
        if self._handed:
            self._handed = {}
        if self._began:
            self.journal(Began(self._began))
            self._began = []
        if self._ended:
            self.journal(Ended(self._ended))
            self._ended = []
        if self._forgotten:
            self.journal(Forgotten(self._forgotten))
            self._forgotten = []
        if self._finished:
            self.commands.append(FinishOutput(self._finished))
            self._finished = []
        commands, self.commands = self.commands, []
        return commands
