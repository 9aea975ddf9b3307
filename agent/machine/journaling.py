"""What follows when the turn's records are written, and when they cannot be."""

from __future__ import annotations

from typing import Final

from tocsin.execution import Status
from tocsin.instants import SECOND_US, Now

from .attempts import end_unheard
from .hosts import tell_hosts
from .records import Accepted
from .state import State

REWRITE_US: Final = SECOND_US


def on_stored(state: State, failure: str, now: Now) -> None:
    """Tell the hosts what is safe now, or take back what is not."""
    if failure and state.turn:
        _on_unwritten(state, failure, now)
    state.turn.clear()
    if state.unwritten:
        _hold_confirms(state)
    tell_hosts(state)


def _on_unwritten(state: State, failure: str, now: Now) -> None:
    """Refuse the orders that the records were to make safe; keep the rest to be written later."""
    state.note("journal.failed", reason=failure)
    unsafe = {order.key for r in state.turn if isinstance(r, Accepted) for order in r.orders}
    state.unwritten += [r for r in state.turn if not isinstance(r, Accepted)]
    state.rewrite_us = now.steady_us + REWRITE_US
    for side in state.hosts.values():
        unsafe |= side.orders.keys()
        side.orders = {}
    for key in sorted(unsafe):
        attempt = state.attempts[key]
        if attempt.outcome is None:
            state.host(attempt.executor).waiting.pop(key, None)
            message = f"the agent cannot keep a record of it: {failure}"
            end_unheard(state, attempt, Status.REFUSED, message, now)


def _hold_confirms(state: State) -> None:
    """A host keeps its ends until the journal does: it would run them again otherwise."""
    for executor, side in state.hosts.items():
        state.unwritten_confirms += [(executor, key) for key in side.confirms]
        side.confirms = []


def rewrite(state: State, now: Now) -> None:
    """Try again to write what could not be written."""
    if state.rewrite_us is None or now.steady_us < state.rewrite_us:
        return
    state.rewrite_us = None
    records, state.unwritten = state.unwritten, []
    for record in records:
        state.journal(record)
    confirms, state.unwritten_confirms = state.unwritten_confirms, []
    for executor, key in confirms:
        state.host(executor).confirms.append(key)
