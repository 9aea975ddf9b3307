"""What becomes of runs: begun, reported, retried, ended, given up."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from tocsin.execution import Outcome, Status
from tocsin.instants import SECOND_US, Now
from tocsin.messages.agent_link import AttemptReport, Cancel, Phase
from tocsin.model import (
    END_STATE,
    Job,
    JobRow,
    OnLost,
    Overlap,
    Run,
    RunState,
    SkipReason,
    Trigger,
)
from tocsin.params import effective
from tocsin.targeting import demand_of

from . import dependencies, pauses, transitions
from .commands import SaveAttempt, SaveRun
from .eligibility import barred, hosts_in_words, verdicts
from .fanout import chosen, members
from .fires import Barred, Skip
from .placement import all_paused
from .state import Active, State, key_of
from .transitions import Cause

_ASKED_FOR: Final = frozenset({Trigger.MANUAL, Trigger.RETRY})
"""A person asked for it."""


def record_skip(state: State, row: JobRow, skip: Skip, now: Now) -> Run:
    """The record of due times that get no run."""
    run_id = state.new_id()
    run = Run(
        id=run_id,
        group=run_id,
        job_id=row.id,
        job=row.job.name,
        job_version=row.version,
        trigger=Trigger.SCHEDULE,
        state=RunState.SKIPPED,
        reason=skip.reason,
        facts=skip.facts,
        created_us=now.wall_us,
        finished_us=now.wall_us,
        due_us=skip.first_us,
        dues=skip.dues,
        due_last_us=skip.last_us,
    )
    state.commands.append(SaveRun(run))
    return run


def begin(  # noqa: PLR0913 - all that a fire is begun with
    state: State,
    row: JobRow,
    trigger: Trigger,
    now: Now,
    *,
    due_us: int | None = None,
    by: str = "",
    cause: str = "",
    params: Mapping[str, str] | None = None,
    pins: Sequence[str] = (),
) -> list[Run]:
    """Start the run (or, on several agents, the runs) of one due time or one request.

    `params` are those that were given; the others have their defaults. `pins` are the agents
    that it goes to, when it is not the job's target that says so.
    """
    waits = dependencies.must_wait(state, row.job, trigger)
    skipped, blocked = _paused(state, row, trigger, now), False
    if waits:
        give_up_held(state, row.id, now)
    if skipped is None and not (waits and row.job.overlap is Overlap.REPLACE):
        skipped, blocked = _overlap(state, row.id, row.job, trigger, now)
    if skipped is not None:
        return [skip(state, row, trigger, skipped, now, due_us=due_us, cause=cause)]
    if row.job.after and not waits and due_us is not None:
        cause = dependencies.consume(state, row.job.name)
    everyone = chosen(state, pins, now) if pins else members(state, row.job, now)
    ids = [state.new_id() for _ in everyone]
    runs = []
    for slot, (run_id, member) in enumerate(zip(ids, everyone, strict=True)):
        run = Run(
            id=run_id,
            group=ids[0],
            slot=slot,
            job_id=row.id,
            job=row.job.name,
            job_version=row.version,
            trigger=trigger,
            pin="" if member.agent is None else member.agent.id,
            agent="" if member.agent is None else member.agent.name,
            state=RunState.QUEUED,
            reason=SkipReason.DEPENDENCY if waits else "",
            created_us=now.wall_us,
            due_us=due_us,
            requested_by=by,
            cause=cause,
            params=effective(row.job.params, params) if row.job.params else {},
        )
        if member.barred is not None:
            run = _barred(run, member.barred, now)
        else:
            _queue(state, run, row.job, now, blocked=blocked)
        state.commands.append(SaveRun(run))
        runs.append(run)
    return runs


def skip(  # noqa: PLR0913 - all that makes a skip
    state: State,
    row: JobRow,
    trigger: Trigger,
    barred: Barred,
    now: Now,
    *,
    due_us: int | None = None,
    cause: str = "",
) -> Run:
    """Record that one due time, or one end of another job, gets no run."""
    run_id = state.new_id()
    run = Run(
        id=run_id,
        group=run_id,
        job_id=row.id,
        job=row.job.name,
        job_version=row.version,
        trigger=trigger,
        state=RunState.QUEUED,
        created_us=now.wall_us,
        due_us=due_us,
        cause=cause,
    )
    run = _barred(run, barred, now)
    state.commands.append(SaveRun(run))
    return run


def _barred(run: Run, barred: Barred, now: Now) -> Run:
    """The record of a fire that gets no run, or not on this agent."""
    return replace(
        run,
        state=RunState.SKIPPED,
        reason=barred.reason,
        facts=barred.facts,
        due_last_us=run.due_us,
        finished_us=now.wall_us,
    )


def _queue(state: State, run: Run, job: Job, now: Now, *, blocked: bool) -> None:
    active = Active(run, job, demand_of(job, run.pin), [0, 0], blocked=blocked)
    state.add(active)
    if active.is_held:
        dependencies.hold(state, active)
    elif not blocked:
        _enqueue(state, active, now)


def _enqueue(state: State, active: Active, now: Now) -> None:
    """Let a run wait for an agent, from this moment on unless it was to begin earlier."""
    if active.expires_us is None:
        active.expires_us = now.steady_us + round(state.policy.unplaced_s * SECOND_US)
    _wait_for_host(state, active, now)
    state.enqueue(active)


def _wait_for_host(state: State, active: Active, now: Now) -> None:
    """Give the only agent of a run, when it went away, the time in which it is expected back."""
    pin = active.run.pin
    if pin and active.run.attempt == 1 and pin not in state.sessions:
        active.rejoin_us = max(state.fleet.away.get(pin, now.steady_us), now.steady_us)
        heapq.heappush(state.expiries, (active.rejoin_us, active.run.id))


def _let_go(state: State, active: Active, now: Now) -> None:
    """Let a run that waited for others wait for an agent, unless its only one is not to be had."""
    run = active.run
    if active.delayed_until_us is not None:
        return
    if run.pin and run.attempt == 1:
        hindrance = barred(state, state.fleet.known[run.pin], now)
        if hindrance is not None:
            _bar(state, active, hindrance, now)
            return
    _enqueue(state, active, now)


def _bar(state: State, active: Active, hindrance: Barred, now: Now) -> None:
    """End a first attempt that never came to be."""
    active.run = replace(active.run, facts=hindrance.facts, due_last_us=active.run.due_us)
    _finish_queued(state, active, Cause.EXPIRE, hindrance.reason, now)


def _paused(state: State, row: JobRow, trigger: Trigger, now: Now) -> Barred | None:
    """Whether all agents of a job are paused; a run that a person asks for waits for one."""
    if trigger in _ASKED_FOR or not state.pauses:
        return None
    pause = all_paused(state, row.job, now.wall_us)
    return None if pause is None else pauses.barred_by(pause)


def _overlap(
    state: State, job_id: int, job: Job, trigger: Trigger, now: Now
) -> tuple[Barred | None, bool]:
    """Whether the job's earlier runs make this one a skip, or make it wait."""
    earlier = state.by_job.get(job_id)
    if not earlier:
        return None, False
    match job.overlap:
        case Overlap.ALLOW:
            return None, False
        case Overlap.SKIP:
            # A person who asks for a run gets one, but never two at once.
            return (None, True) if trigger in _ASKED_FOR else (_overlapped(earlier), False)
        case Overlap.QUEUE:
            waiting = {state.active[i].run.group for i in earlier if state.active[i].blocked}
            full = len(waiting) >= job.queue_limit
            return (_overlapped(earlier), False) if full else (None, True)
        case Overlap.REPLACE:
            for run_id in list(earlier):
                cancel(state, run_id, "replaced by a later run", now)
            return None, job_id in state.by_job


