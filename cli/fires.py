"""When jobs are due next, as the coordinator will reckon it."""

from __future__ import annotations

from tocsin.instants import to_rfc3339
from tocsin.model import Job
from tocsin.schedule import Schedule, parse


def schedules_of(job: Job) -> list[Schedule]:
    """The schedules of a job that has been checked."""
    return [parse(text, job.timezone, key=job.name, dst=job.dst) for text in job.schedule]


def next_fires_us(job: Job, after_us: int, count: int) -> list[int]:
    """The next due instants of a job over all its schedules, within its life."""
    if not job.enabled:
        return []
    if job.starts_at_us is not None and after_us < job.starts_at_us:
        after_us = job.starts_at_us - 1
    found: list[int] = []
    schedules = schedules_of(job)
    while len(found) < count:
        dues = [due for one in schedules if (due := one.next_us(after_us)) is not None]
        if not dues or (job.expires_at_us is not None and min(dues) >= job.expires_at_us):
            break
        after_us = min(dues)
        found.append(after_us)
    return found


def as_text(instants_us: list[int]) -> list[str]:
    """Instants for JSON."""
    return [to_rfc3339(instant_us) for instant_us in instants_us]
