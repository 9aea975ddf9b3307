"""Job files written for one test each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from tocsin.errors import JobFileError
from tocsin.execution import Executor
from tocsin.executors.scripted import Scripted
from tocsin.executors.shell import Shell
from tocsin.jobfile import read_job_files
from tocsin.model import Job

EXECUTORS: Mapping[str, type[Executor]] = {"shell": Shell, "scripted": Scripted}

Read = Callable[..., list[Job]]
Faults = Callable[..., list[str]]


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """Reads the jobs of a text, which stands in `x.yaml` unless another name is given."""
    monkeypatch.chdir(tmp_path)

    def read_text(text: str, name: str = "x.yaml") -> list[Job]:
        Path(name).write_text(dedent(text))
        return read_job_files([name], EXECUTORS).jobs

    return read_text


@pytest.fixture
def faults(read: Read) -> Faults:
    """The faults of a text."""

    def faults_of(text: str, name: str = "x.yaml") -> list[str]:
        with pytest.raises(JobFileError) as caught:
            read(text, name)
        return caught.value.faults

    return faults_of
