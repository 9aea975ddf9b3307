"""The block of an executor in a job file, checked against the executor's own schema."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from tocsin.blocks import Faults, KeyPath, Reader
from tocsin.errors import ExecutorError
from tocsin.execution import Executor, check_config

_WHERE: Final = re.compile(r"(.*?)(?: - at `(?:key in )?\$(.*)`)?", re.DOTALL)
_STEP: Final = re.compile(r"\.([^.\[]+)|\[(\d+)\]|\[\.\.\.\]")
_EXPECTED: Final = re.compile(r"Expected `([^`]+)`(.*?)(?:, got `([^`]+)`)?", re.DOTALL)
_MISSING: Final = re.compile(r"Object missing required field `([^`]+)`")
_UNKNOWN: Final = re.compile(r"Object contains unknown field `([^`]+)`")
_WORDS: Final = {
    "str": "text", "int": "a whole number", "float": "a number", "bool": "true or false",
    "null": "nothing", "object": "a block of keys", "array": "a list",
}  # fmt: skip
"""msgspec's names of types, in the words of a file."""


def read_executor_block(
    executors: Mapping[str, type[Executor]],
    name: str,
    block: object,
    path: KeyPath,
    faults: Faults,
) -> dict[str, Any]:
    """The block in full form; when it is faulty the faults are kept, and what is left is moot."""
    try:
        executor = executors[name]
    except ExecutorError as error:
        faults.add(path, error.message, hint=error.hint)
        return {}
    left = _known_part(executor, block, path, faults) if isinstance(block, dict) else block
    whole = isinstance(left, dict) and left == block
    while True:
        try:
            return check_config(executor, left)
        except msgspec.ValidationError as error:
            wrong, steps = _split(str(error))
        if steps or whole or not isinstance(left, dict):
            _say(wrong, (*path, *steps), faults)
        # What stands beside a fault is looked at too, until nothing is left to take out.
        if not (isinstance(left, dict) and steps and steps[0] in left):
            return {}
        left = {key: value for key, value in left.items() if key != steps[0]}
        whole = False


def _known_part(
    executor: type[Executor], block: dict[str, object], path: KeyPath, faults: Faults
) -> dict[str, object]:
    if not executor.config.__struct_config__.forbid_unknown_fields:
        return block
    known = [field.encode_name for field in msgspec.structs.fields(executor.config)]
    for key in block:
        if key not in known:
            Reader(faults).unknown(key, known, path)
    return {key: value for key, value in block.items() if key in known}


def _split(message: str) -> tuple[str, KeyPath]:
    """What msgspec says, and where below the block."""
    found = _WHERE.fullmatch(message)
    assert found is not None
    where = found[2] or ""
    steps = tuple(
        key or int(number)
        for key, number in (step.groups() for step in _STEP.finditer(where))
        if key or number
    )
    return found[1], steps


def _say(wrong: str, path: KeyPath, faults: Faults) -> None:
    if missing := _MISSING.fullmatch(wrong):
        faults.add(path, f'the key "{missing[1]}" is missing')
    elif unknown := _UNKNOWN.fullmatch(wrong):
        faults.add((*path, unknown[1]), "unknown key")
    elif typed := _EXPECTED.fullmatch(wrong):
        words = " or ".join(_WORDS.get(kind, kind) for kind in typed[1].split(" | "))
        got = _WORDS.get(typed[3] or "", typed[3] or "")
        faults.add(path, f"{got} stands here" if got else "", expected=words + typed[2])
    else:
        faults.add(path, wrong)
