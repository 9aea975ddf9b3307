"""What becomes of attempts: taken up, begun, ended, forgotten."""

from __future__ import annotations

from tocsin.execution import AttemptKey, Outcome, Status
from tocsin.hosting import RunBegan, RunEnded
from tocsin.instants import Now

from .commands import DropOutput, FollowOutput, LeaveOutput
from .memory import UNKNOWN_HOST, Attempt
from .state import State


def add(state: State, attempt: Attempt) -> None:
    """Hold one more attempt that is not over."""
    state.attempts[attempt.key] = attempt
    state.running += 1


def found(state: State, executor: str, key: AttemptKey, at_us: int) -> Attempt:
    """The attempt that a host speaks of; one that is not known is taken up.

    The agent lost its memory of it, or forgot it and the host was not told: the coordinator knows.
    """
    attempt = state.attempts.get(key)
    if attempt is None:
        host = state.host(executor).identity or UNKNOWN_HOST
        attempt = Attempt(key, executor, at_us, None, host)
        add(state, attempt)
        state.found = True
    elif not attempt.executor:
        attempt.executor = executor
    return attempt


def begin(state: State, attempt: Attempt, at_us: int, now: Now) -> None:
    """A host says that an attempt runs."""
    if attempt.outcome is not None or attempt.started_us is not None:
        return
    attempt.started_us = at_us
    state.began(RunBegan(attempt.key, at_us))
    state.commands.append(FollowOutput(attempt.key, attempt.keep_bytes))
    touch(state, attempt, now)


def end(state: State, attempt: Attempt, run: RunEnded) -> None:
    """An attempt is over. It is reported when its output has been read to the end."""
    if attempt.outcome is not None:
        return
    state.running -= 1
    attempt.started_us = run.began_us
    attempt.ended_us = run.at_us
    attempt.outcome = run.outcome
    state.kept.pop(attempt.key, None)
    state.outbox.dirty.pop(attempt.key, None)
    state.ended(attempt, run)


def end_unheard(state: State, attempt: Attempt, status: Status, message: str, now: Now) -> None:
    """An attempt is over, and no host will say so: it is lost, or was never started."""
    outcome = Outcome(status, message=message)
    end(state, attempt, RunEnded(attempt.key, attempt.started_us, now.wall_us, outcome))


def forget(state: State, keys: list[AttemptKey]) -> None:
    """The coordinator keeps the ends of these attempts."""
    over: list[AttemptKey] = []
    left: list[AttemptKey] = []
    for key in keys:
        attempt = state.attempts.pop(key)
        assert attempt.outcome is not None
        state.outbox.dirty.pop(key, None)
        state.forgotten(key)
        (left if attempt.executor in state.unseen else over).append(key)
    if over:
        state.commands.append(DropOutput(over))
    if left:
        state.commands.append(LeaveOutput(left))
        state.sweep_due = True


def touch(state: State, attempt: Attempt, now: Now, *, urgent: bool = True) -> None:
    """The coordinator is to be told the latest of an attempt."""
    box = state.outbox
    if not box.waiting:
        box.since_us = now.steady_us
    box.urgent = box.urgent or urgent
    box.dirty[attempt.key] = None
