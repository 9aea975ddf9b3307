"""Runs that wait: for earlier runs of their job, for their turn, for an instant, for an agent."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from typing import Any

from tocsin.instants import SECOND_US, Now
from tocsin.model import Overlap, RunState, SkipReason

from . import backoff, pools
from .eligibility import barred, hosts_in_words, verdicts
from .ending import bar, finish_queued
from .fires import Barred
from .state import Active, State
from .transitions import Cause


def delay(state: State, active: Active, until_us: int) -> None:
    """Let a run wait until an instant of the steady clock."""
    active.delayed_until_us = until_us
    heapq.heappush(state.delayed, (until_us, active.run.id))


def enqueue(state: State, active: Active, now: Now) -> None:
    """Let a run wait for an agent when nothing else keeps it."""
    if not active.may_go:
        return
    if active.expires_us is None:
        active.expires_us = now.steady_us + round(state.policy.unplaced_s * SECOND_US)
    _wait_for_host(state, active, now)
    state.enqueue(active)


def let_go(state: State, active: Active, now: Now) -> None:
    """Let a run that waited for something wait for an agent, unless its only one is not to be had.

    The host of a retry is waited for: it may be what the first attempt made it be away.
    """
    run = active.run
    if active.may_go and run.pin and run.attempt == 1:
        hindrance = barred(state, state.fleet.known[run.pin], active.job.executor, now)
        if hindrance is not None:
            bar(state, active, hindrance, now)
            return
    enqueue(state, active, now)


def _wait_for_host(state: State, active: Active, now: Now) -> None:
    """Give the only agent of a run, when it went away, the time in which it is expected back."""
    pin = active.run.pin
    if pin and active.run.attempt == 1 and pin not in state.sessions:
        active.rejoin_us = max(state.fleet.away.get(pin, now.steady_us), now.steady_us)
        heapq.heappush(state.expiries, (active.rejoin_us, active.run.id))


# What time does.


def release_delayed(state: State, now: Now) -> None:
    """Let runs whose instant has come wait for an agent."""
    while state.delayed and state.delayed[0][0] <= now.steady_us:
        at_us, run_id = heapq.heappop(state.delayed)
        active = state.active.get(run_id)
        if active is None or active.delayed_until_us != at_us:
            continue
        active.delayed_until_us = None
        if active.waits_turn:
            state.rolling.touched[active.run.group] = None
        if active.run.state is RunState.QUEUED and active.may_go:
            active.expires_us = at_us + round(state.policy.unplaced_s * SECOND_US)
            let_go(state, active, now)


def expire(state: State, now: Now) -> None:
    """Give up runs that no agent could take."""
    while state.expiries and state.expiries[0][0] <= now.steady_us:
        at_us, run_id = heapq.heappop(state.expiries)
        active = state.active.get(run_id)
        if active is None or active.run.state is not RunState.QUEUED:
            continue
        if active.rejoin_us == at_us:
            active.rejoin_us = None
            _look_for_host(state, active, now)
        elif active.expires_us == at_us:
            _give_up(state, active, now)


def _look_for_host(state: State, active: Active, now: Now) -> None:
    """The only agent of a run should be back by now."""
    pin = active.run.pin
    if pin in state.sessions:
        return
    if state.fleet.away.get(pin, now.steady_us) > now.steady_us:
        _wait_for_host(state, active, now)  # it was back, and went away again
        return
    hindrance = barred(state, state.fleet.known[pin], active.job.executor, now)
    if hindrance is not None:
        bar(state, active, hindrance, now)


def _give_up(state: State, active: Active, now: Now) -> None:
    run = active.run
    if pools.is_full(state, active.job.pool):
        # It has agents, and its place in the pool's order.
        active.expires_us = now.steady_us + round(state.policy.unplaced_s * SECOND_US)
        heapq.heappush(state.expiries, (active.expires_us, run.id))
    elif run.attempt == 1:
        hosts = hosts_in_words(verdicts(state, active.demand, now))
        facts = {"because": "no agent could take it", **hosts}
        bar(state, active, Barred(SkipReason.NO_AGENT, facts), now)
    else:
        reason = f"no agent could take attempt {run.attempt}, a {run.reason}"
        finish_queued(state, active, Cause.GIVE_UP, reason, now)


# What ends.


def unblock(state: State, job_id: int, now: Now) -> None:
    """Let those runs of a job go that wait for others which are not under way any more."""
    group = _unblocked(state, job_id)
    for active in group:
        active.blocked = False
    for active in group:
        let_go(state, active, now)
    if group and group[0].run.group in state.rolling.fires:
        state.rolling.touched[group[0].run.group] = None


def _unblocked(state: State, job_id: int) -> list[Active]:
    """When nothing of a job is under way, its oldest waiting group.

    When one group alone is under way, those of its own that had to wait for another one.
    """
    run_ids = state.by_job.get(job_id)
    if run_ids is None:
        state.beside.pop(job_id, None)
        return []
    if job_id not in state.beside and any(not state.active[i].blocked for i in run_ids):
        return []
    siblings = [state.active[run_id] for run_id in run_ids]
    blocked = [active for active in siblings if active.blocked]
    going = {active.run.group for active in siblings if not active.blocked}
    if len(going) > 1 or not blocked:
        return []
    group = going.pop() if going else blocked[0].run.group
    return [active for active in blocked if active.run.group == group]


# The start.


def resume_queued(state: State, ended_with: Mapping[str, Mapping[str, Any]], now: Now) -> None:
    """Let restored runs wait: for earlier runs of their job, for their delay, for an agent.

    `ended_with` has the facts of the attempts before their last ones, by run.
    """
    for run_ids in state.held.values():
        for run_id in run_ids:
            _resume(state, state.active[run_id], {}, now)
    for run_ids in state.by_job.values():
        siblings = [state.active[run_id] for run_id in run_ids]
        going = _groups_going(siblings)
        for active in siblings:
            if active.run.state is RunState.QUEUED:
                active.blocked = active.run.group not in going
                _resume(state, active, ended_with.get(active.run.id, {}), now)


def _groups_going(siblings: list[Active]) -> set[str]:
    """The groups of one job's runs that wait for no other."""
    going = {a.run.group for a in siblings if a.run.state is not RunState.QUEUED}
    going |= {a.run.group for a in siblings if a.job.overlap is Overlap.ALLOW}
    # A retry has its job's place; without one it goes to the oldest.
    return going or {min(siblings, key=lambda a: a.run.attempt == 1).run.group}


def _resume(state: State, active: Active, ended_with: Mapping[str, Any], now: Now) -> None:
    run, job = active.run, active.job
    if run.not_before_us is not None:
        longest_s = job.jitter_s
        if run.attempt > 1:
            longest_s = backoff.longest_s(job.retry, run.attempt - 1, ended_with)
        # The clock may have been set meanwhile; nothing waits for longer than it would have.
        left_us = min(max(run.not_before_us - now.wall_us, 0), round(longest_s * SECOND_US))
        delay(state, active, now.steady_us + left_us)
    else:
        enqueue(state, active, now)
