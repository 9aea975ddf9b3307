"""What a job was, version by version: what changed, and the lines that differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from difflib import unified_diff
from itertools import zip_longest
from typing import Final

import msgspec

from tocsin.model import Job, JobVersion

from .plain import one_line
from .widgets.columns import Cell
from .words import moment

_VALUE_CELLS: Final = 40
_CONTEXT_LINES: Final = 3
_HEADS: Final = 3
"""Both names, and the place of the first lines: nothing lies before that."""
_TONES: Final = {"+": "good", "-": "bad", "@": "quiet"}


def change_line(
    version: JobVersion, before: JobVersion | None, now_us: int, zone: tzinfo | None
) -> str:
    """One version: its number, when, by whom, and what became other."""
    who = one_line(version.changed_by)
    when = moment(version.changed_us, now_us, zone)
    return f"v{version.version} {when} {who}  {change_words(version, before)}"


def change_words(version: JobVersion, before: JobVersion | None) -> str:
    """What a version changed, key by key; `before` None: what it was before is not known."""
    if version.job is None:
        return "removed"
    if before is None:
        return "created" if version.version == 1 else ""
    if before.job is None:
        return "brought back"
    changed = differing(before.job, version.job)
    return "; ".join(key_lines(changed)) or "nothing that a job file has"


def differing(old: Job, new: Job) -> Mapping[str, tuple[object, object]]:
    """The keys of a job file that differ, with both values."""
    from tocsin.jobfile.differing import differences  # job files are not needed for a start

    return differences(old, new)


def key_lines(changed: Mapping[str, tuple[object, object]]) -> list[str]:
    """Each key that differs, with its old and its new value."""
    return [f"{key}: {_value(old)} → {_value(new)}" for key, (old, new) in changed.items()]


def diff(old: Job | None, new: Job | None) -> list[Cell]:
    """The lines of the job file that differ, with some around them; `+` came, `-` went."""
    lines = list(unified_diff(_text(old), _text(new), n=_CONTEXT_LINES, lineterm=""))[_HEADS:]
    return [Cell(one_line(_shown(line)), _TONES.get(line[:1], "")) for line in lines]


def with_before(rows: Sequence[JobVersion], version: int) -> tuple[JobVersion, ...]:
    """A version and the one before it, of rows whose first is the newest; empty: not among them."""
    for row, before in zip_longest(rows, rows[1:]):
        if row.version == version:
            return (row,) if before is None else (row, before)
    return ()


def to_revert_to(versions: Sequence[JobVersion], current: int | None) -> JobVersion | None:
    """What a revert goes to: the version chosen, but from the current one to that before it."""
    if versions and versions[0].version == current:
        return versions[1] if len(versions) > 1 else None
    return versions[0] if versions else None


def _text(job: Job | None) -> list[str]:
    from tocsin.jobfile import dump_yaml, job_to_file

    return [] if job is None else dump_yaml(job_to_file(job)).splitlines()


def _shown(line: str) -> str:
    """A place in the file is no news to anybody; that something lies between is."""
    return "…" if line.startswith("@@") else line


def _value(value: object) -> str:
    if value is None:
        return "-"
    text = one_line(value if isinstance(value, str) else msgspec.json.encode(value).decode())
    return text if len(text) <= _VALUE_CELLS else f"{text[: _VALUE_CELLS - 1]}…"
