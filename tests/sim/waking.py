"""Whether everything that waits has something that wakes it, and nothing waits that could go."""

from __future__ import annotations

from tocsin.coordinator.machine import pools
from tocsin.coordinator.machine.machine import Machine
from tocsin.coordinator.machine.placement import candidates
from tocsin.coordinator.machine.state import Active, State
from tocsin.model import Choose, RunState

from .evidence import Violation


def check(machine: Machine) -> None:
    """Look at every run that no agent has.

    Raises:
        Violation: one of them waits for nothing.
    """
    state: State = machine._state
    remembered, state.candidates = state.candidates, {}
    try:
        _check(state)
    finally:
        state.candidates = remembered


def _check(state: State) -> None:
    expiries, delayed = set(state.expiries), set(state.delayed)
    patient = {run_id for _, run_id in state.chains.patience}
    for run_id, active in state.active.items():
        if active.run.state is not RunState.QUEUED:
            continue
        if active.may_go:
            woken = (active.expires_us, run_id) in expiries and not _could_go(state, active)
        elif active.delayed_until_us is not None:
            woken = (active.delayed_until_us, run_id) in delayed
        elif active.is_held:
            woken = run_id in patient
        elif active.blocked:
            woken = _others_go(state, active)
        else:
            woken = _turn_comes(state, active)
        if not woken:
            raise Violation("waits", f"nothing wakes {active}", run_id)


def _could_go(state: State, active: Active) -> bool:
    """Whether an agent has a free slot for it; a sticky run waits for its home's."""
    if pools.is_full(state, active.job.pool):
        return False
    if active.job.target.choose is Choose.STICKY and not active.run.pin:
        return False
    return any(state.sessions[i].free > 0 for i in candidates(state, active.demand))


def _others_go(state: State, active: Active) -> bool:
    others = [state.active[run_id] for run_id in state.by_job[active.run.job_id]]
    return any(it.run.group != active.run.group and not it.blocked for it in others)


def _turn_comes(state: State, active: Active) -> bool:
    group = active.run.group
    rolled = state.rolling.fires.get(group)
    if rolled is None or active.run.id not in rolled.waiting:
        return False
    waiting = [state.active[run_id] for run_id in rolled.waiting]
    return (
        any(state.active[run_id].run.state is not RunState.QUEUED for run_id in rolled.going)
        or any(_is_woken(state.active[run_id]) for run_id in rolled.going)
        or any(it.delayed_until_us is not None for it in waiting)
        or any(named == group for _, named in state.rolling.times)
    )


def _is_woken(active: Active) -> bool:
    """Whether a member that was let go comes to an end, or waits for a fire that does."""
    return active.may_go or active.blocked or active.delayed_until_us is not None
