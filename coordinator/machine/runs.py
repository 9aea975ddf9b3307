"""What becomes of runs: begun, reported, retried, ended, given up."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from tocsin.execution import Outcome, Status
from tocsin.instants import Now
from tocsin.messages.agent_link import AttemptReport, Cancel, Phase
from tocsin.model import (
    END_STATE,
    Job,
    JobRow,
    Overlap,
    Run,
    RunState,
    SkipReason,
    Trigger,
)
from tocsin.params import effective
from tocsin.targeting import demand_of

from . import dependencies, restored, retries, rollout, transitions, turns
from .commands import SaveRun
from .eligibility import all_paused
from .ending import bar, finish_queued, over
from .fanout import chosen, members
from .fires import LATE_US, Barred, Skip
from .jitter import later_us
from .state import Active, State, key_of
from .transitions import Cause
from .waiting import delay, enqueue, let_go

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
        return [skip(state, row, trigger, skipped, now, due_us=due_us, by=by, cause=cause)]
    if row.job.after and not waits and due_us is not None:
        cause = dependencies.consume(state, row.job.name)
    everyone = chosen(state, row.job, pins, now) if pins else members(state, row.job, now)
    given = effective(row.job.params, params) if row.job.params else {}
    ids = [state.new_id() for _ in everyone]
    runs, actives = [], []
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
            placed="" if member.agent is None else _pinned(len(ids)),
            state=RunState.QUEUED,
            reason=SkipReason.DEPENDENCY if waits else "",
            created_us=now.wall_us,
            due_us=due_us,
            requested_by=by,
            cause=cause,
            params=given,
        )
        if member.barred is not None:
            run = _barred(run, member.barred, now)
        else:
            run = _later(run, row.job, now)
            actives.append(_queue(state, run, row.job, now, blocked=blocked and not waits))
        state.commands.append(SaveRun(run))
        runs.append(run)
    _let_begin(state, actives, now)
    return runs


def _pinned(hosts: int) -> str:
    return "pinned: its only host" if hosts == 1 else f"pinned: one of its {hosts} hosts"


def _let_begin(state: State, actives: list[Active], now: Now) -> None:
    """Let the runs of a fire wait for their turn, or for an agent."""
    if actives and rollout.is_rolled(actives[0].job.target):
        turns.begin(state, actives[0].run.group, actives)
    for active in actives:
        enqueue(state, active, now)


def _later(run: Run, job: Job, now: Now) -> Run:
    """A run of a due time begins later than that by its job's jitter."""
    spread_us = later_us(job, run)
    if not spread_us:
        return run
    from_us = now.wall_us
    if run.due_us is not None and now.wall_us - run.due_us <= LATE_US:
        from_us = run.due_us
    return replace(run, not_before_us=from_us + spread_us)


def skip(  # noqa: PLR0913 - all that makes a skip
    state: State,
    row: JobRow,
    trigger: Trigger,
    barred: Barred,
    now: Now,
    *,
    due_us: int | None = None,
    by: str = "",
    cause: str = "",
) -> Run:
    """Record that one due time, one end of another job or one request gets no run."""
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
        requested_by=by,
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


def _queue(state: State, run: Run, job: Job, now: Now, *, blocked: bool) -> Active:
    active = Active(run, job, demand_of(job, run.pin), [0, 0], blocked=blocked)
    state.add(active)
    if active.is_held:
        dependencies.hold(state, active)
    if run.not_before_us is not None:
        delay(state, active, now.steady_us + max(run.not_before_us - now.wall_us, 0))
    return active


def _paused(state: State, row: JobRow, trigger: Trigger, now: Now) -> Barred | None:
    """Whether all agents of a job are paused; a run that a person asks for waits for one."""
    if trigger in _ASKED_FOR or not state.pauses:
        return None
    return all_paused(state, row.job, now)


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
            bar(state, active, skipped, now)
            continue
        state.free(active)
        active.run = replace(active.run, reason="", cause=cause)
        active.blocked = blocked
        state.commands.append(SaveRun(active.run))
        let_go(state, active, now)
    if first.run.group in state.rolling.fires:
        state.rolling.touched[first.run.group] = None


def give_up_held(state: State, job_id: int, now: Now) -> None:
    """End the due time of a job that waited for other jobs, and not long enough."""
    for run_id in list(state.held.get(job_id, ())):
        active = state.active[run_id]
        facts = dependencies.missing(state, active.run.job)
        bar(state, active, Barred(SkipReason.DEPENDENCY, facts), now)


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
        launch_failures=run.launch_failures + (outcome.status is Status.REFUSED),
    )
    if retries.is_wanted(active, run) and retries.is_possible(state, run):
        retries.begin(state, active, now)
    else:
        over(state, active, run)


def cancel(state: State, run_id: str, reason: str, now: Now) -> bool:
    """End a run that is not over; False when there is none of that id."""
    active = state.active.get(run_id)
    if active is None:
        return False
    if active.run.state is RunState.QUEUED:
        finish_queued(state, active, Cause.CANCEL, reason, now)
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
    finish_queued(state, active, Cause.CANCEL, active.run.reason, now)


def lose(state: State, active: Active, reason: str, now: Now) -> None:
    """Nobody can know what became of the current attempt."""
    if restored.is_doubtful(state, active.run):
        restored.lose(state, active, reason, now)
        return
    transitions.after(active.run.state, Cause.LOSE, active.run.id)
    ended = replace(active.run, finished_us=now.wall_us)
    end(state, active, ended, Outcome(Status.LOST, message=reason), now)
