"""What an agent and the coordinator say to each other.

A *session* is one hello and what follows it. Inside a session the coordinator numbers its
orders and the agent numbers its reports, so a lost, doubled or late message is seen as such:

- an order of another session, or with a number already seen, is dropped; a gap in the numbers
  makes the agent say hello again;
- at hello the agent lists every attempt it knows (`Hello.attempts`). What the coordinator had
  dispatched to the same `spool` and does not find there has provably never been received.
"""

from __future__ import annotations

import enum

import msgspec

from tocsin.execution import AttemptKey, Offer, Order, Outcome


class Phase(enum.StrEnum):
    """How far an agent got with an attempt."""

    ACCEPTED = "accepted"
    RUNNING = "running"
    ENDED = "ended"


class AttemptReport(msgspec.Struct, frozen=True, array_like=True):
    """All that an agent knows of one attempt. A later report replaces an earlier one."""

    key: AttemptKey
    phase: Phase
    accepted_us: int
    started_us: int | None = None
    ended_us: int | None = None
    outcome: Outcome | None = None


class Chunk(msgspec.Struct, frozen=True, array_like=True):
    """A piece of one output stream (1 stdout, 2 stderr), at `offset` bytes from its beginning.

    `at_us` is when the last of it was written, by the agent's clock.
    A gap, where the middle of a long stream is not kept, is a chunk without data and with
    `gap_bytes`.
    """

    key: AttemptKey
    stream: int
    offset: int
    at_us: int
    data: bytes
    gap_bytes: int = 0

    @property
    def end(self) -> int:
        """The offset behind this chunk."""
        return self.offset + len(self.data) + self.gap_bytes


class Hello(msgspec.Struct, frozen=True, array_like=True, tag="hello"):
    """Agent: here I am, and this is everything I hold."""

    protocol: int
    session: str
    spool: str
    """Names the agent's unbroken memory: a new one when attempts may have been forgotten."""
    epoch_seen: int
    version: str
    tags: dict[str, str]
    slots: int
    executors: list[str]
    """All that it has; `Offers` says how each is."""
    attempts: list[AttemptReport]
    wall_us: int
    number: int
    """Rises with every hello of this spool: one that comes late or twice is old news."""


class Heartbeat(msgspec.Struct, frozen=True, array_like=True, tag="heartbeat"):
    """Agent: I am still here; `orders_seen` is the number of the last order received."""

    session: str
    orders_seen: int
    wall_us: int


class Report(msgspec.Struct, frozen=True, array_like=True, tag="report"):
    """Agent: what is new, numbered from 1 within the session; kept until it is acknowledged."""

    session: str
    number: int
    attempts: list[AttemptReport]
    output: list[Chunk]


class Bye(msgspec.Struct, frozen=True, array_like=True, tag="bye"):
    """Agent: give me no more runs; `final` when I am about to end."""

    session: str
    final: bool


class Offers(msgspec.Struct, frozen=True, array_like=True, tag="offers"):
    """Agent: these are my executors now, all of them, and how they are."""

    session: str
    offers: list[Offer]


class Descriptions(msgspec.Struct, frozen=True, array_like=True, tag="descriptions"):
    """Agent: what was asked for by `Describe`, each the msgpack of a `tocsin.model.Description`."""

    session: str
    bodies: list[bytes]


class Resume(msgspec.Struct, frozen=True, array_like=True):
    """How to go on with one attempt that the hello listed."""

    key: AttemptKey
    stdout_offset: int
    stderr_offset: int
    forget: bool
    """Its end is recorded, or it is unknown here: delete all of it."""


class Welcome(msgspec.Struct, frozen=True, array_like=True, tag="welcome"):
    """Coordinator: the session stands."""

    session: str
    epoch: int
    agent_id: str
    name: str
    heartbeat_s: float
    resume: list[Resume]


class Pulse(msgspec.Struct, frozen=True, array_like=True, tag="pulse"):
    """Coordinator: the answer to a heartbeat."""

    session: str
    wall_us: int


class Dispatch(msgspec.Struct, frozen=True, array_like=True, tag="dispatch"):
    """Coordinator: run these; the first has the number `first`, numbers start at 1."""

    session: str
    epoch: int
    first: int
    orders: list[Order]


class Cancel(msgspec.Struct, frozen=True, array_like=True, tag="cancel"):
    """Coordinator: end these attempts."""

    session: str
    keys: list[AttemptKey]


class Watch(msgspec.Struct, frozen=True, array_like=True, tag="watch"):
    """Coordinator: somebody watches these attempts, for `span_s` from now unless it is said again.

    Of what they print, the newest is reported as well, at a bounded rate (`output_plan`).
    """

    session: str
    keys: list[AttemptKey]
    span_s: float


class Ack(msgspec.Struct, frozen=True, array_like=True, tag="ack"):
    """Coordinator: every report up to `number` is durable."""

    session: str
    number: int


class Describe(msgspec.Struct, frozen=True, array_like=True, tag="describe"):
    """Coordinator: I do not know the descriptions of these digests."""

    session: str
    digests: list[str]


class Resync(msgspec.Struct, frozen=True, array_like=True, tag="resync"):
    """Coordinator: I do not know your session; say hello."""

    reason: str


class Rejected(msgspec.Struct, frozen=True, array_like=True, tag="rejected"):
    """Coordinator: you are not served, and asking again at once will not help."""

    reason: str


FromAgent = Hello | Heartbeat | Report | Bye | Offers | Descriptions
ToAgent = Welcome | Pulse | Dispatch | Cancel | Watch | Ack | Describe | Resync | Rejected
