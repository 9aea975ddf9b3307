"""From evidence to a story."""

from __future__ import annotations

from collections import Counter
from typing import Final

from msgspec.structs import replace

from tocsin.messages.client_answers import Step, StepKind, StepVerdict, Story
from tocsin.messages.client_link import PAGE_ROWS_MAX
from tocsin.model import TERMINAL, Run, RunState

from .ahead import ahead_verdict, present_steps, prospects
from .deciding import incident_words
from .defining import (
    absence,
    first_due_step,
    job_steps,
    near_step,
    nearest_words,
    not_due_steps,
    schedule_steps,
)
from .evidence import Evidence
from .running import run_steps
from .scene import Scene, info, localised, no, scene_of, yes
from .standing import briefly, lateness_words, standing
from .words import listed, plural, sentence

MEMBERS_MAX: Final = 50
"""So many runs of one due time get a line of their own, those that failed before the others."""


def tell(evidence: Evidence) -> Story:
    """The story of a due time, or of a run."""
    scene = scene_of(evidence)
    if evidence.runs:
        verdict, steps = _of_records(scene)
    elif evidence.moment.due_us is None:
        verdict, steps = _of_nothing_due(scene, _instant(scene))
    elif evidence.moment.due_us > evidence.now_us:
        verdict, steps = _of_what_is_ahead(scene, evidence.moment.due_us)
    else:
        verdict, steps = _of_no_record(scene, evidence.moment.due_us)
    return Story(
        evidence.job,
        evidence.moment.due_us,
        scene.job.timezone,
        localised(scene, verdict),
        [replace(step, text=localised(scene, step.text)) for step in steps],
        _worst_first(evidence.runs or evidence.others)[:PAGE_ROWS_MAX],
    )


def _instant(scene: Scene) -> int:
    asked_us = scene.evidence.moment.asked_us
    return scene.evidence.now_us if asked_us is None else asked_us


def _preamble(scene: Scene, due_us: int | None) -> list[Step]:
    steps = [*near_step(scene), *job_steps(scene)]
    return steps if due_us is None else [*steps, *schedule_steps(scene, due_us)]


def _of_records(scene: Scene) -> tuple[str, list[Step]]:
    evidence = scene.evidence
    told = [run for run in evidence.runs if evidence.only in {"", run.id}]
    steps = _preamble(scene, evidence.moment.due_us)
    if len(told) == 1:
        verdict = standing(scene, told[0]) + lateness_words(scene, told[0])
        steps += run_steps(scene, told[0])
        if len(evidence.runs) > 1:
            group = f"it is one of {plural(len(evidence.runs), 'run')} of this due time"
            steps.append(info(StepKind.ROLLOUT, f"{group}: {_counted(evidence.runs)}"))
    else:
        verdict = _worst(scene, told) or _counted(told)
        steps += _member_steps(scene, told)
    return sentence(_nearly(scene) + verdict), [*steps, *present_steps(scene)]


def _nearly(scene: Scene) -> str:
    """How a verdict begins when another instant than a due time was asked for."""
    moment, clock = scene.evidence.moment, scene.clock
    if moment.asked_us is None or moment.due_us is None or moment.asked_us == moment.due_us:
        return ""
    asked, due = clock.time(moment.asked_us), clock.time(moment.due_us)
    return f"due {due}, the nearest to {asked}: "


def _counted(runs: list[Run]) -> str:
    """`7 of 9 hosts succeeded`, or how many are in each state."""
    counts = Counter(run.state for run in runs)
    good = counts.pop(RunState.SUCCEEDED, 0)
    if not counts:
        return f"all {plural(good, 'run')} succeeded"
    others = [f"{count} {state.replace('_', ' ')}" for state, count in counts.most_common()]
    return f"{good} of {plural(len(runs), 'run')} succeeded; {listed(others)}"


def _worst(scene: Scene, runs: list[Run]) -> str:
    """Who did not succeed, and why, as far as one sentence holds it."""
    bad = [run for run in runs if run.state is not RunState.SUCCEEDED]
    if not bad or len(bad) > 3:  # noqa: PLR2004 - more are told line by line
        return ""
    good = f"{len(runs) - len(bad)} of {plural(len(runs), 'run')} succeeded"
    return "; ".join([good, *(_member(run, scene) for run in bad)])


