"""What was seen to happen since the start, which nobody did and no record tells of.

Agents that went away and came back, and maintenance that ended by itself, as two views that
followed each other show it. What happened while the link was down is seen when it is up again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from tocsin.messages.client_answers import Status
from tocsin.model import Agent, AgentState
from tocsin.pausing import scope_text

from .state import View

KEPT_MAX: Final = 500
_HERE: Final = frozenset({AgentState.UP, AgentState.DRAINING, AgentState.CORDONED})


class Sighting(msgspec.Struct, frozen=True):
    """Something that was seen."""

    at_us: int
    what: str
    agent: str = ""
    """Its name, where it is about one."""
    detail: str = ""
    bad: bool = False


def notice(before: View, after: View, now_us: int) -> list[Sighting]:
    """What happened to agents between two views."""
    if not before.whole or before.agents is after.agents:
        return []
    seen = (_of_agent(before.agents.get(key), now, now_us) for key, now in after.agents.items())
    return [one for one in seen if one is not None]


def notice_status(before: Status | None, after: Status | None, now_us: int) -> Iterator[Sighting]:
    """Which maintenance ended by itself between two answers."""
    if before is None or after is None:
        return
    going_on = {pause.id for pause in after.pauses}
    for pause in before.pauses:
        if pause.id not in going_on and pause.until_us is not None and pause.until_us <= now_us:
            text = f"{scope_text(pause)} no longer paused"
            yield Sighting(pause.until_us, "maintenance over", detail=text)


def keep(known: tuple[Sighting, ...], more: list[Sighting]) -> tuple[Sighting, ...]:
    """With some more; the newest are the last."""
    return (*known, *more)[-KEPT_MAX:] if more else known


def _of_agent(before: Agent | None, now: Agent, now_us: int) -> Sighting | None:
    if before is None:
        return None
    if before.state in _HERE and now.state is AgentState.DOWN:
        at_us = now.down_since_us or now_us
        return Sighting(at_us, "agent went away", now.name, "it is not heard any more", bad=True)
    if before.state is AgentState.DOWN and now.state in _HERE:
        return Sighting(now_us, "agent is back", now.name, f"it is {now.state}")
    return None
