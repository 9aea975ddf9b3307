"""One job by itself, as a form holds it, judged as in a file; each fault comes with its place."""

from __future__ import annotations

from collections.abc import Mapping

from tocsin.blocks import Faults, KeyPath
from tocsin.execution import Executor
from tocsin.jobfile.job import check_name, read_job
from tocsin.jobfile.plain import plain
from tocsin.model import Job

NAME_PATH: KeyPath = ("name",)
"""Where the faults of the name are; it is no key of the block."""


def check_one_job(
    name: str, block: Mapping[str, object], executors: Mapping[str, type[Executor]]
) -> tuple[Job | None, list[tuple[KeyPath, str]]]:
    """The job that a block describes, or the faults: where in the block, and a sentence.

    What only other jobs, calendars and pools show is for the coordinator to say.
    """
    naming = Faults("")
    check_name(name, NAME_PATH, naming, "a job")
    faults = Faults("")
    value = plain(block, (), faults)
    job = None
    if not len(faults):
        job = read_job(name if not len(naming) else "job", value, executors, (), faults)
    found = [*naming.by_path(), *faults.by_path()]
    return (None if found else job), found
