"""What differs between two versions of a job, key by key, as a job file has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tocsin.jobfile.writing import job_to_file
from tocsin.model import Job


def differences(old: Job | None, new: Job) -> dict[str, tuple[object, object]]:
    """The keys of the job file that differ, each with its old and its new value."""
    return block_differences({} if old is None else job_to_file(old), job_to_file(new))


def block_differences(
    old: Mapping[str, Any], new: Mapping[str, Any]
) -> dict[str, tuple[object, object]]:
    """The same of two blocks; the keys of blocks inside them are dotted."""
    return pairs(_flat(old), _flat(new))


def pairs(old: Mapping[str, object], new: Mapping[str, object]) -> dict[str, tuple[object, object]]:
    """The keys of two blocks whose values differ, each with its old and its new value."""
    keys = [*old, *(key for key in new if key not in old)]
    return {key: (old.get(key), new.get(key)) for key in keys if old.get(key) != new.get(key)}


def _flat(block: Mapping[str, Any], prefix: str = "") -> dict[str, object]:
    """Nested blocks as one, with dotted keys."""
    found: dict[str, object] = {}
    for key, value in block.items():
        if isinstance(value, Mapping) and value:
            found |= _flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found