def release(state: State, job_id: int, cause: str, now: Now) -> None:
    """Let the due time of a job that waited for other jobs go; its overlap policy is asked now."""
    held = [state.active[run_id] for run_id in state.held[job_id]]
    first = held[0]
    skipped, blocked = _overlap(state, job_id, first.job, first.run.trigger, now)
    for active in held:
        if skipped is not None:
            _finish_queued(state, active, Cause.EXPIRE, skipped.reason, now)
            continue
        state.free(active)
        active.run = replace(active.run, reason="", cause=cause)
        active.blocked = blocked
        state.commands.append(SaveRun(active.run))
        if not blocked:
            _let_go(state, active, now)


def give_up_held(state: State, job_id: int, now: Now) -> None:
    """End the due time of a job that waited for other jobs, and not long enough."""
    for run_id in list(state.held.get(job_id, ())):
        active = state.active[run_id]
        facts = dependencies.missing(state, active.run.job)
        active.run = replace(active.run, facts=facts)
        _finish_queued(state, active, Cause.EXPIRE, SkipReason.DEPENDENCY, now)


def expire_held(state: State, now: Now) -> None:
    """End the due times whose jobs' next ones have come while they waited for other jobs."""
    while state.chains.patience and state.chains.patience[0][0] <= now.wall_us:
        _, run_id = heapq.heappop(state.chains.patience)
        active = state.active.get(run_id)
        if active is not None and active.is_held:
            give_up_held(state, active.run.job_id, now)


