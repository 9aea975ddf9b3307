"""What can be done to an event."""

from __future__ import annotations

from typing import Final

from .action import Action, Place, Situation


def _openable(at: Situation) -> str:
    known = at.jobs or at.runs or at.agents or at.removed
    return "" if known else "it is about nothing that is still here"


EVENTS: Final = (
    Action(
        id="event",
        key="enter",
        name="open",
        help="open what it is about: the run, the agent or the job, removed or not",
        places=frozenset({Place.EVENTS}),
        blocked=_openable,
    ),
)
