"""Why a due time got no run: the one decision that stopped it, from the record and its facts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, assert_never

from tocsin.coordinator.machine.fires import LATE_US, next_due_us, within_us
from tocsin.instants import SECOND_US
from tocsin.messages.client_answers import Step, StepKind
from tocsin.model import Incident, IncidentKind, MissedPolicy, Overlap, Run, SkipReason

from .scene import Scene, info, no, text_fact, time_fact
from .timeline import last_due_of
from .words import listed, plural, span

SLACK_US: Final = SECOND_US
"""The edges of an incident are known to a second."""
_FACTS_SHOWN: Final = frozenset({"because", "hosts", "more_hosts"})


def skip_steps(scene: Scene, run: Run) -> list[Step]:
    """The steps of the record of a due time that got no run; the last one is what stopped it."""
    steps = _DECIDED[SkipReason(run.reason)](scene, run)
    if run.dues > 1 and run.due_us is not None and run.due_last_us is not None:
        stretch = scene.clock.stretch(run.due_us, run.due_last_us)
        text = f"{plural(run.dues, 'due time')}, {stretch}, share this record"
        steps.append(info(StepKind.SCHEDULE, text, run.due_us))
    return steps


def skip_cause(scene: Scene, run: Run) -> str:
    """Why a due time was skipped, for a sentence that begins with "it was skipped:"."""
    reason = SkipReason(run.reason)
    match reason:
        case SkipReason.MISSED | SkipReason.CATCHUP_LIMIT:
            return f"{absence_words(scene, run)}, and {_policy_words(scene, run)}"
        case SkipReason.OVERLAP:
            return _overlap_words(scene, run)
        case SkipReason.NO_AGENT:
            return text_fact(run.facts, "because") or "no agent could take it"
        case SkipReason.PAUSED:
            return _pause_words(scene, run)
        case SkipReason.BLACKOUT:
            return _blackout_words(scene, run)
        case SkipReason.DEPENDENCY:
            because = text_fact(run.facts, "because")
            return because or "the jobs it comes after did not end as it asks in time"
        case SkipReason.STOPPED:
            return text_fact(run.facts, "because") or "too many others of its fire failed"
        case SkipReason.RESTORED:
            return _restore_words(scene, run)
        case _:
            assert_never(reason)


def absence_words(scene: Scene, run: Run) -> str:
    """Why a due time was looked at late: `the coordinator was down 01:55 to 04:10 CET`."""
    found = _incident_of(scene, run)
    if found is not None:
        return incident_words(scene, found)
    recorded = text_fact(run.facts, "because") or run.cause
    if "incident" in run.facts or recorded.startswith("the coordinator"):
        return recorded
    return f"it was looked at {_lateness(run)} late"


def incident_words(scene: Scene, incident: Incident) -> str:
    """What befell the coordinator's time."""
    clock = scene.clock
    stretch = clock.stretch(incident.from_us, incident.until_us)
    detail = f": {incident.detail}" if incident.detail else ""
    match incident.kind:
        case IncidentKind.DOWN:
            return f"the coordinator was down {stretch}"
        case IncidentKind.STEP:
            way = "forward" if incident.amount_us > 0 else "back"
            by = span(abs(incident.amount_us))
            at_us = incident.from_us if incident.amount_us > 0 else incident.until_us
            return f"the coordinator's clock was set {way} by {by} at {clock.time(at_us)}"
        case IncidentKind.SUSPEND:
            return f"the coordinator's machine slept {stretch}"
        case IncidentKind.STALL:
            return f"the coordinator stood still {stretch}{detail}"
        case IncidentKind.RESTORE:
            return f"a backup was restored, and what was done {stretch} is not known"
        case IncidentKind.ZONES:
            return f"the time zone data was replaced at {clock.time(incident.from_us)}{detail}"
        case _:
            assert_never(incident.kind)


def _incident_of(scene: Scene, run: Run) -> Incident | None:
    """The incident in which a due time fell and that lasted longest until it was decided."""
    due_us = scene.evidence.moment.due_us
    if due_us is None:
        return None
    found = [
        each
        for each in scene.evidence.incidents
        if each.kind is not IncidentKind.ZONES and each.amount_us >= 0
        if each.from_us - SLACK_US <= due_us <= each.until_us + SLACK_US
    ]
    return max(found, key=lambda each: min(each.until_us, run.created_us), default=None)


def _lateness(run: Run) -> str:
    return span(run.created_us - (run.due_us if run.due_us is not None else run.created_us))


def _missed_steps(scene: Scene, run: Run) -> list[Step]:
    due_us = scene.evidence.moment.due_us or run.due_us or run.created_us
    looked = f"looked at {scene.clock.time(run.created_us)}, {span(run.created_us - due_us)} late"
    facts = {key: value for key, value in run.facts.items() if key != "because"}
    return [
        no(StepKind.COORDINATOR, f"{absence_words(scene, run)}: {looked}", run.created_us, **facts),
        no(StepKind.MISSED, _policy_words(scene, run), run.created_us),
    ]


def _policy_words(scene: Scene, run: Run) -> str:
    """What the job's `missed` policy made of a due time."""
    missed = scene.job.missed
    due_us = scene.evidence.moment.due_us or run.due_us or run.created_us
    if missed.policy is MissedPolicy.SKIP:
        return f"nothing runs that is more than {span(LATE_US)} late (missed: skip)"
    next_us = next_due_us(scene.job, run.created_us)
    last_us = last_due_of(scene.job, due_us - 1, run.created_us)
    interval_us = None if next_us is None else next_us - (last_us or due_us)
    within = within_us(missed, interval_us)
    rule = f"(missed: {missed.policy} within {span(within)})"
    if run.created_us - due_us > within:
        return f"{span(run.created_us - due_us)} late is too late {rule}"
    if missed.policy is MissedPolicy.LATEST:
        return f"only the latest due time is caught up {rule}"
    return f"only the latest {plural(missed.limit, 'due time')} are caught up {rule}"