def _overlapped(earlier: dict[str, None]) -> Barred:
    return Barred(SkipReason.OVERLAP, {"run": next(iter(earlier))})


def report(state: State, active: Active, said: AttemptReport, now: Now) -> None:
    """Take over what an agent says of the current attempt."""
    run = active.run
    times = {"accepted_us": said.accepted_us, "started_us": said.started_us}
    match said.phase:
        case Phase.ACCEPTED | Phase.RUNNING:
            cause = Cause.ACCEPT if said.phase is Phase.ACCEPTED else Cause.START
            if (run.state, cause) in transitions.KNOWN_RACES:
                return
            state_after = transitions.after(run.state, cause, run.id)
            assert state_after is not None
            active.run = replace(run, state=state_after, **times)
            state.commands.append(SaveRun(active.run))
        case Phase.ENDED:
            outcome = said.outcome or Outcome(Status.LOST, message="the agent sent no outcome")
            transitions.after(run.state, Cause.END, run.id)
            ended = replace(run, finished_us=said.ended_us, **times)
            end(state, active, ended, outcome, now)


def end(state: State, active: Active, run: Run, outcome: Outcome, now: Now) -> None:
    """The current attempt is over: the run ends, or is tried again."""
    stopped = outcome.status is Status.CANCELLED and run.cancel_requested
    active.run = run = replace(
        run,
        state=END_STATE[outcome.status],
        reason=run.reason if stopped else outcome.message,
        exit_code=outcome.exit_code,
        facts=outcome.facts,
        peak_memory_bytes=outcome.peak_memory_bytes,
        cpu_us=outcome.cpu_us,
    )
    if _again(active, run):
        _retry(state, active, now)
    else:
        _over(state, active, run)


def _over(state: State, active: Active, run: Run) -> None:
    """A run is over for good; who waited for that may go."""
    state.commands.append(SaveRun(run))
    state.remove(run)
    dependencies.note_end(state, run, active.job)
    state.loosened[run.job_id] = None


def _again(active: Active, run: Run) -> bool:
    if run.cancel_requested:
        return False
    if run.state is RunState.LOST:
        limit = max(active.job.retry.limit, 1)
        return active.job.on_lost is OnLost.RETRY and run.attempt <= limit
    failed = run.state in {RunState.FAILED, RunState.TIMED_OUT, RunState.REFUSED}
    return failed and run.attempt <= active.job.retry.limit