def _member(run: Run, scene: Scene) -> str:
    """A run of a group: `a2 failed after 3s`, or `a2: it waits for its turn` while it goes on."""
    name = run.agent or scene.evidence.names.get(run.pin, "")
    between = " " if run.state in TERMINAL else ": "
    return f"{name}{between if name else ''}{briefly(scene, run)}"


def _member_steps(scene: Scene, runs: list[Run]) -> list[Step]:
    steps = [_member_step(scene, run) for run in _worst_first(runs)[:MEMBERS_MAX]]
    if len(runs) > MEMBERS_MAX:
        text = f"and {plural(len(runs) - MEMBERS_MAX, 'run')} more: tocsin run list"
        steps.append(info(StepKind.RUN, text))
    return steps


def _worst_first(runs: list[Run]) -> list[Run]:
    return sorted(runs, key=lambda run: (run.state is RunState.SUCCEEDED, run.slot))


def _member_step(scene: Scene, run: Run) -> Step:
    text = f"{_member(run, scene)} ({run.id})"
    facts = {"run": run.id, "agent": run.agent or None, "state": run.state.value}
    match run.state:
        case RunState.SUCCEEDED:
            return yes(StepKind.RUN, text, run.finished_us, **facts)
        case RunState.QUEUED | RunState.DISPATCHED | RunState.ACCEPTED | RunState.RUNNING:
            return info(StepKind.RUN, text, run.created_us, **facts)
        case _:
            return no(StepKind.RUN, text, run.finished_us, **facts)


def _of_nothing_due(scene: Scene, at_us: int) -> tuple[str, list[Step]]:
    evidence, clock = scene.evidence, scene.clock
    if scene.version is None:
        return sentence(absence(scene)), [
            no(StepKind.JOB, absence(scene)),
            *first_due_step(scene),
            *present_steps(scene),
        ]
    why = not_due_steps(scene, at_us)
    told = {StepKind.CLOCK, StepKind.LIFE}
    stopping = [step for step in why if step.verdict is StepVerdict.NO]
    reason = next((step.text for step in why if step.kind in told), stopping[0].text)
    near = nearest_words(scene)
    if near and stopping[0].kind is StepKind.SCHEDULE and reason == stopping[0].text:
        reason = near
    verb = "is" if at_us > evidence.now_us else "was"
    verdict = f"nothing {verb} due at {clock.full(at_us)}: {reason}"
    if evidence.moment.asked_us is None:
        verdict = f"it has not run yet: {reason}"
    others = [
        info(StepKind.RUN, f"run {run.id}: {standing(scene, run)}", run.created_us)
        for run in evidence.others
    ]
    return sentence(verdict), [*job_steps(scene), *why, *others, *present_steps(scene)]


def _of_what_is_ahead(scene: Scene, due_us: int) -> tuple[str, list[Step]]:
    coming = prospects(scene, due_us)
    verdict = ahead_verdict(scene, due_us, coming)
    return verdict, [*_preamble(scene, due_us), *coming, *present_steps(scene)]


def _of_no_record(scene: Scene, due_us: int) -> tuple[str, list[Step]]:
    """A due time of the past without a record: it is being decided, or a promise is broken."""
    evidence, clock = scene.evidence, scene.clock
    row = evidence.row
    incidents = [
        info(StepKind.COORDINATOR, incident_words(scene, each), each.from_us)
        for each in evidence.incidents
    ]
    cursor_us = None if row is None else row.next_due_us
    if cursor_us is not None and cursor_us <= due_us:
        text = "it has not been looked at yet"
        if cursor_us < due_us:
            text += f": the coordinator is still at {clock.time(cursor_us)}"
        step = info(StepKind.COORDINATOR, text, cursor_us)
    else:
        text = (
            "it should have a record, and there is none: either the store was put back to an "
            "earlier day, or Tocsin broke its promise"
        )
        hint = f"please report it, with: tocsin why {evidence.job} --at … -o json"
        step = no(StepKind.COORDINATOR, f"{text}; {hint}")
    steps = [*_preamble(scene, due_us), *incidents, step, *present_steps(scene)]
    return sentence(_nearly(scene) + text), steps
