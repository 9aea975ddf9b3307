"""The fields of an executor's block, read off the schema that agents publish."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from tocsin.config_keys import ConfigKey, config_keys
from tocsin.config_schema import schema_of
from tocsin.execution import Executor
from tocsin.model import Description, OfferedExecutor

from . import codecs
from .codecs import Codec
from .fields import EXECUTOR_PATH, Field, Section, plain_words

_SCALARS: Final = {"string", "integer", "number"}
_CODECS: Final[Mapping[tuple[str, str], Codec]] = {
    ("array", "string"): codecs.LIST,
    ("array", "integer"): codecs.CODES,
    ("object", "string"): codecs.PAIRS,
}


def descriptions(rows: Iterable[OfferedExecutor]) -> dict[str, Description]:
    """Of the executors that agents offer, by name; of several that differ, the first."""
    found: dict[str, Description] = {}
    for row in rows:
        found.setdefault(row.description.name, row.description)
    return found


def description_of(executor: type[Executor]) -> Description:
    """Of an executor that is installed here, as an agent without settings would publish it."""
    return Description(
        name=executor.name,
        use=executor.name,
        version="",
        port=0,
        summary=executor.summary,
        main_key=executor.main_key,
        capabilities=[],
        schema=schema_of(executor.config),
    )


def executor_choice(known: Mapping[str, Description], chosen: str) -> Field:
    """The field that says which executor runs the job."""
    summary = known[chosen].summary if chosen in known else "no agent offers it now"
    names = dict.fromkeys([*known, chosen])
    return Field(
        path=EXECUTOR_PATH,
        label="Executor",
        section=Section.WHAT,
        help=f"what runs the job; {chosen}: {summary}",
        choices=tuple(name for name in names if name),
        often=True,
        needed=True,
    )


def executor_fields(it: Description) -> list[Field]:
    """A field for each key of a block; blocks inside it key by key where they are only that."""
    fields: list[Field] = []
    whole: list[str] = []
    for key in config_keys(it.schema):
        if any(key.path.startswith(f"{path}.") for path in whole):
            continue
        if key.kind == "block":
            continue
        whole.append(key.path)
        fields.append(_field(key, it))
    return sorted(fields, key=lambda one: one.path != (it.name, it.main_key))


def _field(key: ConfigKey, it: Description) -> Field:
    codec, choices = _written(key.schema)
    block, dot, last = key.path.rpartition(".")
    notes = [f"{key.path}: " * bool(block) + (plain_words(key.description) or key.kind)]
    if key.secret:
        notes.append("not shown; better: {{ secret.NAME }}, from Secrets below")
    if not key.placeholders:
        notes.append("no placeholders")
    filled_in = key.path in it.defaults
    main = key.path == it.main_key
    return Field(
        path=(it.name, *key.path.split(".")),
        label=f"  {last}" if dot else last,
        section=Section.WHAT,
        help="; ".join(notes),
        otherwise="filled in by the agent" if filled_in else _otherwise(key.default),
        codec=codec,
        choices=choices,
        often=main or key.required,
        needed=key.required and not filled_in,
        secret=key.secret,
    )


def _otherwise(default: object) -> str:
    return "" if default in (None, "", {}, []) else json.dumps(default).strip('"')


def _written(schema: Mapping[str, Any]) -> tuple[Codec, tuple[str, ...]]:
    """How values of a schema are written, and all of them where they are few."""
    kinds = [one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]
    if len(kinds) != 1:
        types = {one.get("type") for one in kinds}
        return (codecs.SCALAR if types <= _SCALARS else codecs.YAML), ()
    (one,) = kinds
    if "enum" in one or "const" in one:
        values = one.get("enum", [one.get("const")])
        if all(isinstance(value, str) for value in values):
            return codecs.LINE, tuple(values)
        return codecs.YAML, ()
    match one.get("type"):
        case "boolean":
            return codecs.TOGGLE, ("true", "false")
        case "string":
            return codecs.TEXT, ()
        case "integer" | "number":
            return codecs.SCALAR, ()
        case "array" | "object" as kind:
            inner = one.get("items" if kind == "array" else "additionalProperties")
            inner_type = inner.get("type", "") if isinstance(inner, Mapping) else ""
            return _CODECS.get((kind, inner_type), codecs.YAML), ()
    return codecs.YAML, ()


def masked(fields: Iterable[Field], block: Mapping[str, Any]) -> dict[str, Any]:
    """A block with stars in place of its secrets, for the eye."""
    copy: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(block))
    for field in fields:
        inner: Any = copy
        for step in field.path[:-1]:
            inner = inner.get(step) if isinstance(inner, dict) else None
        if field.secret and isinstance(inner, dict) and inner.get(field.path[-1]):
            inner[field.path[-1]] = hidden(str(inner[field.path[-1]]))
    return copy


def hidden(text: str) -> str:
    """A secret as it is shown; one that only names another is shown as it is."""
    return text if "{{" in text else "*" * len(text)
