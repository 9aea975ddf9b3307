"""A job's way back into a file."""

from __future__ import annotations

import msgspec
import pytest

from tocsin.jobfile import dump_yaml, job_to_file

from .conftest import Read
from .test_files import _FULL

_JOBS = [
    "jobs: {a: {shell: x}}",
    "jobs: {a: {scripted: {lines: 3, run_for: 1.5}}}",
    "jobs: {a: {shell: x, timeout: 1.25, kill_after: 90, output: {keep: 1500}}}",
    "jobs: {a: {shell: {command: 'on', stdin: '0o17'}, schedule: '* * * * *', env: {A: '5'}}}",
    "jobs: {a: {shell: x, expect: {not_match: 'no', exit_codes: [3]}}}",
    _FULL,
]


@pytest.mark.parametrize("text", _JOBS)
def test_a_written_job_reads_back(read: Read, text: str) -> None:
    """The file form loses nothing."""
    (job,) = read(text)
    document = {"jobs": {job.name: job_to_file(job)}}
    assert read(dump_yaml(document)) == [job]
    assert read(msgspec.json.encode(document).decode(), "x.json") == [job]


def test_the_file_form_is_short_and_for_people(read: Read) -> None:
    """Defaults are left out, and spans and sizes are text."""
    (job,) = read(
        "jobs: {a: {shell: x, timeout: 5400, output: {keep: 65536}, retry: {limit: 1, delay: 2}}}"
    )
    assert job_to_file(job) == {
        "timeout": "1h30m",
        "retry": {"limit": 1, "delay": "2s"},
        "output": {"keep": "64KiB"},
        "shell": {"command": "x"},
    }


def test_a_block_is_shown_as_it_was_given(read: Read) -> None:
    """A key that says what is usual is not left out: an agent's settings may say otherwise."""
    (job,) = read("jobs: {a: {shell: {command: x, success_codes: [0]}}}")
    assert job_to_file(job) == {"shell": {"command": "x", "success_codes": [0]}}
