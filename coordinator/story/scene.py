"""What the parts of one story share."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from tocsin.instants import from_rfc3339, to_us
from tocsin.messages.client_answers import Step, StepKind, StepVerdict
from tocsin.model import Job, JobVersion
from tocsin.schedule import Schedule, parse

from .evidence import Evidence
from .timeline import in_force
from .words import Clock

_RFC3339: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z", re.ASCII)


class Scene(NamedTuple):
    """The evidence, the definition that was in force, and the clock that times are told on."""

    evidence: Evidence
    version: JobVersion | None
    """None: at that time there was no such job."""
    job: Job
    """The definition in force; without one, the nearest that there is."""
    clock: Clock


def scene_of(evidence: Evidence) -> Scene:
    """Find the definition that a story is about."""
    about_us = _about(evidence)
    version = _version_of(evidence, about_us)
    job = version.job if version is not None else None
    if job is None:
        job = next(each.job for each in reversed(evidence.versions) if each.job is not None)
    clock = Clock(ZoneInfo(_zone_name(job, evidence.moment.due_us)), about_us)
    return Scene(evidence, version if version and version.job else None, job, clock)


def _about(evidence: Evidence) -> int:
    moment = evidence.moment
    for instant_us in (moment.due_us, moment.asked_us):
        if instant_us is not None:
            return instant_us
    return evidence.runs[0].created_us if evidence.runs else evidence.now_us


def _version_of(evidence: Evidence, about_us: int) -> JobVersion | None:
    for run in evidence.runs[:1]:
        for version in evidence.versions:
            if (version.job_id, version.version) == (run.job_id, run.job_version):
                return version
    return in_force(evidence.versions, about_us)


def schedules_of(job: Job) -> list[Schedule]:
    """The schedules of a job, which were checked when it was saved."""
    return [parse(text, job.timezone, key=job.name, dst=job.dst) for text in job.schedule]


def schedules_at(job: Job, due_us: int) -> list[Schedule]:
    """Those of a job's schedules that are due at an instant."""
    return [one for one in schedules_of(job) if one.next_us(due_us - 1) == due_us]


def _zone_name(job: Job, due_us: int | None) -> str:
    """The zone of the schedule that is due, which may have one of its own."""
    found = schedules_at(job, due_us) if due_us is not None else []
    return (found or schedules_of(job) or [parse("@manual", job.timezone)])[0].timezone


def yes(kind: StepKind, text: str, at_us: int | None = None, **facts: object) -> Step:
    """A step that let the due time on."""
    return _step(kind, StepVerdict.YES, text, at_us, facts)


def no(kind: StepKind, text: str, at_us: int | None = None, **facts: object) -> Step:
    """A step that stopped it."""
    return _step(kind, StepVerdict.NO, text, at_us, facts)


def info(kind: StepKind, text: str, at_us: int | None = None, **facts: object) -> Step:
    """A step that only tells."""
    return _step(kind, StepVerdict.INFO, text, at_us, facts)


def _step(
    kind: StepKind, verdict: StepVerdict, text: str, at_us: int | None, facts: dict[str, Any]
) -> Step:
    return Step(kind, verdict, text, at_us, {k: v for k, v in facts.items() if v is not None})


def time_fact(facts: dict[str, Any], key: str) -> int | None:
    """An instant among the facts of a skip, which are RFC 3339."""
    value = facts.get(key)
    if not isinstance(value, str):
        return None
    try:
        return to_us(datetime.fromisoformat(value))
    except (ValueError, TypeError):
        return None


def text_fact(facts: dict[str, Any], key: str) -> str:
    """A text among the facts of a skip; '' when there is none."""
    value = facts.get(key)
    return value if isinstance(value, str) else ""


def localised(scene: Scene, text: str) -> str:
    """A text of the machine's, whose instants are RFC 3339, with times as they are told here."""
    return _RFC3339.sub(lambda found: scene.clock.time(from_rfc3339(found[0])), text)
