"""What the coordinator wants run and ended."""

from __future__ import annotations

from tocsin.execution import AttemptKey, Order, Status
from tocsin.instants import Now
from tocsin.messages.agent_link import Dispatch

from .attempts import add, end_unheard, touch
from .hosts import cancel, place
from .memory import Attempt
from .records import Accepted
from .sessions import greet, see_epoch
from .state import State


def on_dispatch(state: State, dispatch: Dispatch, now: Now) -> None:
    """Take new orders; what was taken before is not taken again."""
    link = state.link
    if dispatch.epoch < state.memory.epoch:
        state.note("dispatch.stale", epoch=dispatch.epoch, seen=state.memory.epoch)
        return
    skipped = link.orders_seen + 1 - dispatch.first
    if skipped < 0:
        state.note("orders.missing", expected=link.orders_seen + 1, got=dispatch.first)
        greet(state, now)
        return
    see_epoch(state, dispatch.epoch)
    link.orders_seen = max(link.orders_seen, dispatch.first + len(dispatch.orders) - 1)
    _take(state, dispatch.orders[skipped:], now)


def _take(state: State, orders: list[Order], now: Now) -> None:
    accepted = []
    for order in orders:
        known = state.attempts.get(order.key)
        if known is not None:
            if known.outcome is None:
                touch(state, known, now)
            continue
        attempt = Attempt(order.key, order.executor, now.wall_us, order)
        add(state, attempt)
        if order.executor not in state.offers:
            message = f"this agent offers no executor {order.executor!r}"
            end_unheard(state, attempt, Status.REFUSED, message, now)
            continue
        accepted.append(order)
        touch(state, attempt, now, urgent=False)
    if accepted:
        state.journal(Accepted(now.wall_us, accepted))
    for order in accepted:
        if state.draining:
            state.kept[order.key] = None
        else:
            place(state, state.attempts[order.key])


def on_cancel(state: State, keys: list[AttemptKey], now: Now) -> None:
    """End attempts; those that are not known are over, or never came."""
    for key in keys:
        if attempt := state.attempts.get(key):
            cancel(state, attempt, now)
