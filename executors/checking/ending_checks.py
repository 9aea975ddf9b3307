"""The checks of runs that are to end before their time: by a timeout, or on request."""

from __future__ import annotations

from typing import Final

from tocsin.execution import Status

from .bench import Bench, require
from .check import Check
from .verdict import find

TIMEOUT_S: Final = 0.25
SHORT_GRACE_S: Final = 0.2
LONG_GRACE_S: Final = 3600.0
BREATH: Final = 100
_ENDS: Final = "`cancel` must make `wait` return, and `wait` say Status.CANCELLED"


def timeout(bench: Bench) -> None:
    """A run that is not over in time is ended, and is told apart from a failure."""
    run = bench.order(bench.block("linger"), timeout_s=TIMEOUT_S)
    end = bench.agent.run(run)
    require(end, Status.TIMED_OUT, _ENDS)
    if not end.outcome.message.startswith("no end after 250ms"):
        find("a message that tells the time", f"it is {end.outcome.message!r}")


def cancel(bench: Bench) -> None:
    """A run ends when it is asked to, long before its grace is over."""
    run = bench.order(bench.block("linger"), kill_after_s=LONG_GRACE_S)
    bench.agent.start(run)
    bench.agent.await_began(run)
    bench.agent.cancel(run)
    end = bench.agent.end_of(run)
    require(end, Status.CANCELLED, _ENDS)
    if not end.outcome.message.startswith("cancelled"):
        find("a message that says so", f"it is {end.outcome.message!r}")


def cancel_of_resisting(bench: Bench) -> None:
    """A run that does not want to end is ended when its grace is over."""
    run = bench.order(bench.block("resist"), kill_after_s=SHORT_GRACE_S)
    bench.agent.start(run)
    bench.agent.await_began(run)
    bench.agent.cancel(run)
    require(bench.agent.end_of(run), Status.CANCELLED, _ENDS)


def cancel_before_start(bench: Bench) -> None:
    """Orders cancelled in the breath that gave them are cancelled, begun or not."""
    runs = bench.orders(bench.block("linger"), min(BREATH, bench.specimen.at_once))
    bench.agent.start(*runs)
    bench.agent.cancel(*runs)
    for run in runs:
        require(bench.agent.end_of(run), Status.CANCELLED, _ENDS)


def cancel_of_unknown(bench: Bench) -> None:
    """Cancelling what the host does not know, or what is over, changes nothing."""
    over = bench.order(bench.block("succeed"))
    bench.agent.run(over)
    bench.agent.cancel(over, bench.order(bench.block("succeed")))
    require(bench.agent.run(bench.order(bench.block("succeed"))), Status.SUCCEEDED)
    if len(bench.agent.ended[over.key]) != 1:
        find("one end of a run that was over", f"{len(bench.agent.ended[over.key])} of them")


_FUNCTIONS: Final = (timeout, cancel, cancel_of_resisting, cancel_before_start, cancel_of_unknown)
CHECKS: Final = tuple(Check(function) for function in _FUNCTIONS)
