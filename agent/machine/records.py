"""What the journal holds: the facts that must outlive the agent's process."""

from __future__ import annotations

import msgspec

from tocsin.execution import AttemptKey, Order
from tocsin.hosting import RunBegan, RunEnded


class Opened(msgspec.Struct, frozen=True, array_like=True, tag="opened"):
    """The journal was opened under this spool id, during this boot, for the nth time."""

    spool: str
    boot_id: str
    times: int = 0


class EpochSeen(msgspec.Struct, frozen=True, array_like=True, tag="epoch"):
    """Orders of an epoch lower than this one are not taken."""

    epoch: int


class Accepted(msgspec.Struct, frozen=True, array_like=True, tag="accepted"):
    """These orders are the agent's now."""

    at_us: int
    orders: list[Order]


class Handed(msgspec.Struct, frozen=True, array_like=True, tag="handed"):
    """These attempts are about to be sent to this host; to "", they were not sent after all."""

    host: str
    keys: list[AttemptKey]


class Began(msgspec.Struct, frozen=True, array_like=True, tag="began"):
    """These attempts are running."""

    runs: list[RunBegan]


class Ended(msgspec.Struct, frozen=True, array_like=True, tag="ended"):
    """These attempts are over."""

    runs: list[RunEnded]


class Forgotten(msgspec.Struct, frozen=True, array_like=True, tag="forgotten"):
    """The coordinator keeps the ends of these attempts; nothing of them is needed any more."""

    keys: list[AttemptKey]


class Closed(msgspec.Struct, frozen=True, array_like=True, tag="closed"):
    """The agent ended in good order: nothing was journaled and lost after this."""


Record = Opened | EpochSeen | Accepted | Handed | Began | Ended | Forgotten | Closed
