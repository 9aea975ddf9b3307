"""Pools: named slots across the fleet, each taken from an attempt's dispatch until its end.

A lost attempt frees its slot, and takes one again if its agent comes back with it, so a pool may
for a while be fuller than full; so it may when it is made smaller. Nothing is ended for that.
"""

from __future__ import annotations

from .state import State


def used(state: State, pool: str) -> int:
    """How many slots of a pool are taken."""
    return state.pool_used.get(pool, 0)


def is_full(state: State, pool: str) -> bool:
    """Whether a run that needs a slot of this pool ('': of none) must wait for one."""
    slots = state.pools.get(pool) if pool else None
    return slots is not None and used(state, pool) >= slots


def why_full(state: State, pool: str) -> str:
    """Why a run waits for a slot of its pool, in words; '' when it does not."""
    if not is_full(state, pool):
        return ""
    return f"pool {pool} is full: {used(state, pool)} of {state.pools[pool]} slots are taken"
