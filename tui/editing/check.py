"""Whether a draft is a job: judged as `tocsin apply` judges a file, each fault beside its field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from tocsin.blocks import KeyPath
from tocsin.execution import Executor
from tocsin.jobfile import check_one_job
from tocsin.model import Description, Job
from tocsin.published import published_executor

from .draft import Block, Draft, block_of
from .executor_fields import executor_choice, executor_fields
from .fields import JOB_FIELDS, NAME, Field, Section


class Checked(msgspec.Struct, frozen=True):
    """What a draft comes to."""

    block: Block
    job: Job | None
    """None: something is wrong."""
    faults: dict[str, list[str]]
    """Sentences, by the ids of fields; those of no field under ""."""
    unread: frozenset[str] = frozenset()
    """The fields whose texts stand for no value: the block is without them."""

    @property
    def count(self) -> int:
        """How many faults there are."""
        return sum(map(len, self.faults.values()))


def fields_of(draft: Draft, known: Mapping[str, Description]) -> list[Field]:
    """All fields of a draft, in the order of the form."""
    what = [executor_choice(known, draft.executor)]
    if draft.executor in known:
        what += executor_fields(known[draft.executor])
    about = [field for field in JOB_FIELDS if field.section is Section.JOB]
    return [NAME, *about, *what, *(field for field in JOB_FIELDS if field not in about)]


def check(
    draft: Draft,
    fields: Sequence[Field],
    executors: Mapping[str, type[Executor]],
    taken: Mapping[str, Any],
) -> Checked:
    """Judge a draft; `taken` has the names that a new job cannot have."""
    block, unread = block_of(draft, fields, executors)
    job, wrong = check_one_job(draft.name, block, executors)
    if draft.is_new and draft.name in taken:
        wrong = [(NAME.path, "a job of this name is there already"), *wrong]
    unread_paths = {path for path, _ in unread}
    faults: dict[str, list[str]] = {}
    for path, said in [*unread, *(one for one in wrong if one[0] not in unread_paths)]:
        faults.setdefault(_field_at(path, fields, draft), []).append(said.replace("`", ""))
    ids = frozenset(field.id for field in fields if field.path in unread_paths)
    return Checked(block, None if faults else job, faults, ids)


def for_forecast(draft: Draft, checked: Checked) -> Job | None:
    """As much of a draft as its fires and its agents follow from, whatever else is wrong in it."""
    if checked.job is not None:
        return checked.job
    wrong = {field_id.partition(".")[0] for field_id in checked.faults}
    if wrong & _DECISIVE:
        return None
    block = {key: checked.block[key] for key in _FOR_FIRES if key in checked.block}
    block = {key: value for key, value in block.items() if key not in wrong}
    name = draft.name if NAME.id not in wrong else "job"
    job, _ = check_one_job(name, {**block, _NOTHING.name: {}}, {_NOTHING.name: _NOTHING})
    return None if job is None else msgspec.structs.replace(job, executor=draft.executor)


_NOTHING: Final = published_executor(
    Description(
        name="nothing", use="nothing", version="", port=0, summary="", main_key="",
        capabilities=[], schema={"properties": {}},
    )
)  # fmt: skip
"""Stands for an executor whose block is not right yet."""
_DECISIVE: Final = frozenset({"schedule", "timezone", "dst"})
_FOR_FIRES: Final = (
    *sorted(_DECISIVE), "starts_at", "expires_at", "enabled", "jitter", "blackout", "target",
)  # fmt: skip


def _field_at(path: KeyPath, fields: Sequence[Field], draft: Draft) -> str:
    """The field that a fault belongs to; "" when it is of the job as a whole."""
    around = [field for field in fields if path[: len(field.path)] == field.path]
    if around:
        return max(around, key=lambda field: len(field.path)).id
    if not path:
        return "executor" if not draft.executor else ""
    below = [field for field in fields if field.path[: len(path)] == path]
    return below[0].id if below else ""
