"""What will become of a due time that lies ahead, as things stand; and what goes on at present."""

from __future__ import annotations

from typing import Final

from tocsin.messages.client_answers import Step, StepKind, StepVerdict
from tocsin.model import Overlap, SkipReason

from .deciding import barred_words
from .running import host_steps, waiting_steps
from .scene import Scene, info, no
from .standing import standing
from .timeline import next_due
from .words import plural, sentence, span

GOING_MAX: Final = 3
"""So many runs that are not over are told of beside the due time's own."""
_OVERLAP_THEN: Final = {
    Overlap.ALLOW: "",
    Overlap.SKIP: "while it goes on, the due time is skipped",
    Overlap.QUEUE: "the due time waits for its end",
    Overlap.REPLACE: "the due time ends it and takes its place",
}


def prospects(scene: Scene, due_us: int) -> list[Step]:
    """What would become of a due time if nothing changed until then."""
    return [
        *_barrier_steps(scene, due_us),
        *_lacking_steps(scene),
        *_overlap_steps(scene),
        *_pool_steps(scene),
        *_host_steps(scene),
    ]


def _lacking_steps(scene: Scene) -> list[Step]:
    lacking = scene.evidence.lacking
    return [info(StepKind.DEPENDENCY, f"still to come: {lacking}")] if lacking else []


def _barrier_steps(scene: Scene, due_us: int) -> list[Step]:
    barred = scene.evidence.barred.get(due_us)
    if barred is None:
        return []
    kind = StepKind.BLACKOUT if barred.reason is SkipReason.BLACKOUT else StepKind.PAUSE
    text = f"would be skipped: {barred_words(scene, barred.facts)}"
    return [no(kind, text, due_us, **barred.facts)]


def _overlap_steps(scene: Scene) -> list[Step]:
    then = _OVERLAP_THEN[scene.job.overlap]
    if not scene.evidence.going or not then:
        return []
    run = scene.evidence.going[0]
    text = f"run {run.id} is not over; {then} (overlap: {scene.job.overlap})"
    return [info(StepKind.OVERLAP, text, run.created_us)]


def _pool_steps(scene: Scene) -> list[Step]:
    full = scene.evidence.full_pool
    return [info(StepKind.POOL, f"{full}; a run waits until one is free")] if full else []


def _host_steps(scene: Scene) -> list[Step]:
    hosts = scene.evidence.hosts
    if not any(host.fits for host in hosts):
        return host_steps(hosts)
    fit = sum(host.fits for host in hosts)
    step = host_steps([host for host in hosts if host.fits])[0]
    if scene.job.target.agents == 1:
        return [step]
    wanted = scene.job.target.agents
    text = f"goes to {wanted} of {plural(fit, 'agent')} that could take it"
    return [info(StepKind.PLACEMENT, text), step]


def ahead_verdict(scene: Scene, due_us: int, steps: list[Step]) -> str:
    """One sentence on a due time that lies ahead."""
    in_words = f"it is due in {span(due_us - scene.evidence.now_us)}"
    stopping = [step for step in steps if step.verdict is StepVerdict.NO]
    if not stopping and scene.evidence.lacking:
        return sentence(f"{in_words}, and then waits for other jobs: {scene.evidence.lacking}")
    if not stopping:
        return sentence(f"{in_words}, and would run as things stand")
    if stopping[0].kind is StepKind.PLACEMENT:
        return sentence(f"{in_words}; as things stand no agent could take it")
    return sentence(f"{in_words}, and {stopping[0].text}")


def present_steps(scene: Scene) -> list[Step]:
    """What the job does now, beside what was told, and when it is due next."""
    evidence, clock = scene.evidence, scene.clock
    told = {run.id for run in evidence.runs} | {run.id for run in evidence.others}
    steps: list[Step] = []
    others = [run for run in evidence.going if run.id not in told]
    for run in others[:GOING_MAX]:
        text = f"run {run.id}: {standing(scene, run)}"
        steps.append(info(StepKind.NOW, text, run.created_us))
        steps += waiting_steps(scene, run)
    if len(others) > GOING_MAX:
        more = plural(len(others) - GOING_MAX, "other run")
        steps.append(info(StepKind.NOW, f"and {more}: tocsin run list --job {evidence.job}"))
    if evidence.lacking and not scene.job.schedule:
        steps.append(info(StepKind.NEXT, f"waits for other jobs: {evidence.lacking}"))
    next_us = next_due(evidence.versions, evidence.now_us)
    if next_us is None or next_us == evidence.moment.due_us or evidence.row is None:
        return steps
    left = span(next_us - evidence.now_us)
    barred = _barrier_steps(scene, next_us)
    then = f", {barred[0].text}" if barred else ""
    text = f"due next {clock.full(next_us)}, in {left}{then}"
    return [*steps, info(StepKind.NEXT, text, next_us)]