def _retry(state: State, active: Active, now: Now) -> None:
    run, retry = active.run, active.job.retry
    state.commands.append(SaveAttempt(run))
    state.unassign(run)
    delay_s = min(retry.delay_s * retry.backoff ** min(run.attempt - 1, 64), retry.max_delay_s)
    delay_s *= 1 + retry.jitter * (2 * state.chance.random() - 1)
    delay_us = round(delay_s * SECOND_US)
    active.blocked = _is_beside(state, active)
    active.avoid = run.agent_id if retry.elsewhere else ""
    active.offsets = [0, 0]
    active.expires_us = active.rejoin_us = None
    active.run = replace(
        run,
        state=RunState.QUEUED,
        reason=f"retry after: {run.reason or run.state}",
        attempt=run.attempt + 1,
        not_before_us=now.wall_us + delay_us,
        agent_id="",
        agent="",
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


def delay(state: State, active: Active, until_us: int) -> None:
    """Let a retry wait until an instant of the steady clock."""
    active.delayed_until_us = until_us
    heapq.heappush(state.delayed, (until_us, active.run.id))


def release_delayed(state: State, now: Now) -> None:
    """Let retries whose delay is over wait for an agent."""
    while state.delayed and state.delayed[0][0] <= now.steady_us:
        at_us, run_id = heapq.heappop(state.delayed)
        active = state.active.get(run_id)
        if active is None or active.delayed_until_us != at_us:
            continue
        active.delayed_until_us = None
        if active.run.state is RunState.QUEUED and not active.blocked:
            active.expires_us = at_us + round(state.policy.unplaced_s * SECOND_US)
            _let_go(state, active, now)


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
    hindrance = barred(state, state.fleet.known[pin], now)
    if hindrance is not None:
        _bar(state, active, hindrance, now)


def _give_up(state: State, active: Active, now: Now) -> None:
    run = active.run
    if run.attempt == 1:
        facts = {
            "because": "no agent could take it",
            **hosts_in_words(verdicts(state, active.demand, now)),
        }
        _bar(state, active, Barred(SkipReason.NO_AGENT, facts), now)
    else:
        reason = f"no agent could take attempt {run.attempt}, a {run.reason}"
        _finish_queued(state, active, Cause.GIVE_UP, reason, now)


def cancel(state: State, run_id: str, reason: str, now: Now) -> bool:
    """End a run that is not over; False when there is none of that id."""
    active = state.active.get(run_id)
    if active is None:
        return False
    if active.run.state is RunState.QUEUED:
        _finish_queued(state, active, Cause.CANCEL, reason, now)
        return True
    if not active.run.cancel_requested:
        active.run = replace(active.run, cancel_requested=True, reason=reason)
        state.commands.append(SaveRun(active.run))
    session = state.sessions.get(active.run.agent_id)
    if session is not None:
        state.say(session.agent.id, Cancel(session.id, [key_of(active.run)]))
    return True


def cancel_queued(state: State, job_id: int, reason: str, now: Now) -> None:
    """End the runs of a job that no agent was given."""
    for run_id in [*state.by_job.get(job_id, ()), *state.held.get(job_id, ())]:
        if state.active[run_id].run.state is RunState.QUEUED:
            cancel(state, run_id, reason, now)


def abandon(state: State, active: Active, now: Now) -> None:
    """End a run whose order provably never arrived, and that nobody wants any more."""
    after = transitions.after(active.run.state, Cause.RETURN, active.run.id)
    assert after is not None
    active.run = replace(active.run, state=after)
    _finish_queued(state, active, Cause.CANCEL, active.run.reason, now)


def _finish_queued(state: State, active: Active, cause: Cause, reason: str, now: Now) -> None:
    after = transitions.after(active.run.state, cause, active.run.id)
    assert after is not None
    run = replace(active.run, state=after, reason=reason, finished_us=now.wall_us)
    _over(state, active, run)


def lose(state: State, active: Active, reason: str, now: Now) -> None:
    """Nobody can know what became of the current attempt."""
    transitions.after(active.run.state, Cause.LOSE, active.run.id)
    ended = replace(active.run, finished_us=now.wall_us)
    end(state, active, ended, Outcome(Status.LOST, message=reason), now)


def resume_queued(state: State, now: Now) -> None:
    """Let restored runs wait: for earlier runs of their job, for their delay, for an agent."""
    for run_ids in state.by_job.values():
        siblings = [state.active[run_id] for run_id in run_ids]
        going = _groups_going(siblings)
        for active in siblings:
            if active.run.state is RunState.QUEUED:
                active.blocked = active.run.group not in going
                _resume(state, active, now)


def _groups_going(siblings: list[Active]) -> set[str]:
    """The groups of one job's runs that wait for no other."""
    going = {a.run.group for a in siblings if a.run.state is not RunState.QUEUED}
    going |= {a.run.group for a in siblings if a.job.overlap is Overlap.ALLOW}
    # A retry has its job's place; without one it goes to the oldest.
    return going or {min(siblings, key=lambda a: a.run.attempt == 1).run.group}


def _resume(state: State, active: Active, now: Now) -> None:
    run, retry = active.run, active.job.retry
    if run.not_before_us is not None:
        longest_us = round(retry.max_delay_s * (1 + retry.jitter) * SECOND_US)
        left_us = min(max(run.not_before_us - now.wall_us, 0), longest_us)
        delay(state, active, now.steady_us + left_us)
    elif not active.blocked:
        _enqueue(state, active, now)


def settle(state: State, now: Now) -> None:
    """Let those go that waited for what ended in this step."""
    while state.loosened:
        job_id, _ = state.loosened.popitem()
        _unblock(state, job_id, now)


def _unblock(state: State, job_id: int, now: Now) -> None:
    """When nothing of a job is under way, its oldest waiting group may go."""
    runs = []
    for run_id in state.by_job.get(job_id, ()):
        active = state.active[run_id]
        if not active.blocked:
            return
        runs.append(active)
    if not runs:
        return
    group = [active for active in runs if active.run.group == runs[0].run.group]
    for active in group:
        active.blocked = False
    for active in group:
        _let_go(state, active, now)
