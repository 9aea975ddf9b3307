"""The commands that undo an action."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from tocsin.cli import undo
from tocsin.model import Job


def _jobs(count: int) -> list[Job]:
    return [
        Job(name=f"job{number}", executor="shell", config={"command": "true"})
        for number in range(count)
    ]


def test_an_undo_of_many_names_is_whole() -> None:
    """Whoever pastes it gets all of it undone: no name is left out."""
    names = [f"job {number}" for number in range(1000)]
    assert shlex.split(undo.command("job", "pause", *names)) == ["tocsin", "job", "pause", *names]


def test_a_removal_of_a_few_jobs_names_them() -> None:
    """A person sees what the command removes."""
    assert undo.removal(_jobs(2)) == "tocsin job rm job0 job1"


@pytest.mark.usefixtures("home")
def test_a_removal_of_many_jobs_names_a_file_of_all_of_them() -> None:
    """The command stays short, and leaves nobody out."""
    jobs = _jobs(100)
    *words, path = shlex.split(undo.removal(jobs))
    assert words == ["tocsin", "job", "rm", "--in"]
    assert set(json.loads(Path(path).read_bytes())["jobs"]) == {job.name for job in jobs}
