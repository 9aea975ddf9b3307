"""Which host has which attempt, and what follows when a host comes, speaks or goes.

An attempt is handed to a host at most once, unless that very host, still alive, says that it never
got it. The host's identity is journaled before the order leaves, so this holds over a kill of the
agent at any instant: what was handed to a host that is gone is lost, not started again.
"""

from __future__ import annotations

from typing import Final

from tocsin.execution import Status
from tocsin.hosting import CancelRuns, Confirm, HostHello, HostReport, StartRuns
from tocsin.instants import SECOND_US, Now

from . import offers
from .attempts import begin, end, end_unheard, found
from .commands import FollowOutput, StartHost, ToHost
from .events import HostGone
from .memory import Attempt
from .state import HostSide, State

GONE_MAX: Final = 3
"""So many hosts in a row may end soon, perhaps over the runs that they find again."""
SOON_US: Final = 60 * SECOND_US
_LOST_AWAY = "its executor host ended while the agent was away (reboot, or killed)"


def place(state: State, attempt: Attempt) -> None:
    """Have a host run an attempt that provably no host was given."""
    side = state.host(attempt.executor)
    if side.identity:
        _hand(state, side, attempt)
        return
    side.waiting[attempt.key] = None
    _ask(state, attempt.executor, side)


def place_kept(state: State) -> None:
    """Place what an earlier agent accepted; the coordinator has said by now what it wants."""
    kept = list(state.kept)
    state.kept.clear()
    for key in kept:
        place(state, state.attempts[key])


def _ask(state: State, executor: str, side: HostSide) -> None:
    if not side.asked and executor not in state.sought:
        side.asked = True
        state.commands.append(StartHost(executor))


def _hand(state: State, side: HostSide, attempt: Attempt) -> None:
    assert attempt.order is not None
    attempt.host = side.identity
    state.handed(side.identity, attempt.key)
    side.orders[attempt.key] = attempt.order


def cancel(state: State, attempt: Attempt, now: Now) -> None:
    """End an attempt."""
    if attempt.outcome is not None:
        return
    side = state.host(attempt.executor)
    if attempt.host:
        attempt.cancel = True
        if attempt.host == side.identity:
            side.cancels.append(attempt.key)
        return
    side.waiting.pop(attempt.key, None)
    end_unheard(state, attempt, Status.CANCELLED, "cancelled before it was started", now)


def on_met(state: State, executor: str, identity: str, hello: HostHello, now: Now) -> None:
    """A host answered: settle what it holds against what it was given."""
    state.sought.discard(executor)
    state.unseen.discard(executor)
    side = state.host(executor)
    side.identity, side.asked, side.met_us = identity, False, now.steady_us
    missed = f"{side.seeks}, and the next one does not find it" if side.seeks else _LOST_AWAY
    side.seeks = ""
    running = {run.key for run in hello.running}
    for began in hello.running:
        attempt = found(state, executor, began.key, began.at_us)
        if attempt.host != identity:
            attempt.host = identity
            state.handed(identity, attempt.key)
        begin(state, attempt, began.at_us, now)
        if attempt.outcome is None:
            state.commands.append(FollowOutput(attempt.key, attempt.keep_bytes))
    on_report(state, executor, HostReport([], hello.ended), now)
    for attempt in _under_way(state, executor):
        if attempt.key in running or not attempt.host:
            continue
        if attempt.host == identity and attempt.order is not None:
            _hand(state, side, attempt)
        else:
            end_unheard(state, attempt, Status.LOST, missed, now)
    side.cancels = [a.key for a in _under_way(state, executor) if a.cancel]
    waiting, side.waiting = side.waiting, {}
    for key in waiting:
        _hand(state, side, state.attempts[key])


def _under_way(state: State, executor: str) -> list[Attempt]:
    attempts = state.attempts.values()
    return [a for a in attempts if a.outcome is None and a.executor == executor]


def on_report(state: State, executor: str, report: HostReport, now: Now) -> None:
    """A host says what began and what ended."""
    confirms = state.host(executor).confirms
    for run in report.ended:
        end(state, found(state, executor, run.key, run.began_us or run.at_us), run)
        confirms.append(run.key)
    for began in report.began:
        begin(state, found(state, executor, began.key, began.at_us), began.at_us, now)


def on_gone(state: State, gone: HostGone, now: Now) -> None:
    """A host is no more. What it was not given is for the next one.

    What it was given is lost, unless it left handles: then the next one says what it finds again.
    """
    executor = gone.executor
    away = executor in state.sought
    state.sought.discard(executor)
    if gone.left_handles:
        state.unseen.add(executor)
    side = state.host(executor)
    spared = side.orders.keys() | set(gone.unsent)
    _disconnect(side)
    had_runs = any(a.host and a.key not in spared for a in _under_way(state, executor))
    soon = had_runs and now.steady_us - side.met_us < SOON_US
    side.gone_in_a_row = side.gone_in_a_row + 1 if soon else int(had_runs)
    hopeful = gone.left_handles and side.gone_in_a_row <= GONE_MAX
    message = _LOST_AWAY if away else f"the host of executor {executor} is gone: {gone.reason}"
    for attempt in _under_way(state, executor):
        if attempt.key in spared:
            attempt.host = ""
            state.handed("", attempt.key)
            side.waiting[attempt.key] = None
        elif attempt.host and hopeful:
            side.seeks = message
        elif attempt.host:
            end_unheard(state, attempt, Status.LOST, message, now)
    if side.waiting or side.seeks:
        _ask(state, executor, side)


def on_failed(state: State, executor: str, reason: str, now: Now) -> None:
    """A host cannot be started: what waited for it is refused, what it was to find is lost."""
    state.sought.discard(executor)
    side = state.host(executor)
    _disconnect(side)
    side.seeks = ""
    waiting, side.waiting = side.waiting, {}
    for key in waiting:
        end_unheard(state, state.attempts[key], Status.REFUSED, reason, now)
    for attempt in _under_way(state, executor):
        if attempt.host:
            message = f"its executor host is gone, and there is no other: {reason}"
            end_unheard(state, attempt, Status.LOST, message, now)
    state.note("host.failed", executor=executor, reason=reason)
    offers.on_failed(state, executor, reason)


def _disconnect(side: HostSide) -> None:
    side.identity, side.asked = "", False
    side.orders, side.cancels, side.confirms = {}, [], []


def tell_hosts(state: State) -> None:
    """Send what needed this turn's records to be safe."""
    for executor, side in state.hosts.items():
        if side.orders:
            state.commands.append(ToHost(executor, StartRuns(list(side.orders.values()))))
            side.orders = {}
        if side.cancels:
            state.commands.append(ToHost(executor, CancelRuns(side.cancels)))
            side.cancels = []
        if side.confirms:
            state.commands.append(ToHost(executor, Confirm(side.confirms)))
            side.confirms = []
