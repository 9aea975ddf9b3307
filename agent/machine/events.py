"""What can happen to an agent."""

from __future__ import annotations

import msgspec

from tocsin.execution import AttemptKey, Health, Offer
from tocsin.hosting import HostHello, HostReport
from tocsin.messages.agent_link import Chunk, ToAgent

from .profile import Profile


class LinkUp(msgspec.Struct, frozen=True):
    """The coordinator can be reached."""


class LinkDown(msgspec.Struct, frozen=True):
    """The coordinator cannot be reached; `refused` when it does not admit the agent's key."""

    refused: bool = False


class Told(msgspec.Struct, frozen=True):
    """The coordinator said something."""

    message: ToAgent


class HostMet(msgspec.Struct, frozen=True):
    """A host answered. `identity` names its process among all that ever run on this machine."""

    executor: str
    identity: str
    hello: HostHello


class HostSaid(msgspec.Struct, frozen=True):
    """A host reported."""

    executor: str
    report: HostReport


class HostGone(msgspec.Struct, frozen=True):
    """An executor's host process is no more; it was never sent the attempts in `unsent`."""

    executor: str
    reason: str
    unsent: list[AttemptKey]
    left_handles: bool = False
    """It left handles of runs that may go on without it: its successor can find them again."""


class HostFailed(msgspec.Struct, frozen=True):
    """An executor's host could not be started."""

    executor: str
    reason: str


class HostHealthSaid(msgspec.Struct, frozen=True):
    """An executor says, from its host, how it is."""

    executor: str
    health: Health


class ExecutorsProbed(msgspec.Struct, frozen=True):
    """All executors were looked at. `bodies` are their descriptions by digest."""

    offers: list[Offer]
    bodies: dict[str, bytes]


class OutputRead(msgspec.Struct, frozen=True):
    """More output, in order; all output of the ended attempts `over` has now been read."""

    chunks: list[Chunk]
    over: list[AttemptKey]


class ProfileChanged(msgspec.Struct, frozen=True):
    """The agent's settings were read again."""

    profile: Profile


class Stored(msgspec.Struct, frozen=True):
    """The records given since the last `Stored` are in the journal; with `failure`, none is."""

    failure: str = ""


class Tick(msgspec.Struct, frozen=True):
    """Time passed; the deadline may be reached."""


class Terminate(msgspec.Struct, frozen=True):
    """The agent is to end: in good order at first, at once when asked again."""


Event = (
    LinkUp
    | LinkDown
    | Told
    | HostMet
    | HostSaid
    | HostGone
    | HostFailed
    | HostHealthSaid
    | ExecutorsProbed
    | OutputRead
    | ProfileChanged
    | Stored
    | Tick
    | Terminate
)
