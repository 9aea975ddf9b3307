"""docs/jobfile.md and the examples, held to the code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TypeGuard, get_args, get_origin

import msgspec
import pytest

from tocsin.jobfile import InstalledExecutors, read_job_files
from tocsin.jobfile.job import UNSUPPORTED
from tocsin.jobfile.keys import KEYS, Meaning
from tocsin.model import Job

from .conftest import Read

_ROOT = Path(__file__).parents[3]
_PAGE = (_ROOT / "docs" / "jobfile.md").read_text()


def _keys(kind: type[msgspec.Struct], prefix: str = "") -> set[str]:
    found = set()
    for field in msgspec.structs.fields(kind):
        blocks = [one for one in get_args(field.type) or [field.type] if _is_struct(one)]
        if blocks and get_origin(field.type) is not list:
            found |= _keys(blocks[0], f"{field.encode_name}.")
        else:
            found.add(prefix + field.encode_name)
    return found


def _is_struct(kind: object) -> TypeGuard[type[msgspec.Struct]]:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def test_the_page_has_the_words_of_the_code() -> None:
    """What a form says of a key is what the table says; only links stand there beside."""
    rows = re.findall(r"^\| `([a-z_.]+)` \| (.*?) \| (.*?) ?\|$", _PAGE, re.MULTILINE)
    said = {
        key: Meaning(
            re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", re.sub(r"[,;] see \[below\]\(.*?\)", "", text)),
            otherwise.strip(),
        )
        for key, text, otherwise in rows
    }
    assert said == KEYS


def test_the_page_has_every_key() -> None:
    """Each key of the model stands in the table, and no other."""
    rows = re.findall(r"^\| ((?:`[a-z_.]+`(?:, )?)+) \|", _PAGE, re.MULTILINE)
    written = {key for row in rows for key in re.findall(r"`([a-z_.]+)`", row)}
    assert written == _keys(Job) - {"name", "executor", "config"}


def test_the_page_names_what_is_not_supported() -> None:
    """The list is the one that the reader refuses."""
    (sentence,) = re.findall(
        r"^(`expect\.finish_within`.*?)\s+are not supported", _PAGE, re.MULTILINE | re.DOTALL
    )
    assert set(re.findall(r"`([a-z_.]+)`", sentence)) == UNSUPPORTED


@pytest.mark.parametrize("text", re.findall(r"```yaml\n(.*?)```", _PAGE, re.DOTALL))
def test_the_pages_files_are_right(read: Read, text: str) -> None:
    """What is shown can be applied."""
    assert read(text)


def test_the_examples_are_right_and_due_within_ten_seconds() -> None:
    """Five jobs, each with a schedule that shows itself at once."""
    jobs = read_job_files([_ROOT / "examples"], InstalledExecutors()).jobs
    assert [job.name for job in jobs] == ["disk-space", "fetch-page", "flaky", "broken", "long"]
    assert all("/10 * * * * *" in job.schedule[0] for job in jobs)
    assert [job.name for job in jobs if job.expect_failure] == ["broken"]
