"""Placeholders in the strings of an executor's block: `{{ run.id }}`, `{{ param.region }}`.

They are filled in on the agent, just before an attempt starts. A field of the block's schema that
carries `Meta(extra={"template": False})` is left as it stands: a shell line, say, where a value
would be read as code. Those find the same values in their environment.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from msgspec import inspect

from tocsin.nearest import did_you_mean

_PLACEHOLDER: Final = re.compile(r"\\\{\{|\{\{\s*([A-Za-z_]\w*)\.([A-Za-z_]\w*)\s*\}\}", re.ASCII)
_FIXED: Final = (
    "run.id", "run.attempt", "run.due", "run.trigger", "run.idempotency_key",
    "job.name", "agent.name",
)  # fmt: skip
_VARIABLES: Final = {
    "run.id": "TOCSIN_RUN_ID",
    "run.attempt": "TOCSIN_ATTEMPT",
    "run.due": "TOCSIN_DUE",
    "run.trigger": "TOCSIN_TRIGGER",
    "run.idempotency_key": "TOCSIN_IDEMPOTENCY_KEY",
    "job.name": "TOCSIN_JOB",
    "agent.name": "TOCSIN_AGENT",
}
_PARAM_VARIABLE: Final = "TOCSIN_PARAM_"

Place = tuple[str | int, ...]
"""The keys, and positions in lists, that lead to a string of a block."""


def values_of(env: Mapping[str, str], secrets: Mapping[str, str]) -> dict[str, str]:
    """What the placeholders of an attempt stand for, out of its environment and its secrets."""
    values = {name: env.get(variable, "") for name, variable in _VARIABLES.items()}
    values.update((f"param.{name}", value) for name, value in params_of(env).items())
    values.update((f"secret.{name}", value) for name, value in secrets.items())
    return values


def params_of(env: Mapping[str, str]) -> dict[str, str]:
    """The parameters of an attempt, by their names in the job, out of its environment."""
    return {
        variable.removeprefix(_PARAM_VARIABLE).lower(): value
        for variable, value in env.items()
        if variable.startswith(_PARAM_VARIABLE)
    }


def render(
    block: Mapping[str, Any], schema: type[msgspec.Struct], values: Mapping[str, str]
) -> dict[str, Any]:
    """A block with its placeholders filled in.

    Raises:
        ValueError: a placeholder stands for nothing; says which, and where.
    """
    literal = literal_keys(schema)
    return {
        key: value if key in literal else _filled(value, values, (key,))
        for key, value in block.items()
    }


def has_placeholders(block: Mapping[str, Any], schema: type[msgspec.Struct]) -> bool:
    """Whether anything in a block is to be filled in."""
    if b"{{" not in msgspec.msgpack.encode(block):  # most blocks; to walk through one costs more
        return False
    return any(_PLACEHOLDER.search(text) for _, text in _strings(block, schema))


def faults(
    block: Mapping[str, Any],
    schema: type[msgspec.Struct],
    *,
    params: Mapping[str, object],
    secrets: Mapping[str, object],
) -> Iterator[tuple[Place, str, str]]:
    """Placeholders that stand for nothing: each its place, what is wrong, and a hint."""
    known = [*_FIXED, *(f"param.{it}" for it in params), *(f"secret.{it}" for it in secrets)]
    for place, text in _strings(block, schema):
        for found in _PLACEHOLDER.finditer(text):
            name = f"{found[1]}.{found[2]}"
            if found[1] is not None and name not in known:
                hint = did_you_mean(name, known) or f"there are: {', '.join(known)}"
                yield place, f"{{{{ {name} }}}} stands for nothing", hint


@functools.lru_cache
def literal_keys(schema: type[msgspec.Struct]) -> frozenset[str]:
    """The keys of a block in which placeholders mean nothing."""
    info = inspect.type_info(schema)
    assert isinstance(info, inspect.StructType)
    return frozenset(field.encode_name for field in info.fields if _is_literal(field.type))


def _is_literal(kind: inspect.Type) -> bool:
    if isinstance(kind, inspect.Metadata):
        return (kind.extra or {}).get("template") is False or _is_literal(kind.type)
    return isinstance(kind, inspect.UnionType) and any(_is_literal(one) for one in kind.types)


def _strings(block: Mapping[str, Any], schema: type[msgspec.Struct]) -> Iterator[tuple[Place, str]]:
    literal = literal_keys(schema)
    for key, value in block.items():
        if key not in literal:
            yield from _strings_in(value, (key,))


def _strings_in(value: object, place: Place) -> Iterator[tuple[Place, str]]:
    match value:
        case str():
            yield place, value
        case dict():
            for key, item in value.items():
                yield from _strings_in(item, (*place, key))
        case list():
            for number, item in enumerate(value):
                yield from _strings_in(item, (*place, number))


def _filled(value: Any, values: Mapping[str, str], place: Place) -> Any:  # noqa: ANN401 - plain data of any kind
    match value:
        case str():
            return _text(value, values, place)
        case dict():
            return {key: _filled(item, values, (*place, key)) for key, item in value.items()}
        case list():
            return [_filled(item, values, (*place, n)) for n, item in enumerate(value)]
        case _:
            return value


def _text(text: str, values: Mapping[str, str], place: Place) -> str:
    def fill(found: re.Match[str]) -> str:
        if found[1] is None:
            return "{{"
        name = f"{found[1]}.{found[2]}"
        if name not in values:
            where = ".".join(str(step) for step in place)
            raise ValueError(f"{where}: {{{{ {name} }}}} stands for nothing")
        return values[name]

    return _PLACEHOLDER.sub(fill, text) if "{{" in text else text
