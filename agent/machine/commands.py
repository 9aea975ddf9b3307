"""What the machine wants done.

A turn is any number of events, then one write of all its records, then `Stored`. Everything that
needs a record to be safe is commanded in answer to `Stored`.
"""

from __future__ import annotations

import msgspec

from tocsin.execution import AttemptKey
from tocsin.hosting import ToHost as HostOrder
from tocsin.messages.agent_link import FromAgent

from .records import Record


class Journal(msgspec.Struct, frozen=True):
    """Write this with the turn's other records."""

    record: Record


class Send(msgspec.Struct, frozen=True):
    """Say this to the coordinator."""

    message: FromAgent


class Redial(msgspec.Struct, frozen=True):
    """Hang up, and dial the coordinator on a fresh socket."""


class StartHost(msgspec.Struct, frozen=True):
    """Start the host of an executor; `HostMet`, `HostGone` or `HostFailed` answers."""

    executor: str


class ToHost(msgspec.Struct, frozen=True):
    """Say this to an executor's host."""

    executor: str
    message: HostOrder


class ProbeExecutors(msgspec.Struct, frozen=True):
    """Look at all executors again, after a while; `ExecutorsProbed` answers."""


class FollowOutput(msgspec.Struct, frozen=True):
    """Read what this attempt prints as it grows."""

    key: AttemptKey
    keep_bytes: int


class FinishOutput(msgspec.Struct, frozen=True):
    """These attempts are over: read what is left, then say so. Each with its `keep_bytes`."""

    ended: list[tuple[AttemptKey, int]]


class Position(msgspec.Struct, frozen=True):
    """How far an attempt's output is known elsewhere."""

    key: AttemptKey
    keep_bytes: int
    offsets: tuple[int, int]
    ended: bool


class ResumeOutput(msgspec.Struct, frozen=True):
    """Go on from these positions, whatever was read before."""

    positions: list[Position]


class WatchOutput(msgspec.Struct, frozen=True):
    """Read the newest that these attempts print as well, until an instant of the steady clock."""

    keys: list[AttemptKey]
    until_us: int


class LeaveOutput(msgspec.Struct, frozen=True):
    """Read the output of these attempts no more; its files stay where they are."""

    keys: list[AttemptKey]


class DropOutput(msgspec.Struct, frozen=True):
    """Delete the output of these attempts."""

    keys: list[AttemptKey]


class SweepOutput(msgspec.Struct, frozen=True):
    """Delete all output but that of these attempts."""

    keep: frozenset[AttemptKey]


class Note(msgspec.Struct, frozen=True):
    """Write this to the log; as a warning if something is wrong."""

    event: str
    facts: dict[str, str | int] = {}
    warns: bool = True


class Exit(msgspec.Struct, frozen=True):
    """End the process with this exit code."""

    code: int


Command = (
    Journal
    | Send
    | Redial
    | StartHost
    | ToHost
    | ProbeExecutors
    | FollowOutput
    | FinishOutput
    | ResumeOutput
    | WatchOutput
    | LeaveOutput
    | DropOutput
    | SweepOutput
    | Note
    | Exit
)
