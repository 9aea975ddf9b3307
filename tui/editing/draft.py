"""A draft: the block of one job as it was loaded, and what was typed since.

What the form does not show, and what nobody touched, stays exactly as it was loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from tocsin.blocks import KeyPath
from tocsin.jobfile import job_to_file
from tocsin.model import Job, JobRow

from . import codecs
from .codecs import Codec, fits
from .fields import EXECUTOR_PATH, Field
from .fields import NAME as NAME_FIELD

Block = dict[str, Any]


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """One job being written."""

    name: str = ""
    executor: str = ""
    version: int = 0
    """The version that was loaded; 0: the job is not there yet."""
    loaded: Block | None = None
    """The block of that version."""
    block: Block = {}
    """What the texts are laid over; equal to `loaded` unless it was rewritten as a whole."""
    texts: dict[str, str] = {}
    """What was typed, by the ids of fields; a field without one is as the block says."""

    @property
    def is_new(self) -> bool:
        """Whether saving makes a job."""
        return self.version == 0


def new_draft(executor: str) -> Draft:
    """A job that is nothing yet."""
    return Draft(executor=executor)


def edit_draft(row: JobRow) -> Draft:
    """A job as the coordinator has it."""
    block = job_to_file(row.job)
    return Draft(
        name=row.job.name,
        executor=row.job.executor,
        version=row.version,
        loaded=block,
        block=block,
    )


def clone_draft(job: Job, taken: Iterable[str]) -> Draft:
    """A new job that is as another one, under a name that is free."""
    names = set(taken)
    name = f"{job.name}-copy"
    number = 2
    while name in names:
        name = f"{job.name}-copy-{number}"
        number += 1
    return Draft(name=name, executor=job.executor, block=job_to_file(job))


def rewritten(draft: Draft, job: Job) -> Draft:
    """The draft with a job in place of all that was typed."""
    return msgspec.structs.replace(
        draft, name=job.name, executor=job.executor, block=job_to_file(job), texts={}
    )


def rebased(draft: Draft, mine: Job, row: JobRow | None) -> Draft:
    """The same changes on what somebody else has made of the job meanwhile; None: removed it."""
    if row is None:
        return msgspec.structs.replace(rewritten(draft, mine), version=0, loaded=None)
    theirs = job_to_file(row.job)
    merged = merge(draft.loaded or {}, job_to_file(mine), theirs)
    executor = mine.executor
    if row.job.executor != draft.executor and mine.executor in (draft.loaded or {}):
        executor = row.job.executor
    others = {mine.executor, row.job.executor} - {executor}
    return msgspec.structs.replace(
        draft,
        executor=executor,
        version=row.version,
        loaded=theirs,
        block={key: value for key, value in merged.items() if key not in others},
        texts={},
    )


def merge(base: Mapping[str, Any], mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> Block:
    """Three versions of a block as one; where both changed the same key, mine counts."""
    merged: Block = {}
    for key in dict.fromkeys([*theirs, *mine]):
        old, my, their = (one.get(key, msgspec.UNSET) for one in (base, mine, theirs))
        if my == old:
            kept = their
        elif isinstance(my, dict) and isinstance(their, dict):
            kept = merge(old if isinstance(old, dict) else {}, my, their)
        else:
            kept = my
        if kept is not msgspec.UNSET:
            merged[key] = kept
    return merged


# Fields.


def value_at(block: Mapping[str, Any], path: KeyPath) -> object:
    """The value of a key; None where there is none."""
    found: Any = block
    for step in path:
        if not isinstance(found, Mapping) or step not in found:
            return None
        found = found[step]
    return found


def codec_of(draft: Draft, field: Field) -> Codec:
    """How a field is written: its own way, or as YAML where that cannot tell what stands there."""
    value = value_at(draft.block, field.path)
    if value is None or fits(field.codec, value):
        return field.codec
    return codecs.YAML


def text_of(draft: Draft, field: Field) -> str:
    """What stands in a field."""
    if field.path == NAME_FIELD.path:
        return draft.name
    if field.path == EXECUTOR_PATH:
        return draft.executor
    return draft.texts.get(field.id, _text_in_block(draft, field))


def typed(draft: Draft, field: Field, text: str) -> Draft:
    """The draft with another text in a field; the text that the block says is no change."""
    replace = msgspec.structs.replace
    if field.path == NAME_FIELD.path:
        return replace(draft, name=text)
    if field.path == EXECUTOR_PATH:
        return replace(draft, executor=text)
    texts = {key: value for key, value in draft.texts.items() if key != field.id}
    if text != _text_in_block(draft, field):
        texts[field.id] = text
    return replace(draft, texts=texts)


def block_of(
    draft: Draft, fields: Iterable[Field], executors: Iterable[str]
) -> tuple[Block, list[tuple[KeyPath, str]]]:
    """The block that the draft describes, and what could not be read: where, and why.

    Only the block of the chosen one of the `executors` is in it.
    """
    others = {*executors, *([] if draft.loaded is None else _executor_keys(draft))}
    block = _copied(draft.block)
    for name in others - {draft.executor}:
        block.pop(name, None)
    if draft.executor:
        inner = block.setdefault(draft.executor, {})
        if not isinstance(inner, dict):
            block[draft.executor] = {}
    faults: list[tuple[KeyPath, str]] = []
    for field in fields:
        text = draft.texts.get(field.id)
        if text is None:
            continue
        try:
            value = codec_of(draft, field).value(text)
        except ValueError as error:
            faults.append((field.path, str(error)))
            continue
        _put(block, field.path, value)
    return block, faults


def is_changed(draft: Draft) -> bool:
    """Whether there is anything that leaving would lose."""
    if draft.loaded is None:
        return bool(draft.name or draft.texts or draft.block)
    return bool(draft.texts) or draft.block != draft.loaded or draft.executor not in draft.loaded


def field_changed(draft: Draft, field: Field) -> bool:
    """Whether a field of a job that is there says something else than what was loaded."""
    if draft.loaded is None:
        return False
    if field.path == EXECUTOR_PATH:
        return draft.executor not in draft.loaded
    if field.path == NAME_FIELD.path:
        return False
    if field.id in draft.texts:
        return True
    return value_at(draft.block, field.path) != value_at(draft.loaded, field.path)


def _text_in_block(draft: Draft, field: Field) -> str:
    value = value_at(draft.block, field.path)
    return "" if value is None else codec_of(draft, field).show(value)


def _executor_keys(draft: Draft) -> Iterator[str]:
    """The executors whose blocks the draft may hold."""
    return (key for key in draft.block if key not in _JOB_KEYS)


_JOB_KEYS = frozenset(field.encode_name for field in msgspec.structs.fields(Job))


def _copied(block: Block) -> Block:
    return {
        key: _copied(value) if isinstance(value, dict) else value for key, value in block.items()
    }


def _put(block: Block, path: KeyPath, value: object) -> None:
    """Set a key, or take it away; blocks that this leaves empty go too, that of an executor not."""
    *outer, last = path
    inner, around = block, []
    for step in outer:
        around.append((inner, step))
        found = inner.get(str(step))
        if not isinstance(found, dict):
            found = {}
        inner[str(step)] = found
        inner = found
    if value is not msgspec.UNSET:
        inner[str(last)] = value
        return
    inner.pop(str(last), None)
    for holder, step in reversed(around):
        if holder[str(step)] or (step not in _JOB_KEYS and holder is block):
            break
        del holder[str(step)]
