"""What an agent knows of its attempts, and how the journal brings it back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, assert_never

import msgspec
from msgspec.structs import replace

from tocsin.execution import AttemptKey, Order, Outcome
from tocsin.hosting import RunBegan, RunEnded
from tocsin.messages.agent_link import Phase

from .records import (
    Accepted,
    Began,
    Closed,
    Ended,
    EpochSeen,
    Forgotten,
    Handed,
    Opened,
    Record,
)

UNKNOWN_HOST: Final = "?"
"""Stands for whatever host an attempt may have been handed to when nobody can know."""
KEEP_BYTES_DEFAULT: Final = 1 << 20
"""For an attempt whose order is not known any more."""


class Attempt(msgspec.Struct):
    """One attempt that this agent holds, until the coordinator keeps its end."""

    key: AttemptKey
    executor: str
    accepted_us: int
    order: Order | None
    """None when only a host or an end tells of the attempt."""
    host: str = ""
    """The host it was handed to; empty as long as it provably was not."""
    started_us: int | None = None
    ended_us: int | None = None
    outcome: Outcome | None = None
    cancel: bool = False
    chunks_waiting: int = 0
    """Pieces of its output that no report carries yet."""
    output_over: bool = False
    """No output is left to be read."""

    @property
    def keep_bytes(self) -> int:
        """How much of each output stream is kept."""
        return KEEP_BYTES_DEFAULT if self.order is None else self.order.keep_bytes

    @property
    def phase(self) -> Phase:
        """How far it got."""
        if self.outcome is not None:
            return Phase.ENDED
        return Phase.ACCEPTED if self.started_us is None else Phase.RUNNING


class Memory(msgspec.Struct):
    """All that the journal holds."""

    spool: str = ""
    boot_id: str = ""
    times_opened: int = 0
    epoch: int = 0
    attempts: dict[AttemptKey, Attempt] = {}
    closed: bool = False
    """The journal ends in good order."""


def replay(memory: Memory, records: Iterable[Record]) -> None:
    """Take up records in the order in which they were written."""
    for record in records:
        memory.closed = False
        _apply(memory, record)


def _apply(memory: Memory, record: Record) -> None:  # noqa: C901, PLR0912 - one case a record
    attempts = memory.attempts
    match record:
        case Opened(spool, boot_id, times):
            memory.spool, memory.boot_id, memory.times_opened = spool, boot_id, times
        case EpochSeen(epoch):
            memory.epoch = max(memory.epoch, epoch)
        case Accepted(at_us, orders):
            for order in orders:
                attempts[order.key] = Attempt(order.key, order.executor, at_us, order)
        case Handed(host, keys):
            for key in keys:
                if attempt := attempts.get(key):
                    attempt.host = host
        case Began(runs):
            for began in runs:
                _known(memory, began.key, began.at_us).started_us = began.at_us
        case Ended(runs):
            for end in runs:
                attempt = _known(memory, end.key, end.at_us)
                attempt.started_us = end.began_us
                attempt.ended_us, attempt.outcome = end.at_us, end.outcome
        case Forgotten(keys):
            for key in keys:
                attempts.pop(key, None)
        case Closed():
            memory.closed = True
        case _:
            assert_never(record)


def _known(memory: Memory, key: AttemptKey, at_us: int) -> Attempt:
    attempt = memory.attempts.get(key)
    if attempt is None:
        attempt = memory.attempts[key] = Attempt(key, "", at_us, None, UNKNOWN_HOST)
    return attempt


def doubt(memory: Memory) -> None:
    """Records may be missing: what is not over may have been handed to any host."""
    for attempt in memory.attempts.values():
        if attempt.outcome is None:
            attempt.host = UNKNOWN_HOST


def snapshot(memory: Memory) -> list[Record]:
    """The fewest records that bring the same memory back."""
    records: list[Record] = [
        Opened(memory.spool, memory.boot_id, memory.times_opened),
        EpochSeen(memory.epoch),
    ]
    began, ended = [], []
    for attempt in memory.attempts.values():
        if attempt.outcome is not None:
            assert attempt.ended_us is not None
            ended.append(
                RunEnded(attempt.key, attempt.started_us, attempt.ended_us, attempt.outcome)
            )
        elif attempt.started_us is not None:
            began.append(RunBegan(attempt.key, attempt.started_us))
        if attempt.order is not None:
            records += _origin(attempt, attempt.order)
    return [*records, Began(began), Ended(ended)]


def _origin(attempt: Attempt, order: Order) -> list[Record]:
    if attempt.outcome is not None:  # what it was to do is of no use any more
        order = replace(order, config={}, env={})
    accepted = Accepted(attempt.accepted_us, [order])
    return [accepted, Handed(attempt.host, [attempt.key])] if attempt.host else [accepted]
