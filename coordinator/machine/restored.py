"""What follows from a backup that was restored: what may have been done since is not done again.

Between the backup and its restore the coordinator may have gone on, and the store knows nothing of
it. So until somebody knows better, that span counts as used up:

- its due times are skipped, unless they are to be left to the `missed` policies of their jobs;
- runs that waited are lost: they may have been given out, unless they were to wait for longer;
- runs that an agent had stay with it. What the agent still has comes right by itself; what it does
  not have any more is lost, and nothing follows from that: no retry, and no job that comes after;
- ends that jobs had waited for, and not used up, are taken back;
- attempts that were given out in that span are left alone, and taken up where their run is known.

A store that was handed over has no such span.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from tocsin.execution import AttemptKey, split_key
from tocsin.instants import Now, to_rfc3339
from tocsin.messages.agent_link import AttemptReport
from tocsin.model import Incident, IncidentKind, JobRow, Restore, Run, RunState, SkipReason
from tocsin.targeting import demand_of
from tocsin.ulids import made_us

from . import dependencies, incidents, retries, transitions, turns
from .commands import LeaveAttempts, SaveAttempt, SaveRestore, SaveRun
from .ending import over
from .events import BackupRestored, PastRun
from .fires import Barred
from .state import Active, Session, State
from .transitions import Cause

_MARK: Final = "restored"
"""The fact of a run that was lost by a restore."""


def take_up(state: State, restore: Restore | None) -> None:
    """Remember the last restore, where there is a span of which nobody knows what was done."""
    if restore is not None and not restore.handed_over:
        state.restore = restore


def on_restored(state: State, event: BackupRestored, now: Now) -> None:
    """Decide, once, what becomes of all that was under way in a backup."""
    restore = event.restore
    if not restore.handed_over:
        incidents.keep(state, [_incident(restore)])
        for active in list(state.active.values()):
            if _may_be_given_out(active.run, restore):
                lose(state, active, "", now)
        if not restore.run_missed:
            dependencies.take_back(state)
    state.commands.append(SaveRestore(replace(restore, settled=True)))


def _may_be_given_out(run: Run, restore: Restore) -> bool:
    """Whether a run that waited can have gone to an agent since the backup."""
    waited = run.not_before_us is not None and run.not_before_us > restore.until_us
    return run.state is RunState.QUEUED and not waited


def _incident(restore: Restore) -> Incident:
    return Incident(kind=IncidentKind.RESTORE, from_us=restore.backup_us, until_us=restore.until_us)


# Due times.


def barred(state: State, row: JobRow) -> tuple[int, Barred] | None:
    """Until when due times of a job are passed over, and how; None when none of them is."""
    restore = state.restore
    if restore is None or restore.run_missed or row.next_due_us is None:
        return None
    if row.next_due_us > restore.until_us:
        return None
    facts = incidents.facts_of(_incident(restore))
    return restore.until_us, Barred(SkipReason.RESTORED, facts)


# Runs.


def is_doubtful(state: State, run: Run) -> bool:
    """Whether the current attempt of a run may be over, or followed by another, unknown to us."""
    given_us = run.created_us if run.dispatched_us is None else run.dispatched_us
    return state.restore is not None and given_us <= state.restore.until_us


def lose(state: State, active: Active, reason: str, now: Now) -> None:
    """A run is over, nobody knows how, and nothing is to follow from it."""
    assert state.restore is not None
    run = active.run
    transitions.after(run.state, Cause.LOSE, run.id)
    what = "whether it ran" if run.state is RunState.QUEUED else "how it ended"
    words = _in_words(state, what)
    active.run = replace(
        run,
        state=RunState.LOST,
        reason=f"{reason}; {words}" if reason else words,
        facts={_MARK: to_rfc3339(state.restore.until_us)},
        finished_us=now.wall_us,
    )
    over(state, active, active.run, is_end=False)


def _in_words(state: State, what: str) -> str:
    assert state.restore is not None
    at = to_rfc3339(state.restore.backup_us)
    return f"restored from a backup of {at}: {what} is not known"


def has_counted(state: State, run: Run) -> bool:
    """Whether the jobs that come after a lost run's have been told of the end of its fire."""
    if run.reopened:
        return True
    return run.group not in state.members and (bool(run.pin) or _MARK not in run.facts)


# Attempts.


def adopted(
    state: State, active: Active | None, past: PastRun | None, said: AttemptReport, session: Session
) -> Active | None:
    """The run of an attempt that was given out after the backup, as its agent has it.

    None: the attempt is none that could have followed what the store knows.
    """
    run = active.run if active is not None else past.run if past is not None else None
    if run is None or not is_doubtful(state, run):
        return None
    _, number = split_key(said.key)
    if number < run.attempt or (number == run.attempt and run.agent_id):
        return None
    if active is None:
        if past is None or past.job is None or run.state is not RunState.LOST:
            return None
        active = Active(run, past.job, demand_of(past.job, run.pin), [0, 0], past.pieces)
        active.avoid = retries.avoided(past.job, past.failed_on)
        run = replace(run, reopened=has_counted(state, run))
        is_back = True
    else:
        state.unassign(run)
        is_back = False
    if number > run.attempt:
        state.commands.append(SaveAttempt(_overtaken(state, run, said)))
        here = retries.avoided(active.job, [(run.agent_id, RunState.LOST)])
        active.avoid = tuple(dict.fromkeys((*active.avoid, *here)))
    active.run = _given(run, number, said, session)
    active.offsets, active.tails = [0, 0], {}
    active.blocked, active.delayed_until_us = False, None
    if is_back:
        state.add(active)
        turns.reopen(state, active.run)
    else:
        state.assign(active.run)
    state.commands.append(SaveRun(active.run))
    return active


def _overtaken(state: State, run: Run, said: AttemptReport) -> Run:
    """The attempt that another followed, unknown to the store."""
    if run.state is RunState.LOST:
        return run
    words = _in_words(state, "how it ended")
    return replace(run, state=RunState.LOST, reason=words, finished_us=said.accepted_us)


def _given(run: Run, number: int, said: AttemptReport, session: Session) -> Run:
    return replace(
        run,
        state=RunState.DISPATCHED,
        reason="",
        attempt=number,
        not_before_us=None,
        agent_id=session.agent.id,
        agent=session.agent.name,
        spool=session.spool,
        placed="before a backup was restored",
        dispatched_us=said.accepted_us,
        accepted_us=None,
        started_us=None,
        finished_us=None,
        exit_code=None,
        facts={},
        peak_memory_bytes=None,
        cpu_us=None,
    )


def is_left_alone(state: State, key: AttemptKey) -> bool:
    """Whether an attempt of a run that nobody knows was given out between backup and restore."""
    at_us = made_us(split_key(key)[0])
    return state.restore is not None and at_us is not None and at_us <= state.restore.until_us


def leave(state: State, session: Session, keys: list[AttemptKey]) -> None:
    """Tell of attempts that are left alone, of each of them once."""
    fresh = [key for key in keys if key not in state.left_alone]
    if fresh:
        state.left_alone.update(dict.fromkeys(fresh))
        state.commands.append(LeaveAttempts(session.agent, fresh))
