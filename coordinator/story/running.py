"""What became of a run: why it went where, each attempt, why again or not again, its end."""

from __future__ import annotations

from itertools import pairwise
from typing import Final, assert_never

from tocsin.coordinator.machine.eligibility import HOSTS_MAX, Verdict
from tocsin.messages.client_answers import Step, StepKind
from tocsin.model import TERMINAL, OnLost, Run, RunState, Trigger
from tocsin.units import format_duration, format_size

from .deciding import absence_words, skip_steps
from .scene import Scene, info, no, yes
from .standing import ended, jitter_us, on_host, standing
from .words import listed, plural, span

WAIT_TOLD_US: Final = 1_000_000
"""A shorter wait for an agent is not worth a word."""


def run_steps(scene: Scene, run: Run) -> list[Step]:
    """All that was decided of, and happened to, one record."""
    if run.state is RunState.SKIPPED:
        return [*asked_steps(scene, run), *skip_steps(scene, run)]
    return [
        *asked_steps(scene, run),
        *_caught_up_steps(scene, run),
        *_follow_steps(scene, run),
        *jitter_steps(scene, run),
        *_attempt_steps(scene, run),
        *_end_steps(scene, run),
    ]


def asked_steps(scene: Scene, run: Run) -> list[Step]:
    """What called for a run that no schedule did."""
    by = f" by {run.requested_by}" if run.requested_by else ""
    at = scene.clock.time(run.created_us)
    match run.trigger:
        case Trigger.MANUAL:
            text = f"asked for{by} at {at}"
        case Trigger.AFTER:
            text = f"begun by the end of run {run.cause}" if run.cause else "begun by another job"
        case Trigger.RETRY:
            text = f"repeats {run.cause}, asked for{by} at {at}"
        case Trigger.SCHEDULE | Trigger.CATCHUP:
            return []
        case _:
            assert_never(run.trigger)
    params = listed([f"{key}={value}" for key, value in run.params.items()])
    text += f", with {params}" if params else ""
    return [yes(StepKind.REQUEST, text, run.created_us, cause=run.cause or None)]


def _caught_up_steps(scene: Scene, run: Run) -> list[Step]:
    if run.trigger is not Trigger.CATCHUP or run.due_us is None:
        return []
    looked = (
        f"looked at {scene.clock.time(run.created_us)}, {span(run.created_us - run.due_us)} late"
    )
    policy = f"missed: {scene.job.missed.policy} lets it run late"
    return [
        info(StepKind.COORDINATOR, f"{absence_words(scene, run)}: {looked}", run.created_us),
        yes(StepKind.MISSED, policy),
    ]


def _follow_steps(scene: Scene, run: Run) -> list[Step]:
    """That the jobs it comes after had ended as it asks."""
    if run.trigger is not Trigger.SCHEDULE or not scene.job.after or not run.cause:
        return []
    after = listed([f"{each.job} (on {each.on})" for each in scene.job.after])
    return [yes(StepKind.DEPENDENCY, f"{after} had ended so, at last with run {run.cause}")]


def jitter_steps(scene: Scene, run: Run) -> list[Step]:
    """That a run begins later than it is due, by how much, and within what."""
    later_us = jitter_us(scene, run)
    if not later_us:
        return []
    within = format_duration(scene.job.jitter_s)
    since = "its due time, always" if run.trigger is Trigger.SCHEDULE else "it was caught up"
    text = f"begins {span(later_us)} after {since} (jitter: {within})"
    return [info(StepKind.JITTER, text, late_s=later_us / 1e6)]


def _attempt_steps(scene: Scene, run: Run) -> list[Step]:
    """Where each attempt went and how it ended; the last one's end is the run's."""
    earlier = scene.evidence.attempts.get(run.id, [])
    steps: list[Step] = []
    for attempt, following in pairwise([*earlier, run]):
        steps += _placed_steps(scene, attempt, numbered=True)
        text = f"attempt {attempt.attempt}{on_host(attempt)} {ended(attempt)}"
        steps.append(no(StepKind.ATTEMPT, text, attempt.finished_us, **_code(attempt)))
        steps.append(_again_step(scene, attempt, following))
    return steps + _placed_steps(scene, run, numbered=bool(earlier))


def _placed_steps(scene: Scene, run: Run, *, numbered: bool) -> list[Step]:
    if run.dispatched_us is None:
        return []
    which = f"attempt {run.attempt} " if numbered else ""
    text = f"{which}went to {run.agent}" + (f": {run.placed}" if run.placed else "")
    if run.attempt == 1:
        waited_us = run.dispatched_us - run.created_us - jitter_us(scene, run)
        text += f", after {span(waited_us)} of waiting" if waited_us > WAIT_TOLD_US else ""
    steps = [yes(StepKind.PLACEMENT, text, run.dispatched_us, agent=run.agent)]
    return steps + _start_steps(scene, run)


