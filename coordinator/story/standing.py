"""How a record stands, as parts of sentences."""

from __future__ import annotations

from typing import Final, assert_never

from tocsin.coordinator.machine.fires import LATE_US
from tocsin.coordinator.machine.jitter import later_us
from tocsin.coordinator.machine.outlook import Silence, Waiting
from tocsin.model import TERMINAL, Run, RunState

from .deciding import skip_cause
from .scene import Scene
from .words import span

_WITH_AGENT: Final = {
    RunState.DISPATCHED: "it was sent to {agent} at {at}, which has not answered yet",
    RunState.ACCEPTED: "it was accepted by {agent} at {at} and is about to start",
    RunState.RUNNING: "it has been running on {agent} since {at}",
}
_WITH_SILENT_AGENT: Final = {
    RunState.DISPATCHED: "it was sent to {agent} at {at}",
    RunState.ACCEPTED: "it was accepted by {agent} at {at}",
    RunState.RUNNING: "it began on {agent} at {at}",
}


def standing(scene: Scene, run: Run) -> str:
    """How a record stands, as a part of a sentence: `it ran on db2 and succeeded after 3s`."""
    clock = scene.clock
    match run.state:
        case RunState.SKIPPED:
            return f"it was skipped: {skip_cause(scene, run)}"
        case RunState.QUEUED:
            return _queued(scene, run, scene.evidence.waiting.get(run.id) or Waiting())
        case RunState.DISPATCHED | RunState.ACCEPTED | RunState.RUNNING:
            at_us = run.started_us or run.accepted_us or run.dispatched_us or run.created_us
            silence = scene.evidence.silent.get(run.agent_id)
            words = _WITH_AGENT if silence is None else _WITH_SILENT_AGENT
            text = words[run.state].format(agent=run.agent, at=clock.time(at_us))
            if silence is not None:
                text += _unheard(scene, run, silence)
            return f"{text}, and was asked to end ({run.reason})" if run.cancel_requested else text
        case RunState.SUCCEEDED | RunState.FAILED | RunState.TIMED_OUT:
            return f"it ran{on_host(run)} and {ended(run, _at_attempt(run))}"
        case RunState.CANCELLED:
            if run.started_us is None:
                return f"it was cancelled before it began: {reason_of(run) or 'killed'}"
            return f"it ran{on_host(run)} and {ended(run)}"
        case RunState.LOST:
            why = reason_of(run)
            return f"nobody can know whether it ran{on_host(run)}" + (f": {why}" if why else "")
        case RunState.REFUSED:
            return f"it did not run: {reason_of(run) or 'no agent would start it'}"
        case _:
            assert_never(run.state)


def _unheard(scene: Scene, run: Run, silence: Silence) -> str:
    """Why nobody can say how a run stands: `, which has not been heard of since 02:31 CET; …`."""
    clock = scene.clock
    since = "" if silence.since_us is None else f" since {clock.time(silence.since_us)}"
    what = f"has been revoked{since}" if silence.is_revoked else f"has not been heard of{since}"
    if silence.lost_us is None:
        return f", which {what}"
    unless = "" if silence.is_revoked else f", unless {run.agent} comes back"
    return f", which {what}; at {clock.time(silence.lost_us)} it counts as lost{unless}"


def briefly(scene: Scene, run: Run) -> str:
    """How a record stands, without its host: `failed after 3s: exit code 2`."""
    if run.state is RunState.SKIPPED:
        return f"skipped: {skip_cause(scene, run)}"
    if run.state in TERMINAL:
        return ended(run, _at_attempt(run))
    return standing(scene, run)


def _queued(scene: Scene, run: Run, waiting: Waiting) -> str:
    clock = scene.clock
    if waiting.lacking:
        return f"it waits for other jobs: {waiting.lacking}"
    if waiting.behind:
        return f"it waits for run {waiting.behind} to end (overlap: {scene.job.overlap})"
    if waiting.turn:
        return f"it waits for its turn: {waiting.turn}"
    if waiting.pool:
        return f"it waits for a slot: {waiting.pool}"
    until_us = waiting.until_us or run.not_before_us
    if until_us is not None and until_us > scene.evidence.now_us:
        left = span(until_us - scene.evidence.now_us)
        if run.attempt == 1:
            return f"it starts at {clock.time(until_us)}, in {left}"
        return f"attempt {run.attempt} is due at {clock.time(until_us)}, in {left} ({run.reason})"
    text = f"it has been waiting for an agent since {clock.time(run.created_us)}"
    if len(waiting.hosts) == 1 and not waiting.hosts[0].fits:
        text += f": {waiting.hosts[0].agent} is {waiting.hosts[0].why}"
    elif waiting.hosts and not any(host.fits for host in waiting.hosts):
        text += f": none of {len(waiting.hosts)} can take it"
    return text


def ended(run: Run, where: str = "") -> str:
    """How an attempt ended: `failed after 3m12s: exit code 2`; `where` goes behind the verb."""
    took = where
    if run.started_us is not None and run.finished_us is not None:
        took += f" after {span(run.finished_us - run.started_us)}"
    why = f": {reason_of(run)}" if reason_of(run) else ""
    match run.state:
        case RunState.SUCCEEDED:
            return f"succeeded{took}"
        case RunState.TIMED_OUT:
            return f"timed out{took}"
        case RunState.LOST:
            return f"is lost{why}"
        case RunState.REFUSED:
            return f"never began{why}"
        case RunState.CANCELLED:
            return f"was cancelled{took}{why}"
        case _:
            return f"{run.state.replace('_', ' ')}{took}{why}"


def _at_attempt(run: Run) -> str:
    return f" at attempt {run.attempt}" if run.attempt > 1 else ""


def on_host(run: Run) -> str:
    """` on db2`, or nothing."""
    return f" on {run.agent}" if run.agent else ""


def reason_of(run: Run) -> str:
    """Why a run is in its state, in words."""
    if run.reason:
        return run.reason
    return "" if not run.exit_code else f"exit code {run.exit_code}"


def lateness_words(scene: Scene, run: Run) -> str:
    """How long after its due time a run began, where people would ask why; else nothing."""
    first = (scene.evidence.attempts.get(run.id) or [run])[0]
    if run.due_us is None or first.started_us is None or run.state is RunState.QUEUED:
        return ""
    if first.started_us - run.due_us <= LATE_US + jitter_us(scene, run):
        return ""
    return f"; it began {span(first.started_us - run.due_us)} after its due time"


def jitter_us(scene: Scene, run: Run) -> int:
    """By how much the job's jitter lets a run of a due time begin later."""
    return 0 if run.due_us is None else later_us(scene.job, run)
