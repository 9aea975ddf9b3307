"""A job as the text of a job file, for the user's own editor, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tocsin.jobfile import dump_yaml
from tocsin.model import Job

_HEAD = (
    "# Save and leave to go on; nothing is done before you have seen what changes.\n"
    "# docs/jobfile.md has the keys. Comments are not kept.\n"
)
_FAULT = "# ✗ "


def job_text(name: str, block: Mapping[str, Any]) -> str:
    """A whole job file of one job."""
    return _HEAD + dump_yaml({"jobs": {name or "NAME": block}})


def with_faults(text: str, faults: list[str], path: str) -> str:
    """The text with what is wrong as comments on top, in place of those of before.

    Lines are counted as they will be; `path` is the file that the faults name.
    """
    lines = text.split("\n")
    old = next((i for i, line in enumerate(lines) if not line.startswith(_FAULT)), len(lines))
    said = [f"{_FAULT}{line}" for line in faults_in_words(faults, path, len(faults) - old)]
    return "\n".join([*said, *lines[old:]])


def faults_in_words(faults: list[str], path: str, shift: int = 0) -> list[str]:
    """Faults of a file without its name, each on one line; `shift` is added to their lines."""
    said = []
    for fault in faults:
        rest = " ".join(fault.removeprefix(path).removeprefix(":").split())
        number, colon, wrong = rest.partition(":")
        if colon and number.isdigit():
            rest = f"line {int(number) + shift}: {wrong.strip()}"
        said.append(rest)
    return said


def wrong_jobs(jobs: list[Job], others: int, name: str) -> str:
    """Why a file is not the job that was edited; empty when it is. `name` "" takes any."""
    if others:
        return "calendars and pools are for tocsin apply: here is one job"
    if len(jobs) != 1:
        return f"here is one job, and the file has {len(jobs)}"
    if name and jobs[0].name != name:
        return f"the job is {name}: its name stays (c on the list of jobs clones it)"
    return ""
