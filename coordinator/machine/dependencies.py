"""What jobs come after: which ends they wait for, which of these hold, and whether a fire ended so.

A condition holds from the end that matches it until it is consumed by the job's next fire, or
until a later end does not match. Everything here is by the names of jobs: the graph outlives the
runs, and a job that is replaced keeps its place in it.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from tocsin.instants import SECOND_US, Now, to_rfc3339
from tocsin.model import (
    Condition,
    DependencyOn,
    Job,
    JobRow,
    Run,
    RunState,
    SkipReason,
    Trigger,
)

from .commands import DropDependencies, FetchFires, SaveDependency
from .fires import next_due_us
from .state import Active, State

WAIT_US: Final = 24 * 3600 * SECOND_US
"""A due time without another behind it waits so long for the jobs it comes after."""
_VERBS: Final = {
    DependencyOn.SUCCESS: "succeeded",
    DependencyOn.FAILURE: "failed",
    DependencyOn.ANY: "ended",
}


# The graph.


def restore(state: State, conditions: Iterable[Condition]) -> None:
    """Take up what the store holds."""
    for condition in conditions:
        _keep(state, condition)


def link(state: State, row: JobRow) -> None:
    """Let a job wait for what its definition says; a condition that was there stays as it is."""
    name = row.job.name
    known = state.chains.after.get(name, {})
    if not known and not row.job.after:
        return
    if [condition.dependency for condition in known.values()] == row.job.after:
        return
    unlink(state, row)
    for dependency in row.job.after:
        condition = known.get(dependency.job)
        if condition is None or condition.dependency != dependency:
            condition = Condition(job_id=row.id, job=name, dependency=dependency)
        _save(state, condition)


def unlink(state: State, row: JobRow) -> None:
    """Let a job wait for nothing."""
    known = state.chains.after.pop(row.job.name, None)
    if known is None:
        return
    for upstream in known:
        others = state.chains.dependents[upstream]
        del others[row.job.name]
        if not others:
            del state.chains.dependents[upstream]
    state.commands.append(DropDependencies(row.id))


def _keep(state: State, condition: Condition) -> None:
    upstream = condition.dependency.job
    state.chains.after.setdefault(condition.job, {})[upstream] = condition
    state.chains.dependents.setdefault(upstream, {})[condition.job] = None


def _save(state: State, condition: Condition) -> None:
    _keep(state, condition)
    state.commands.append(SaveDependency(condition))


# What holds.


def holds(state: State, name: str) -> bool:
    """Whether all that a job comes after has ended as it asks since its last fire."""
    return all(condition.held_by for condition in state.chains.after.get(name, {}).values())


def consume(state: State, name: str) -> str:
    """Take everything back that holds for a job, which fires; the fire that was the last of it."""
    cause, latest_us = "", -1
    for condition in list(state.chains.after.get(name, {}).values()):
        if condition.held_by:
            if (condition.matched_us or 0) > latest_us:
                cause, latest_us = condition.held_by, condition.matched_us or 0
            _save(state, replace(condition, held_by=""))
    return cause


def take_back(state: State) -> None:
    """Take back everything that holds for any job: whether it was used up is not known."""
    for name in list(state.chains.after):
        consume(state, name)


def must_wait(state: State, job: Job, trigger: Trigger) -> bool:
    """Whether a fire must wait for other jobs; a request never does."""
    if not job.after or trigger not in {Trigger.SCHEDULE, Trigger.CATCHUP}:
        return False
    return not holds(state, job.name)


def hold(state: State, active: Active) -> None:
    """Let a due time wait for other jobs, until the next one of its own."""
    due_us = active.run.due_us
    assert due_us is not None
    next_us = next_due_us(active.job, due_us)
    until_us = due_us + WAIT_US if next_us is None else next_us
    heapq.heappush(state.chains.patience, (until_us, active.run.id))


def missing(state: State, name: str) -> dict[str, str]:
    """The facts of a due time that waited in vain."""
    lacking = [c for c in state.chains.after.get(name, {}).values() if not c.held_by]
    return {
        "because": "; ".join(_lack(condition) for condition in lacking),
        "missing": ", ".join(condition.dependency.job for condition in lacking),
    }


def _lack(it: Condition) -> str:
    job, verb = it.dependency.job, _VERBS[it.dependency.on]
    if it.ended_us is None:
        return f"{job} has not ended"
    since = f"since {to_rfc3339(it.matched_us)}" if it.matched_us is not None else "yet"
    how = "succeeded" if it.succeeded else "failed"
    return f"{job} has not {verb} {since}; its last run {how} at {to_rfc3339(it.ended_us)}"


# Ends.


def note_end(state: State, run: Run, job: Job) -> None:
    """A run is over: if its whole fire is, and somebody waits for that, look at it."""
    if run.state is RunState.SKIPPED and not run.pin:
        return  # a skip is no end
    if (run.job in state.chains.dependents or job.ephemeral) and run.group not in state.members:
        state.chains.ended[run.group] = run.job_id, run.job


def ask(state: State) -> None:
    """Ask for the fires that ended in this step, and for the jobs that may fire because of it."""
    wanted: dict[int, None] = {}
    names = {name for _, name in state.chains.ended.values()}
    for job_id, name in state.chains.ended.values():
        wanted[job_id] = None
        for dependent in state.chains.dependents.get(name, ()):
            conditions = state.chains.after[dependent]
            if all(c.held_by or upstream in names for upstream, c in conditions.items()):
                wanted[conditions[name].job_id] = None
    state.commands.append(FetchFires(list(state.chains.ended), list(wanted)))
    state.chains.ended.clear()


def succeeded(members: list[Run]) -> bool | None:
    """How a fire ended; None when it did not, or got no run at all.

    Hosts that were skipped are left out, unless the roll-out was stopped before them.
    """
    ran = [run for run in members if run.state is not RunState.SKIPPED]
    if not ran or any(run.finished_us is None for run in members):
        return None
    if any(run.reason == SkipReason.STOPPED for run in members if run not in ran):
        return False
    return all(run.state is RunState.SUCCEEDED for run in ran)


def mark(state: State, name: str, members: list[Run], now: Now, *, well: bool) -> bool:
    """Take over for the job `name` that a fire it waits for ended; whether it holds by that.

    A fire that was lost and whose agent came back ends twice. The later truth counts, but an end
    that has matched once does not match again: nothing fires twice for one end.
    """
    upstream, group = members[0].job, members[0].group
    it = state.chains.after[name][upstream]
    matches = _matches(it, well=well)
    told = replace(it, succeeded=well, ended_us=now.wall_us)
    if any(run.reopened for run in members):
        if _matches(it, well=False):  # as which the loss has counted
            stands = matches or it.held_by != group
            _save(state, told if stands else replace(told, held_by=""))
            return False
        matches = matches and it.dependency.on is DependencyOn.SUCCESS
        if not matches:
            _save(state, told)
            return False
    held_by = group if matches else ""
    _save(
        state, replace(told, held_by=held_by, matched_us=now.wall_us if matches else it.matched_us)
    )
    return matches


def _matches(condition: Condition, *, well: bool) -> bool:
    on = condition.dependency.on
    return on is DependencyOn.ANY or (on is DependencyOn.SUCCESS) is well
