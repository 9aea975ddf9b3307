"""What a coordinator holds in memory, against what it would find in the store after a restart."""

from __future__ import annotations

from random import Random  # noqa: TID251 - a seeded one

from tocsin.coordinator.machine.machine import Machine
from tocsin.coordinator.machine.state import State
from tocsin.coordinator.store.sqlite import SqliteStore
from tocsin.instants import Now
from tocsin.model import RunState

from .evidence import Violation


def compare(machine: Machine, store: SqliteStore, now: Now) -> None:
    """Restore another machine from the store, and look for differences.

    Raises:
        Violation: there is one.
    """
    state: State = machine._state
    other = Machine(epoch=state.epoch, policy=state.policy, new_id=lambda: "none", chance=Random(0))
    other.restore(store.stored(), now)
    restored: State = other._state
    missing = state.active.keys() ^ restored.active.keys()
    if missing:
        raise Violation("memory", "is in memory or in the store, not in both", min(missing))
    for run_id, held in state.active.items():
        found = restored.active[run_id]
        pairs = {
            "run": (held.run, found.run),
            "job": (held.job, found.job),
            "offsets": (held.offsets, found.offsets),
            "pieces": (held.pieces, found.pieces),
            "tails": (held.tails, found.tails),
            "avoid": (held.avoid, found.avoid),
            "by_agent": (_has(state, run_id), _has(restored, run_id)),
        }
        for name, (mine, stored) in pairs.items():
            if mine != stored:
                raise Violation("memory", f"{name}: {mine} in memory, {stored} stored", run_id)
    going = _going(state)
    for job_id, groups in _going(restored).items():
        if groups > going.get(job_id, 0):
            message = f"of job {job_id} {going.get(job_id, 0)} go, after a restart {groups}"
            raise Violation("memory", message)
    _compare_pools(state, restored)
    if state.fleet.known != restored.fleet.known:
        raise Violation("memory", f"{state.fleet.known} known, {restored.fleet.known} stored")
    _compare_turns(state, restored)
    if not set(restored.due) <= set(state.due):
        raise Violation("memory", f"due in the store alone: {set(restored.due) - set(state.due)}")
    _compare_chains(state, restored)
    _compare_upkeep(state, restored)
    if state.next_job_id < restored.next_job_id:
        raise Violation("memory", f"the next job id is {state.next_job_id}")


def _compare_chains(state: State, restored: State) -> None:
    pairs = {
        "after": (state.chains.after, restored.chains.after),
        "dependents": (state.chains.dependents, restored.chains.dependents),
        "held": (state.held, restored.held),
        "members": (state.members, restored.members),
    }
    for name, (mine, stored) in pairs.items():
        if mine != stored:
            raise Violation("memory", f"{name}: {mine} in memory, {stored} stored")


def _compare_upkeep(state: State, restored: State) -> None:
    for name in ("pauses", "incidents", "calendars", "pools"):
        mine, stored = getattr(state, name), getattr(restored, name)
        if mine != stored:
            raise Violation("memory", f"{name}: {mine} in memory, {stored} stored")
    if not set(restored.resumes) <= set(state.resumes):
        late = set(restored.resumes) - set(state.resumes)
        raise Violation("memory", f"ends of pauses in the store alone: {late}")


def _compare_pools(state: State, restored: State) -> None:
    taken, found = (
        {pool: used for pool, used in one.pool_used.items() if used} for one in (state, restored)
    )
    if (state.pools, taken) != (restored.pools, found):
        raise Violation("memory", f"pools: {taken} taken in memory, {found} stored")


def _compare_turns(state: State, restored: State) -> None:
    """Who waits for its turn goes on waiting after a restart, for the same reasons."""
    for group, held in state.rolling.fires.items():
        found = restored.rolling.fires.get(group)
        if found is None or not held.waiting.keys() <= found.waiting.keys():
            raise Violation("memory", f"fire {group}: {held} in memory, {found} stored")
        mine, stored = (held.succeeded, held.failed), (found.succeeded, found.failed)
        if mine != stored:
            raise Violation("memory", f"fire {group}: {mine} in memory, {stored} stored")


def _has(state: State, run_id: str) -> list[str]:
    return [agent_id for agent_id, runs in state.by_agent.items() if run_id in runs]


def _going(state: State) -> dict[int, int]:
    """By job: of how many fires the runs wait for no other run."""
    going: dict[int, set[str]] = {}
    for active in state.active.values():
        if active.is_held:
            continue  # it takes no place until what it waits for holds
        if not active.blocked or active.run.state is not RunState.QUEUED:
            going.setdefault(active.run.job_id, set()).add(active.run.group)
    return {job_id: len(groups) for job_id, groups in going.items()}
