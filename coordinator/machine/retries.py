"""Which attempts are followed by another, and when."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from tocsin.instants import SECOND_US, Now
from tocsin.model import AgentState, Job, OnLost, Overlap, Run, RunState

from . import backoff
from .commands import SaveAttempt, SaveRun
from .state import Active, State
from .waiting import delay

LAUNCH_FAILURES_MAX: Final = 3
"""So many attempts of a run that were refused, and so never began, are followed by another."""
_NEVER_BEGAN: Final = frozenset({RunState.REFUSED})


def is_wanted(active: Active, run: Run) -> bool:
    """Whether another attempt follows the one with which the run just ended."""
    if run.cancel_requested:
        return False
    limit, began = active.job.retry.limit, run.attempt - run.launch_failures
    match run.state:
        case RunState.REFUSED:
            return run.launch_failures <= LAUNCH_FAILURES_MAX
        case RunState.LOST:
            return active.job.on_lost is OnLost.RETRY and began <= max(limit, 1)
        case RunState.FAILED | RunState.TIMED_OUT:
            return began <= limit
        case _:
            return False


def is_possible(state: State, run: Run) -> bool:
    """Whether there will ever be an agent for another attempt."""
    return not run.pin or state.fleet.known[run.pin].state is not AgentState.REVOKED


def avoided(job: Job, failed: Iterable[tuple[str, RunState]]) -> tuple[str, ...]:
    """The agents that a next attempt avoids, of those on which an attempt ended so.

    An empty one stands for an agent that is not known, as after a restore.
    """
    is_meant = [agent for agent, state in failed if job.retry.elsewhere or state in _NEVER_BEGAN]
    return tuple(dict.fromkeys(filter(None, is_meant)))


def begin(state: State, active: Active, now: Now) -> None:
    """Let the next attempt wait for its time."""
    run, retry = active.run, active.job.retry
    state.commands.append(SaveAttempt(run))
    state.unassign(run)
    delay_s = backoff.delay_s(retry, run.attempt, run.facts, state.chance.random())
    delay_us = round(delay_s * SECOND_US)
    active.blocked = _is_beside(state, active)
    if active.blocked:
        state.beside[run.job_id] = None
    here = avoided(active.job, [(run.agent_id, run.state)])
    active.avoid = tuple(dict.fromkeys((*active.avoid, *here)))
    active.offsets, active.tails = [0, 0], {}
    active.expires_us = active.rejoin_us = None
    active.run = replace(
        run,
        state=RunState.QUEUED,
        reason=f"retry after: {run.reason or run.state}",
        attempt=run.attempt + 1,
        not_before_us=now.wall_us + delay_us,
        agent_id="",
        agent=run.agent if run.pin else "",
        placed=run.placed if run.pin else "",
        spool="",
        dispatched_us=None,
        accepted_us=None,
        started_us=None,
        finished_us=None,
        exit_code=None,
        facts={},
        peak_memory_bytes=None,
        cpu_us=None,
    )
    state.commands.append(SaveRun(active.run))
    delay(state, active, now.steady_us + delay_us)


def _is_beside(state: State, active: Active) -> bool:
    """Whether other runs of its job go on: after a loss, one may have taken its place."""
    if active.job.overlap is Overlap.ALLOW:
        return False
    others = [state.active[run_id] for run_id in state.by_job[active.run.job_id]]
    return any(o.run.group != active.run.group and not o.blocked for o in others)