def _overlap_steps(scene: Scene, run: Run) -> list[Step]:
    return [no(StepKind.OVERLAP, _overlap_words(scene, run), run.created_us, **run.facts)]


def _overlap_words(scene: Scene, run: Run) -> str:
    earlier = scene.evidence.named.get(text_fact(run.facts, "run"))
    because = text_fact(run.facts, "because")
    if earlier is not None:
        began_us = earlier.started_us
        if began_us is not None and began_us <= run.created_us:
            since = scene.clock.time(began_us)
            because = f"run {earlier.id} was under way on {earlier.agent} since {since}"
        else:
            since = scene.clock.time(earlier.created_us)
            because = f"run {earlier.id} was waiting to begin since {since}"
        if earlier.finished_us is not None:
            because += f" until {scene.clock.time(earlier.finished_us)}"
    because = because or "an earlier run was under way"
    if scene.job.overlap is Overlap.QUEUE:
        return f"{because} and {scene.job.queue_limit} fires were waiting (overlap: queue)"
    return f"{because} (overlap: {scene.job.overlap})"


def _pause_steps(scene: Scene, run: Run) -> list[Step]:
    return [no(StepKind.PAUSE, _pause_words(scene, run), run.due_us, **_rest(run))]


def _pause_words(scene: Scene, run: Run) -> str:
    text = barred_words(scene, run.facts) or "the job was paused"
    return text.replace(" is paused", " was paused").replace(" are paused", " were paused")


def barred_words(scene: Scene, facts: dict[str, Any]) -> str:
    """What bars a due time: `all jobs are paused by bob until 12:00 CET: new disk`."""
    text = text_fact(facts, "because")
    if by := text_fact(facts, "by"):
        text += f" by {by}"
    until_us = time_fact(facts, "until")
    if until_us is not None:
        comma = "" if "pause" in facts or "by" in facts else ","
        text += f"{comma} until {scene.clock.time(until_us)}"
    reason = text_fact(facts, "reason")
    return f"{text}: {reason}" if reason else text


def _blackout_steps(scene: Scene, run: Run) -> list[Step]:
    return [no(StepKind.BLACKOUT, _blackout_words(scene, run), run.due_us, **_rest(run))]


def _blackout_words(scene: Scene, run: Run) -> str:
    return barred_words(scene, run.facts) or "its time lies in a blackout of the job"


def _no_agent_steps(scene: Scene, run: Run) -> list[Step]:
    text = skip_cause(scene, run)
    if run.finished_us is not None and run.finished_us - run.created_us > LATE_US:
        text += f"; it waited {span(run.finished_us - run.created_us)}"
    steps = [no(StepKind.PLACEMENT, text, run.finished_us, **_rest(run))]
    return steps + host_fact_steps(run.facts)


def host_fact_steps(facts: dict[str, Any]) -> list[Step]:
    """One line for each host that a record says something of."""
    hosts = facts.get("hosts")
    lines: list[str] = []
    if isinstance(hosts, dict):
        lines = [f"{name}: {why}" for name, why in hosts.items()]
    elif isinstance(hosts, list):
        lines = [str(each) for each in hosts]
    more = facts.get("more_hosts")
    if isinstance(more, int) and more:
        lines.append(f"and {plural(more, 'other host')}")
    return [no(StepKind.PLACEMENT, line) for line in lines]


def _dependency_steps(scene: Scene, run: Run) -> list[Step]:
    after = listed([f"{each.job} (on {each.on})" for each in scene.job.after])
    text = skip_cause(scene, run)
    if after:
        text += f"; it comes after {after}"
    return [no(StepKind.DEPENDENCY, text, run.finished_us, **_rest(run))]


def _stopped_steps(scene: Scene, run: Run) -> list[Step]:
    return [no(StepKind.ROLLOUT, skip_cause(scene, run), run.finished_us, **_rest(run))]


def _restored_steps(scene: Scene, run: Run) -> list[Step]:
    facts = {key: run.facts[key] for key in ("from", "until") if key in run.facts}
    return [no(StepKind.COORDINATOR, skip_cause(scene, run), run.created_us, **facts)]


def _restore_words(scene: Scene, run: Run) -> str:
    since_us, until_us = time_fact(run.facts, "from"), time_fact(run.facts, "until")
    words = "it may have run before a backup was restored"
    if since_us is None or until_us is None:
        return words
    return f"{words}; what was done {scene.clock.stretch(since_us, until_us)} is not known"


def _rest(run: Run) -> dict[str, Any]:
    return {key: value for key, value in run.facts.items() if key not in _FACTS_SHOWN}


_DECIDED: Final[dict[SkipReason, Callable[[Scene, Run], list[Step]]]] = {
    SkipReason.OVERLAP: _overlap_steps,
    SkipReason.MISSED: _missed_steps,
    SkipReason.PAUSED: _pause_steps,
    SkipReason.CATCHUP_LIMIT: _missed_steps,
    SkipReason.NO_AGENT: _no_agent_steps,
    SkipReason.BLACKOUT: _blackout_steps,
    SkipReason.DEPENDENCY: _dependency_steps,
    SkipReason.STOPPED: _stopped_steps,
    SkipReason.RESTORED: _restored_steps,
}
