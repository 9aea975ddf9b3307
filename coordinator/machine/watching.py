"""Runs whose output somebody follows: their agents are asked for the newest of it.

A client that follows asks again and again, so nothing of this has to survive anything: an agent
stops by itself, and is told anew where somebody still asks.
"""

from __future__ import annotations

from typing import Final

from tocsin.instants import SECOND_US, Now
from tocsin.messages.agent_link import Watch

from .state import State, Watched, key_of

SPAN_S: Final = 60.0
"""An agent is asked for so long; a client asks more often."""
AGAIN_US: Final = 10 * SECOND_US
"""It is asked again at most so often."""
WATCHED_MAX: Final = 64
"""More are not watched at the same time: what they all send has to be stored."""


def on_followed(state: State, run_id: str, now: Now) -> None:
    """A client waits for what a run prints next."""
    active = state.active.get(run_id)
    session = state.sessions.get(active.run.agent_id) if active is not None else None
    if active is None or session is None:
        return
    watched = state.fleet.watched
    told = watched.get(run_id)
    key = key_of(active.run)
    if told is not None and told.key == key and told.session == session.id:
        if now.steady_us < told.at_us + AGAIN_US:
            return
    elif told is None and len(watched) >= WATCHED_MAX and not _drop_passed(state, now):
        return
    watched[run_id] = Watched(key, session.id, now.steady_us)
    state.say(session.agent.id, Watch(session.id, [key], SPAN_S))


def _drop_passed(state: State, now: Now) -> bool:
    """Forget what nobody asked about again; whether there is room now."""
    since_us = now.steady_us - round(SPAN_S * SECOND_US)
    passed = [run_id for run_id, told in state.fleet.watched.items() if told.at_us < since_us]
    for run_id in passed:
        del state.fleet.watched[run_id]
    return len(state.fleet.watched) < WATCHED_MAX
