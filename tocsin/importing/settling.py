"""Drafts held against the reader of job files: what stands in the file can be applied."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from tocsin.blocks import Faults
from tocsin.crowding import crowded
from tocsin.execution import Executor
from tocsin.importing.doubt import Doubts
from tocsin.importing.draft import Draft, Imported
from tocsin.jobfile import job_to_file
from tocsin.jobfile.job import read_job

_SECRET: Final = re.compile(r"passw|passphrase|secret|token|api_?key|authorization", re.IGNORECASE)
_BEFORE: Final = re.compile(r"^import: (?:jobs\.)?")


def settle(imported: Imported, executors: Mapping[str, type[Executor]]) -> Imported:
    """The same import, with every draft that cannot be applied here held back and doubted.

    A draft that can be applied gets its block in the form in which Tocsin writes it.
    """
    doubts = Doubts()
    doubts.found = list(imported.doubts)
    for draft in imported.drafts:
        _doubt_secrets(draft, doubts)
        if not draft.held:
            _check(draft, executors, doubts)
    _hold_dependents(imported.drafts, doubts)
    return Imported(drafts=imported.drafts, doubts=doubts.found, comments=imported.comments)


def _doubt_secrets(draft: Draft, doubts: Doubts) -> None:
    """Point out what looks like a password: it stands in clear in the file, and in the store."""
    names = sorted(set(_secret_names(draft.block)))
    if names:
        doubts.check(
            draft.place.of(draft.name),
            ", ".join(names),
            "by its name this is a secret; it stands in clear in the file",
            "who may read the file; keep it out of version control",
        )


def _secret_names(block: object) -> Iterator[str]:
    match block:
        case dict():
            for key, value in block.items():
                if _SECRET.search(str(key)) and isinstance(value, str) and value:
                    yield str(key)
                yield from _secret_names(value)
        case list():
            for value in block:
                yield from _secret_names(value)


def _check(draft: Draft, executors: Mapping[str, type[Executor]], doubts: Doubts) -> None:
    faults = Faults("import")
    job = read_job(draft.name, draft.block, executors, (draft.name,), faults)
    if job is not None:
        draft.block = _short(job_to_file(job), job.executor, executors)
        if crowd := crowded(job):
            where = draft.place.of(draft.name)
            doubts.check(where, "jitter", crowd, "a shorter jitter, or overlap: allow")
        return
    said = "; ".join(_BEFORE.sub("", fault) for fault in faults)
    draft.held = said
    doubts.lost(
        draft.place.of(draft.name),
        "the whole job",
        f"it cannot be applied here ({said}), so it is written as a comment",
        "make it right, then take the comment signs away",
    )


def _short(
    block: dict[str, object], executor: str, executors: Mapping[str, type[Executor]]
) -> dict[str, object]:
    """The block with a lone schedule, and a lone main key of the executor, as plain text."""
    schedules = block.get("schedule")
    if isinstance(schedules, list) and len(schedules) == 1:
        block["schedule"] = schedules[0]
    match block[executor]:
        case {**keys} if list(keys) == [executors[executor].main_key]:
            (value,) = keys.values()
            if isinstance(value, str):
                block[executor] = value
    return block


def _hold_dependents(drafts: list[Draft], doubts: Doubts) -> None:
    """Hold back what waits for a job that is held back: it could never run."""
    held = {draft.name for draft in drafts if draft.held}
    changed = True
    while changed:
        changed = False
        for draft in drafts:
            waits_for = [one["job"] for one in draft.block.get("after", ()) if one["job"] in held]
            if draft.held or not waits_for:
                continue
            draft.held = f"it waits for {', '.join(waits_for)}, which cannot run yet"
            held.add(draft.name)
            changed = True
            doubts.lost(
                draft.place.of(draft.name),
                "the whole job",
                f"{draft.held}, so it is written as a comment",
                "take the comment signs away together with those of the other job",
            )
