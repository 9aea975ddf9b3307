"""Whether jobs may come after each other as a request wants it, with what exists."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from tocsin.after import circle_text, find_circle, own_faults
from tocsin.blocks import spelled
from tocsin.errors import RequestError
from tocsin.model import Job, JobRow
from tocsin.nearest import did_you_mean

from .machine.machine import Machine

NAMES_SHOWN: Final = 5
Find = Callable[[Sequence[str]], Mapping[str, JobRow]]
"""The jobs of these names that exist."""


def check_order(
    puts: Sequence[Job], removed: Collection[str], machine: Machine, find: Find
) -> None:
    """Refuse jobs that could not come after each other, once these are put and removed.

    Raises:
        RequestError: a job is not there, waits for itself over others, or does not last.
    """
    new = {job.name: job for job in puts}
    wanted = {it.job for job in puts for it in job.after if it.job not in new}
    rows = find(sorted(wanted)) if wanted else {}
    there = {name: row.job for name, row in rows.items() if name not in removed} | new
    for job in puts:
        _check_upstream(job, there)
    for name in [*removed, *(job.name for job in puts if job.ephemeral)]:
        _check_dependents(name, new, removed, machine)

    def upstream(name: str) -> list[str]:
        job = new.get(name)
        return machine.after(name) if job is None else [it.job for it in job.after]

    circle = find_circle((job.name for job in puts if job.after), upstream)
    if circle:
        raise RequestError(
            f"these jobs wait for each other: {circle_text(circle)}",
            "take one of them out of another's after",
        )


def _check_upstream(job: Job, there: Mapping[str, Job]) -> None:
    for path, wrong in own_faults(job.name, job.after):
        raise RequestError(f"job {job.name}: {spelled(path)}: {wrong}")
    for number, dependency in enumerate(job.after):
        where = f"job {job.name}: after[{number}].job"
        other = there.get(dependency.job)
        if other is None:
            hint = did_you_mean(dependency.job, there) or "see what there is: tocsin job list"
            raise RequestError(f"{where}: there is no job {dependency.job}", hint)
        if other.ephemeral:
            raise RequestError(
                f"{where}: {other.name} is ephemeral: it is gone after its first success",
                f"let {other.name} stay (ephemeral: false), or do both in one job",
            )


def _check_dependents(
    name: str, new: Mapping[str, Job], removed: Collection[str], machine: Machine
) -> None:
    """Whether a job may go, now or by itself: nobody who stays may come after it."""
    staying = [
        dependent
        for dependent in machine.dependents(name)
        if dependent not in removed
        and (dependent not in new or any(it.job == name for it in new[dependent].after))
    ]
    if not staying:
        return
    come = "comes" if len(staying) == 1 else "come"
    some = ", ".join(staying[:NAMES_SHOWN]) + (", …" if staying[NAMES_SHOWN:] else "")
    if name in removed:
        raise RequestError(
            f"job {name} cannot be removed: {some} {come} after it",
            f"remove both together, or take {name} out of that job's after first",
        )
    raise RequestError(
        f"job {name} cannot be ephemeral: {some} {come} after it",
        "a job that is gone after its first success would let the other wait for ever",
    )
