"""What only all jobs of all files together show: who comes after whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tocsin.after import circle_text, find_circle
from tocsin.blocks import KeyPath
from tocsin.model import Job


def order_faults(jobs: Mapping[str, Job], places: Mapping[KeyPath, str]) -> Iterator[str]:
    """The faults of jobs that come after others in the same files; each with its place."""
    for job in jobs.values():
        for number, dependency in enumerate(job.after):
            other = jobs.get(dependency.job)
            if other is not None and other.ephemeral:
                yield (
                    f"{places['jobs', job.name]}: jobs.{job.name}.after[{number}].job: "
                    f"{other.name} is ephemeral; expected a job that stays after its first success"
                )

    def upstream(name: str) -> list[str]:
        job = jobs.get(name)
        return [] if job is None else [dependency.job for dependency in job.after]

    circle = find_circle(jobs, upstream)
    if circle:
        yield (
            f"{places['jobs', circle[0]]}: jobs.{circle[0]}.after: "
            f"these jobs wait for each other: {circle_text(circle)}"
        )
