"""The keys of an executor's block, read off its schema, for people: in a terminal, in a form."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from tocsin.config_schema import SECRET, TEMPLATE

_DEPTH_MAX: Final = 4
_WORDS: Final = {
    "string": "text", "integer": "whole number", "number": "number", "boolean": "true or false",
    "null": "null",
}  # fmt: skip


class ConfigKey(NamedTuple):
    """One key of a block; those of a block inside it follow it, with a dot in their path."""

    path: str
    kind: str
    """Which values it takes, in words."""
    description: str
    default: Any
    """None where there is none, or none that could be shown."""
    required: bool
    secret: bool
    placeholders: bool
    """Whether placeholders are filled in."""
    schema: Mapping[str, Any]
    """Of its value, references resolved at the top."""


def config_keys(schema: Mapping[str, Any]) -> list[ConfigKey]:
    """All keys of a schema as `tocsin.config_schema.schema_of` makes them."""
    return list(_keys(schema, schema.get("$defs", {}), "", 0))


def _keys(
    schema: Mapping[str, Any], definitions: Mapping[str, Any], prefix: str, depth: int
) -> Iterator[ConfigKey]:
    block = _resolved(schema, definitions)
    required = block.get("required", ())
    for name, inner in block.get("properties", {}).items():
        yield ConfigKey(
            path=prefix + name,
            kind=_kind(inner, definitions),
            description=inner.get("description", ""),
            default=inner.get("default"),
            required=name in required,
            secret=inner.get(SECRET) is True,
            placeholders=inner.get(TEMPLATE) is not False,
            schema=_resolved(inner, definitions),
        )
        for one in inner.get("anyOf", [inner]):
            if depth < _DEPTH_MAX and "properties" in _resolved(one, definitions):
                yield from _keys(one, definitions, f"{prefix}{name}.", depth + 1)


def _resolved(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = schema
    if "$ref" in schema:
        found = definitions.get(schema["$ref"].rpartition("/")[2], {})
    return found


def _kind(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    schema = _resolved(schema, definitions)
    if "enum" in schema:
        return " or ".join(json.dumps(value).strip('"') for value in schema["enum"])
    if "const" in schema:
        return json.dumps(schema["const"]).strip('"')
    if "anyOf" in schema:
        kinds = dict.fromkeys(_kind(one, definitions) for one in schema["anyOf"])
        return " or ".join(kind for kind in kinds if kind != "null")
    match schema.get("type"):
        case "array":
            return f"list of {_kind(schema.get('items', {}), definitions)}"
        case "object" if "properties" in schema:
            return "block"
        case "object":
            inner = schema.get("additionalProperties")
            value = _kind(inner, definitions) if isinstance(inner, Mapping) else "anything"
            return f"keys with {value}"
        case kind:
            return _WORDS.get(kind or "", "anything") + _bounds(schema)


def _bounds(schema: Mapping[str, Any]) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and most is not None:
        return f", {least} to {most}"
    return f", {least} or more" if least is not None else ""
