"""The life of a run, as a table.

::

              RETRY (next attempt)
        ┌───────────────────────────────────────────────┐
        ▼                                               │
      queued ──DISPATCH──► dispatched ──ACCEPT──► accepted ──START──► running ──END──► one of
        │  ▲                   │                    │                   │              succeeded
        │  └────RETURN─────────┘                    │                   │              failed
        ├─CANCEL──► cancelled                       │                   │              timed_out
        ├─EXPIRE──► skipped    └─────────LOSE───────┴───────────────────┘──► lost      cancelled
        ├─LOSE────► lost (only of a restored backup)                         │         refused
        └─GIVE_UP─► refused                                                  │
                                          an agent that comes back ◄─REOPEN──┘         lost

An agent reports states, not steps, so a report may skip over states that it implies.
"""

from __future__ import annotations

import enum
from typing import Final

from tocsin.errors import InvalidTransition
from tocsin.model import RunState


class Cause(enum.Enum):
    """What makes a run change its state."""

    DISPATCH = enum.auto()
    RETURN = enum.auto()
    """The dispatch provably never arrived."""
    ACCEPT = enum.auto()
    START = enum.auto()
    END = enum.auto()
    """The agent reported an outcome; the state is the outcome's."""
    LOSE = enum.auto()
    REOPEN = enum.auto()
    """The agent that was given up still has it."""
    RETRY = enum.auto()
    CANCEL = enum.auto()
    EXPIRE = enum.auto()
    """Its first attempt waited for an agent for too long."""
    GIVE_UP = enum.auto()
    """A later attempt did: what ran before it is no skip."""


_UNDER_WAY: Final = (RunState.DISPATCHED, RunState.ACCEPTED, RunState.RUNNING)

TABLE: Final[dict[tuple[RunState, Cause], RunState | None]] = {
    (RunState.QUEUED, Cause.DISPATCH): RunState.DISPATCHED,
    (RunState.QUEUED, Cause.CANCEL): RunState.CANCELLED,
    (RunState.QUEUED, Cause.EXPIRE): RunState.SKIPPED,
    (RunState.QUEUED, Cause.GIVE_UP): RunState.REFUSED,
    (RunState.QUEUED, Cause.LOSE): RunState.LOST,
    (RunState.DISPATCHED, Cause.RETURN): RunState.QUEUED,
    (RunState.DISPATCHED, Cause.ACCEPT): RunState.ACCEPTED,
    (RunState.DISPATCHED, Cause.START): RunState.RUNNING,
    (RunState.ACCEPTED, Cause.START): RunState.RUNNING,
    (RunState.LOST, Cause.REOPEN): RunState.DISPATCHED,
    **{(state, Cause.END): None for state in _UNDER_WAY},
    **{(state, Cause.LOSE): RunState.LOST for state in _UNDER_WAY},
    **{(state, Cause.RETRY): RunState.QUEUED for state in _UNDER_WAY},
}
"""`None`: any terminal state, the outcome names it."""

KNOWN_RACES: Final = frozenset(
    {
        # Told twice: links deliver at least once.
        (RunState.ACCEPTED, Cause.ACCEPT),
        (RunState.RUNNING, Cause.ACCEPT),
        (RunState.RUNNING, Cause.START),
    }
)
"""Events that change nothing, and are expected to happen."""


def after(state: RunState, cause: Cause, run_id: str) -> RunState | None:
    """The state that follows.

    Raises:
        InvalidTransition: the table has no such row.
    """
    try:
        return TABLE[state, cause]
    except KeyError:
        raise InvalidTransition(f"run {run_id} is {state} and cannot {cause.name}") from None
