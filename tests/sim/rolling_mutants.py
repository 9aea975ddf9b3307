"""Mutants of what concerns several hosts: roll-outs, pools, jitter, launch failures, orders."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Final

from msgspec.structs import replace

from tocsin.coordinator.machine import (
    agents,
    fanout,
    placement,
    pools,
    retries,
    rollout,
    runs,
    turns,
)
from tocsin.coordinator.machine.fanout import Member
from tocsin.coordinator.machine.state import Active, State, Waiting
from tocsin.model import Run, RunState
from tocsin.targeting import matches

from .swap import swapped


def _all_may_go() -> AbstractContextManager[None]:
    return swapped(rollout, "may_release", lambda *_: True)


def _only_connected_hosts_count() -> AbstractContextManager[None]:
    members = fanout.members

    def near(state: State, job: Any, now: Any) -> list[Member]:
        found = members(state, job, now)
        kept = [m for m in found if m.agent is None or m.agent.id in state.sessions]
        return kept or found[:1]

    return swapped(runs, "members", near)


def _nobody_is_expected_back() -> AbstractContextManager[None]:
    restore = agents.restore

    def impatient(state: State, known: Any, now: Any) -> None:
        restore(state, known, now)
        state.fleet.away.clear()

    return swapped(agents, "restore", impatient)


def _held_agents_are_candidates() -> AbstractContextManager[None]:
    def generous(state: State, demand: Any) -> list[str]:
        return [s.agent.id for s in state.sessions.values() if matches(s.agent, demand)]

    return swapped(placement, "candidates", generous)


def _a_hello_takes_orders_back() -> AbstractContextManager[None]:
    on_hello = agents.on_hello

    def forgetful(state: State, event: Any, now: Any) -> None:
        known = state.fleet.known[event.agent.id]
        state.fleet.known[known.id] = replace(known, held=None)
        on_hello(state, event, now)

    return swapped(agents, "on_hello", forgetful)


def _launch_failures_use_up_retries() -> AbstractContextManager[None]:
    is_wanted = retries.is_wanted

    def strict(active: Active, run: Run) -> bool:
        if run.state is RunState.REFUSED:
            return run.attempt <= active.job.retry.limit
        return is_wanted(active, run)

    return swapped(retries, "is_wanted", strict)


def _ends_are_not_counted() -> AbstractContextManager[None]:
    return swapped(rollout, "note_end", lambda rolled, run: rolled.going.pop(run.id, None))


def _free_slots_of_pools_wake_nobody() -> AbstractContextManager[None]:
    take = Waiting.take_stirred

    def deaf(self: Waiting) -> Any:
        self.all_stirred = False
        return take(self)

    return swapped(Waiting, "take_stirred", deaf)


ROLLING: Final[dict[str, tuple[int, Any]]] = {
    "all hosts of a fire begin at once": (5, _all_may_go),
    "nothing stops a fire": (8, lambda: swapped(rollout, "why_stopped", lambda *_: None)),
    "nobody waits for canaries": (8, lambda: swapped(rollout, "_is_at_canaries", lambda *_: False)),
    "hosts keep no distance": (5, lambda: swapped(rollout, "ready_at_us", lambda *_: None)),
    "ends of hosts are not counted": (2, _ends_are_not_counted),
    "a restart gives everybody his turn": (7, lambda: swapped(turns, "restore", lambda *_: None)),
    "pools are never full": (8, lambda: swapped(pools, "is_full", lambda *_: False)),
    "free slots of pools wake nobody": (8, _free_slots_of_pools_wake_nobody),
    "jitter is not waited out": (5, lambda: swapped(runs, "delay", lambda *_: None)),
    "only connected hosts get a record": (7, _only_connected_hosts_count),
    "nobody is expected back after a restart": (12, _nobody_is_expected_back),
    "held agents get runs": (12, _held_agents_are_candidates),
    "a hello takes orders back": (1, _a_hello_takes_orders_back),
    "launch failures use up retries": (9, _launch_failures_use_up_retries),
}
"""See `mutants.MUTANTS`."""
