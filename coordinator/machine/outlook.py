"""What a run that is with no agent waits for, and how each agent stands to it. Only looks."""

from __future__ import annotations

import msgspec

from tocsin.instants import Now
from tocsin.model import AgentState, Job, RunState
from tocsin.targeting import Demand, demand_of
from tocsin.units import format_duration

from . import dependencies, pools
from .eligibility import HOSTS_MAX, Verdict, is_meant, verdicts
from .fires import next_due_us
from .state import Active, State


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """What a queued run waits for; instants are of the wall clock."""

    behind: str = ""
    """The run that must end first."""
    lacking: str = ""
    """What other jobs have not done yet, in words."""
    turn: str = ""
    """Why others of its fire go before it."""
    pool: str = ""
    """That its pool is full."""
    until_us: int | None = None
    """It goes to no agent before."""
    gives_up_us: int | None = None
    hosts: list[Verdict] = []


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """An agent that has runs and is not connected; instants are of the wall clock."""

    since_us: int | None
    lost_us: int | None
    """From then on nobody can know what became of its runs."""
    is_revoked: bool


def silence(state: State, agent_id: str, now: Now) -> Silence | None:
    """Since when an agent with runs is not heard of; None while it is."""
    agent = state.fleet.known.get(agent_id)
    if agent is None or agent_id in state.sessions:
        return None
    lost_us = state.fleet.lost_at.get(agent_id)
    return Silence(
        since_us=agent.down_since_us or agent.last_seen_us,
        lost_us=None if lost_us is None else lost_us + now.wall_us - now.steady_us,
        is_revoked=agent.state is AgentState.REVOKED,
    )


def waiting(state: State, run_id: str, now: Now) -> Waiting | None:
    """What a run waits for; None unless it is queued."""
    active = state.active.get(run_id)
    if active is None or active.run.state is not RunState.QUEUED:
        return None
    ahead_us = now.wall_us - now.steady_us
    until_us, gives_up_us = active.delayed_until_us, active.expires_us
    if active.is_held:
        until_us = next_due_us(active.job, active.run.due_us or 0)
        return Waiting(
            lacking=dependencies.missing(state, active.job.name)["because"],
            gives_up_us=until_us or (active.run.due_us or 0) + dependencies.WAIT_US,
        )
    return Waiting(
        behind=_behind(state, active) if active.blocked else "",
        turn=_turn(state, active) if active.waits_turn and until_us is None else "",
        pool=pools.why_full(state, active.job.pool) if active.may_go else "",
        until_us=None if until_us is None else until_us + ahead_us,
        gives_up_us=gives_up_us + ahead_us if active.may_go and gives_up_us is not None else None,
        hosts=hosts_for(state, active.demand, now) if active.may_go else [],
    )


def _behind(state: State, active: Active) -> str:
    for run_id in state.by_job.get(active.run.job_id, ()):
        other = state.active[run_id]
        if other.run.group != active.run.group and not other.blocked:
            return run_id
    return ""


def _turn(state: State, active: Active) -> str:
    rolled = state.rolling.fires[active.run.group]
    target = rolled.target
    if rolled.succeeded < target.canary:
        return f"the canaries must succeed before (canary: {target.canary})"
    going = len(rolled.going)
    if target.max_parallel is not None and going >= target.max_parallel:
        verb = "is" if going == 1 else "are"
        return f"{going} {verb} under way (max_parallel: {target.max_parallel})"
    return f"one begins every {format_duration(target.stagger_s)} (stagger)"


def lacking(state: State, job: Job) -> str:
    """What other jobs have not done that a job comes after, in words; '' when nothing lacks."""
    return dependencies.missing(state, job.name)["because"]


def full_pool(state: State, job: Job) -> str:
    """That the pool of a job is full; '' when it is not, or the job has none."""
    return pools.why_full(state, job.pool)


def hosts(state: State, job: Job, now: Now) -> list[Verdict]:
    """How each agent stands to the runs of a job."""
    return hosts_for(state, demand_of(job), now)


def hosts_for(state: State, demand: Demand, now: Now) -> list[Verdict]:
    """How each agent stands to a demand, those that are meant by it before the others."""
    found = verdicts(state, demand, now)
    if len(found) <= HOSTS_MAX:
        return found
    meant = {agent.name for agent in state.fleet.known.values() if is_meant(agent, demand)}
    return sorted(found, key=lambda each: each.agent not in meant)