def _start_steps(scene: Scene, run: Run) -> list[Step]:
    if run.started_us is None:
        return []
    text = f"started {scene.clock.time(run.started_us)}"
    facts: dict[str, object] = {"agent": run.agent}
    if run.due_us is not None and run.attempt == 1:
        late_us = max(run.started_us - run.due_us, 0)
        facts["late_s"] = late_us / 1e6
        text += f", {span(late_us)} after its due time"
    return [yes(StepKind.START, text, run.started_us, **facts)]


def _again_step(scene: Scene, failed: Run, following: Run) -> Step:
    """Why, and when, a failed attempt was followed by another."""
    if failed.state is RunState.LOST:
        rule = "on_lost: retry"
    elif failed.state is RunState.REFUSED:
        rule = "it had not begun: this uses up no retry"
    else:
        number = following.attempt - 1 - following.launch_failures
        rule = f"retry {number} of {scene.job.retry.limit}"
    begun_us = following.dispatched_us
    if begun_us is None or failed.finished_us is None:
        return info(StepKind.RETRY, f"is to be tried again ({rule})", following.not_before_us)
    waited = span(begun_us - failed.finished_us)
    return info(StepKind.RETRY, f"tried again {waited} later ({rule})", begun_us)


def _end_steps(scene: Scene, run: Run) -> list[Step]:
    if run.state not in TERMINAL:
        going = info(StepKind.NOW, standing(scene, run), run.started_us)
        return [going, *waiting_steps(scene, run)]
    text = ended(run)
    if run.attempt > 1:
        text = f"attempt {run.attempt}{on_host(run)} {ended(run)}"
    if run.output_bytes:
        text += f"; {_output(scene, run)}: tocsin run logs {run.id}"
    good = run.state is RunState.SUCCEEDED
    step = (yes if good else no)(StepKind.RESULT, text, run.finished_us, **_code(run))
    return [step, *_not_again_steps(scene, run)]


def _output(scene: Scene, run: Run) -> str:
    size, not_kept = format_size(run.output_bytes), scene.evidence.not_kept.get(run.id, 0)
    if not not_kept:
        return f"{size} of output"
    return f"{size} of output kept, {format_size(not_kept)} not (output.keep)"


def _not_again_steps(scene: Scene, run: Run) -> list[Step]:
    """Why a run that did not succeed is not tried again."""
    limit = scene.job.retry.limit
    if run.state in {RunState.SUCCEEDED, RunState.CANCELLED}:
        return []
    if run.cancel_requested:
        why = "it was asked to end"
    elif run.state is RunState.LOST and "restored" in run.facts:
        why = "it may have been, before a backup was restored"
    elif run.state is RunState.LOST and scene.job.on_lost is OnLost.REPORT:
        why = "it may have run, and on_lost is report"
    elif run.state is RunState.LOST:
        why = "on_lost: retry is used up"
    elif run.state is RunState.REFUSED and run.launch_failures:
        why = f"{run.launch_failures} attempts could not begin"
    elif run.attempt - 1 - run.launch_failures < limit:
        return []
    else:
        why = f"retry.limit is {limit}" + (", and used up" if limit else "")
    return [info(StepKind.RETRY, f"not tried again: {why}")]


def _code(run: Run) -> dict[str, object]:
    return {"exit_code": run.exit_code, "agent": run.agent or None}


def waiting_steps(scene: Scene, run: Run) -> list[Step]:
    """What a queued run waits for: hosts that do not take it, and until when."""
    waiting = scene.evidence.waiting.get(run.id)
    if waiting is None:
        return []
    steps = []
    elsewhere = waiting.behind or waiting.lacking or waiting.turn or waiting.pool
    if not elsewhere and waiting.until_us is None:
        steps = host_steps(waiting.hosts)
    if waiting.gives_up_us is not None:
        left = span(waiting.gives_up_us - scene.evidence.now_us)
        at = scene.clock.time(waiting.gives_up_us)
        steps.append(info(StepKind.NEXT, f"given up at {at}, in {left}", waiting.gives_up_us))
    return steps


def host_steps(hosts: list[Verdict]) -> list[Step]:
    """How each agent stands to a job: those that could take it together, the others by line."""
    fit = [host for host in hosts if host.fits]
    steps = []
    if fit:
        text = f"could go to {listed([host.agent for host in fit])}"
        steps.append(yes(StepKind.PLACEMENT, text))
    unfit = [host for host in hosts if not host.fits]
    shown = unfit[:HOSTS_MAX]
    steps += [no(StepKind.PLACEMENT, f"{host.agent}: {host.why}") for host in shown]
    if len(unfit) > len(shown):
        more = plural(len(unfit) - len(shown), "other host")
        steps.append(no(StepKind.PLACEMENT, f"and {more}: tocsin agent list"))
    if not hosts:
        steps.append(no(StepKind.PLACEMENT, "there are no agents"))
    return steps
