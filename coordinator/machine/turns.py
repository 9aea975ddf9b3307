"""Whose turn it is in the fires that go from host to host; the rules are in `rollout`."""

from __future__ import annotations

import heapq
from collections.abc import Iterable

from tocsin.instants import SECOND_US, Now
from tocsin.model import Run, RunState, SkipReason

from . import rollout
from .eligibility import barred
from .ending import bar
from .fires import Barred
from .rollout import Rollout
from .state import Active, State
from .waiting import let_go, unblock


def begin(state: State, group: str, members: list[Active]) -> None:
    """Let the members of a fire wait for their turn."""
    target = members[0].job.target
    waiting = {active.run.id: None for active in members}
    state.rolling.fires[group] = Rollout(target, waiting)
    for active in members:
        active.waits_turn = True
    state.rolling.touched[group] = None


def restore(state: State, ended: Iterable[Run], now: Now) -> None:
    """Take up the fires under way: `ended` are those of their members that are over.

    What was let go and not given to an agent waits for its turn again.
    """
    members: dict[str, list[Active]] = {}
    for active in state.active.values():
        if rollout.is_rolled(active.job.target):
            members.setdefault(active.run.group, []).append(active)
    for group, actives in members.items():
        actives.sort(key=lambda active: active.run.slot)
        waiting = [a for a in actives if a.run.state is RunState.QUEUED and a.run.attempt == 1]
        if waiting:
            begin(state, group, waiting)
            going = {active.run.id: None for active in actives if not active.waits_turn}
            state.rolling.fires[group].going = going
    seen: dict[str, list[Run]] = {}
    for run in ended:
        if run.group in state.rolling.fires:
            rollout.note_end(state.rolling.fires[run.group], run)
            seen.setdefault(run.group, []).append(run)
    for group in state.rolling.fires:
        runs = [*seen.get(group, ()), *(active.run for active in members[group])]
        _date_back(state.rolling.fires[group], runs, now)
        heapq.heappush(state.rolling.times, (now.steady_us, group))


def _date_back(rolled: Rollout, runs: list[Run], now: Now) -> None:
    """Guess when a member was last let go, from what is known of them; rather late than early."""
    if any(run.attempt > 1 for run in runs):
        rolled.released_us = now.steady_us
        return
    sent = [run.dispatched_us for run in runs if run.dispatched_us is not None]
    if sent:
        longest_us = round(rolled.target.stagger_s * SECOND_US)
        ago_us = min(max(now.wall_us - max(sent), 0), longest_us)
        rolled.released_us = now.steady_us - ago_us


def reopen(state: State, run: Run) -> None:
    """A member that counted as lost goes on."""
    rolled = state.rolling.fires.get(run.group)
    if rolled is not None:
        rollout.note_reopened(rolled, run)


def settle(state: State, now: Now) -> None:
    """Let those go that waited for what ended in this step, or for this moment."""
    while state.rolling.times and state.rolling.times[0][0] <= now.steady_us:
        _, group = heapq.heappop(state.rolling.times)
        state.rolling.touched[group] = None
    while state.loosened or state.rolling.touched:
        if state.loosened:
            job_id, _ = state.loosened.popitem()
            unblock(state, job_id, now)
        else:
            group, _ = state.rolling.touched.popitem()
            _go_on(state, group, now)


def _go_on(state: State, group: str, now: Now) -> None:
    rolled = state.rolling.fires.get(group)
    if rolled is None:
        return
    facts = rollout.why_stopped(rolled)
    while rolled.waiting:
        active = state.active[next(iter(rolled.waiting))]
        if active.blocked or active.is_held or active.delayed_until_us is not None:
            return
        if facts is not None:
            bar(state, active, Barred(SkipReason.STOPPED, facts), now)
        elif rollout.may_release(rolled, now.steady_us):
            _release(state, rolled, active, now)
        else:
            break
    if not rolled.waiting:
        del state.rolling.fires[group]
    else:
        ready_us = rollout.ready_at_us(rolled)
        if ready_us is not None and ready_us > now.steady_us:
            heapq.heappush(state.rolling.times, (ready_us, group))


def _release(state: State, rolled: Rollout, active: Active, now: Now) -> None:
    """Let a member go; one whose host is not to be had is passed over."""
    run = active.run
    active.waits_turn = False
    hindrance = barred(state, state.fleet.known[run.pin], active.job.executor, now)
    if hindrance is not None:
        bar(state, active, hindrance, now)
        return
    del rolled.waiting[run.id]
    rolled.going[run.id] = None
    rolled.released_us = now.steady_us
    let_go(state, active, now)
