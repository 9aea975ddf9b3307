"""Nothing that a job says is lost by looking at it in the form, or by changing something else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.jobfile.conftest import EXECUTORS
from tests.unit.jobfile.test_round_trip import jobs
from tocsin.executors.http import Http
from tocsin.jobfile import InstalledExecutors, job_to_file, read_job_files
from tocsin.model import Job, JobRow
from tocsin.tui.editing.check import check, fields_of
from tocsin.tui.editing.draft import (
    Draft,
    block_of,
    edit_draft,
    is_changed,
    merge,
    rebased,
    text_of,
    typed,
    value_at,
)
from tocsin.tui.editing.executor_fields import description_of, executor_fields
from tocsin.tui.editing.fields import JOB_FIELDS, Field

_ROOT = Path(__file__).parents[4]
_INSTALLED = InstalledExecutors()
_KNOWN = {name: description_of(_INSTALLED[name]) for name in _INSTALLED}
_EXAMPLES = read_job_files([_ROOT / "examples"], _INSTALLED).jobs


def _draft(job: Job) -> Draft:
    return edit_draft(JobRow(id=1, job=job, version=3))


def _typed_again(draft: Draft, fields: list[Field]) -> Draft:
    """The draft as if somebody had typed what stands in each field that says something."""
    given = [field for field in fields if value_at(draft.block, field.path) is not None]
    return msgspec.structs.replace(
        draft, texts={field.id: text_of(draft, field) for field in given if text_of(draft, field)}
    )


def _check(draft: Draft) -> Job | None:
    return check(draft, fields_of(draft, _KNOWN), _INSTALLED, {}).job


@pytest.mark.parametrize("job", _EXAMPLES, ids=lambda job: job.name)
def test_examples(job: Job) -> None:
    """What nobody touches is saved as it was, and what is typed again as well."""
    draft = _draft(job)
    assert not is_changed(draft)
    assert _check(draft) == job
    assert _check(_typed_again(draft, fields_of(draft, _KNOWN))) == job


@given(jobs())
@settings(max_examples=100, deadline=None)
def test_any_job_typed_again(job: Job) -> None:
    """Each field is read back to the value that it shows."""
    draft = _draft(job)
    fields = fields_of(draft, _KNOWN)
    block, unread = block_of(_typed_again(draft, fields), fields, EXECUTORS)
    assert not unread
    assert block == job_to_file(job)
    assert check(draft, fields, EXECUTORS, {}).job == job


@given(jobs(), st.sampled_from(JOB_FIELDS), st.text(max_size=20))
@settings(max_examples=100, deadline=None)
def test_typing_in_one_field_changes_no_other(job: Job, field: Field, text: str) -> None:
    """Whatever is typed, all other keys stay; and typing back what stood there is no change."""
    draft = _draft(job)
    fields = fields_of(draft, _KNOWN)
    before = text_of(draft, field)
    after = typed(draft, field, text)
    block, _ = block_of(after, fields, EXECUTORS)
    for other in fields:
        if other is not field:
            assert value_at(block, other.path) == value_at(draft.block, other.path)
    assert not is_changed(typed(after, field, before))


@given(jobs(), jobs())
@settings(max_examples=60, deadline=None)
def test_changes_on_what_somebody_else_made(mine: Job, theirs: Job) -> None:
    """Without changes of mine theirs stays; where they did nothing mine does."""
    theirs = msgspec.structs.replace(theirs, name=mine.name)
    row = JobRow(id=1, job=theirs, version=9)
    untouched = rebased(_draft(mine), mine, row)
    assert untouched.block == job_to_file(theirs)
    assert untouched.version == 9
    alone = rebased(_draft(mine), theirs, JobRow(id=1, job=mine, version=9))
    assert alone.block == job_to_file(theirs)


@pytest.mark.parametrize(
    ("base", "mine", "theirs", "merged"),
    [
        ({"a": 1}, {"a": 2}, {"a": 1, "b": 3}, {"a": 2, "b": 3}),
        ({"a": 1}, {}, {"a": 1, "b": 3}, {"b": 3}),
        ({"a": 1}, {"a": 2}, {"a": 3}, {"a": 2}),
        ({"a": 1}, {"a": 1}, {}, {}),
        ({"t": {"x": 1, "y": 1}}, {"t": {"x": 2, "y": 1}}, {"t": {"x": 1, "y": 5}},
         {"t": {"x": 2, "y": 5}}),
        ({}, {"t": {"x": 1}}, {"t": {"y": 1}}, {"t": {"y": 1, "x": 1}}),
        ({"t": {"x": 1}}, {}, {"t": {"x": 1}}, {}),
    ],
)  # fmt: skip
def test_merge(
    base: dict[str, Any], mine: dict[str, Any], theirs: dict[str, Any], merged: dict[str, Any]
) -> None:
    """Key by key: what I changed is mine, everything else theirs."""
    assert merge(base, mine, theirs) == merged


@pytest.mark.parametrize(
    "block",
    [
        {"url": "http://x/", "auth": {"user": "u", "password": "p"}, "redirects": 3},
        {"url": "http://x/", "json": {"a": [1, None]}, "headers": {"X": "a=b"}},
        {"url": "http://x/", "expect": {"status": ["2xx", 301]}, "verify": False},
        {"url": "http://x/", "query": {"q": ["a", "b"]}, "body": "a\nb\n", "proxy": "env"},
    ],
)
def test_blocks_of_an_executor(block: dict[str, Any]) -> None:
    """Nested blocks, unions and texts of several lines are read back as they were."""
    draft = _draft(Job(name="x", executor="http", config=block))
    fields = executor_fields(description_of(Http))
    again, unread = block_of(_typed_again(draft, fields), fields, ["http"])
    assert not unread
    assert again == {"http": block}
