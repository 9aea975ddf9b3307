"""What begins a job, and its due instants, as the command line says them."""

from __future__ import annotations

from collections.abc import Iterable

from tocsin.instants import to_rfc3339
from tocsin.model import DependencyOn, Job


def begun_by(job: Job) -> str:
    """What begins a job, in words: its schedules, the jobs that it comes after, or requests."""
    others = [
        it.job if it.on is DependencyOn.SUCCESS else f"{it.job} ({it.on})" for it in job.after
    ]
    after = [f"after {', '.join(others)}"] if others else []
    return "; ".join([*job.schedule, *after]) or "@manual"


def as_text(instants_us: Iterable[int]) -> list[str]:
    """Instants for JSON."""
    return [to_rfc3339(instant_us) for instant_us in instants_us]
