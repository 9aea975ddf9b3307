"""Finds a smaller world that breaks the same promise: fewer classes of faults, fewer happenings."""

from __future__ import annotations

from typing import Final

from .plan import Fault, Plan, make_plan
from .world import Failure, run_world

TRIES_MAX: Final = 60


def shrink(failure: Failure) -> Failure:
    """The failure of the smallest plan that was found."""
    without: set[str] = set()
    dropped: set[int] = set()
    best, tries = failure, 0
    for fault in sorted(failure.plan.faults):
        tries += 1
        smaller = _fails_alike(failure, without | {fault}, dropped)
        if smaller is not None:
            without.add(fault)
            best = smaller
    total = len(make_plan(failure.plan.seed).happenings)
    size = total
    while size >= 1 and tries < TRIES_MAX:
        for first in range(0, total, size):
            tries += 1
            part = set(range(first, first + size))
            if part <= dropped or tries >= TRIES_MAX:
                continue
            smaller = _fails_alike(failure, without, dropped | part)
            if smaller is not None:
                dropped |= part
                best = smaller
        size //= 2
    return best


def _fails_alike(failure: Failure, without: set[str], dropped: set[int]) -> Failure | None:
    plan: Plan = make_plan(failure.plan.seed, [Fault(f) for f in without], dropped)
    try:
        run_world(plan)
    except Failure as smaller:
        if smaller.violation.invariant == failure.violation.invariant:
            return smaller
    return None
