"""The schema of an executor's block, as JSON Schema and back.

Published by agents, so that a job can be checked, and a form be drawn, where the executor is not
installed. Two keywords are ours: `x-secret` marks a value that must not be shown, `x-template`
that is `false` one in which placeholders mean nothing. What code alone can check stays behind.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, inspect

SECRET: Final = "x-secret"  # noqa: S105 - a keyword
TEMPLATE: Final = "x-template"
_REF: Final = "#/$defs/{name}"
_DEPTH_MAX: Final = 16
_ANNOTATIONS: Final = {
    "minimum": "ge", "exclusiveMinimum": "gt", "maximum": "le", "exclusiveMaximum": "lt",
    "multipleOf": "multiple_of", "minLength": "min_length", "maxLength": "max_length",
    "minItems": "min_length", "maxItems": "max_length", "minProperties": "min_length",
    "maxProperties": "max_length",
}  # fmt: skip


def schema_of(config: type[msgspec.Struct]) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a block."""
    (schema,), components = msgspec.json.schema_components([config], ref_template=_REF)
    for info in _structs(inspect.type_info(config), set()):
        properties = components.get(info.cls.__name__, {}).get("properties", {})
        for field in info.fields:
            properties.get(field.encode_name, {}).update(_marks(field.type))
    return {**schema, "$defs": components}


def secret_keys(config: type[msgspec.Struct]) -> frozenset[str]:
    """The keys of a block whose values must not be shown, the whole value of each."""
    info = inspect.type_info(config)
    assert isinstance(info, inspect.StructType)
    return frozenset(f.encode_name for f in info.fields if _holds_secret(f.type, set()))


def config_type(
    schema: Mapping[str, Any], *, filled_in: frozenset[str] = frozenset(), patterns: bool = True
) -> type[msgspec.Struct]:
    """A type that takes the blocks that a schema allows.

    Args:
        schema: as `schema_of` makes them; what is not understood allows anything.
        filled_in: keys that need not be given.
        patterns: whether regular expressions are heeded. One from a stranger may take for ever.

    Raises:
        ValueError: it is no schema of a block.
    """
    builder = _Builder(schema.get("$defs", {}), patterns=patterns)
    try:
        kind = builder.struct(builder.resolve(schema), 0, filled_in)
        inspect.type_info(kind)
    except (TypeError, KeyError, AttributeError, RecursionError, NameError) as error:
        raise ValueError(f"no schema of a block: {error}") from error
    return kind


def _structs(kind: inspect.Type, seen: set[type]) -> Iterator[inspect.StructType]:
    if isinstance(kind, inspect.StructType):
        if kind.cls in seen:
            return
        seen.add(kind.cls)
        yield kind
    for inner in _parts(kind):
        yield from _structs(inner, seen)


def _parts(kind: inspect.Type) -> Iterator[inspect.Type]:
    match kind:
        case inspect.Metadata(type=inner):
            yield inner
        case inspect.UnionType(types=kinds):
            yield from kinds
        case inspect.ListType(item_type=inner):
            yield inner
        case inspect.DictType(key_type=key, value_type=value):
            yield from (key, value)
        case inspect.StructType(fields=fields):
            yield from (field.type for field in fields)


def _marks(kind: inspect.Type) -> dict[str, Any]:
    extra: dict[str, Any] = {}
    if isinstance(kind, inspect.Metadata):
        extra = kind.extra or {}
        marks = _marks(kind.type)
    elif isinstance(kind, inspect.UnionType):
        marks = {key: value for one in kind.types for key, value in _marks(one).items()}
    else:
        marks = {}
    if extra.get("secret") is True:
        marks[SECRET] = True
    if extra.get("template") is False:
        marks[TEMPLATE] = False
    return marks


def _holds_secret(kind: inspect.Type, seen: set[type]) -> bool:
    if isinstance(kind, inspect.StructType):
        if kind.cls in seen:
            return False
        seen.add(kind.cls)
    return SECRET in _marks(kind) or any(_holds_secret(part, seen) for part in _parts(kind))


class _Builder:
    """Builds types out of one schema; a definition that holds itself is not looked into."""

    def __init__(self, definitions: Mapping[str, Any], *, patterns: bool) -> None:
        self._definitions = definitions
        self._patterns = patterns
        self._simple: Mapping[str, Callable[[Mapping[str, Any], int], Any]] = {
            "string": lambda schema, _: self._annotated(str, schema),
            "integer": lambda schema, _: self._annotated(int, schema),
            "number": lambda schema, _: self._annotated(float, schema),
            "boolean": lambda *_: bool,
            "null": lambda *_: None,
            "array": self._list,
            "object": self._object,
        }

    def resolve(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """The schema that a reference stands for."""
        reference = schema.get("$ref")
        if reference is None:
            return schema
        found: Mapping[str, Any] = self._definitions[reference.rpartition("/")[2]]
        return found

    def build(self, schema: Mapping[str, Any], depth: int) -> Any:  # noqa: ANN401 - a type
        """The type of a schema."""
        if depth > _DEPTH_MAX:
            return Any
        schema = self.resolve(schema)
        if "enum" in schema or "const" in schema:
            values = schema.get("enum", [schema.get("const")])
            plain = all(isinstance(value, str | int | None) for value in values)
            return Literal[tuple(values)] if plain and values else Any
        if "anyOf" in schema:
            return self._union([self.build(one, depth + 1) for one in schema["anyOf"]])
        make = self._simple.get(schema.get("type", ""))
        return Any if make is None else make(schema, depth)

    def struct(
        self, schema: Mapping[str, Any], depth: int, filled_in: frozenset[str] = frozenset()
    ) -> type[msgspec.Struct]:
        """The Struct of an object with known keys."""
        required = set(schema.get("required", ())) - filled_in
        fields: list[Any] = []
        for number, (key, inner) in enumerate(schema["properties"].items()):
            options: dict[str, Any] = {"name": key}
            if key not in required:
                options["default_factory"] = _maker(inner.get("default"))
            kind, extra = self.build(inner, depth + 1), _extra(inner)
            if extra:
                kind = Annotated[kind, Meta(extra=extra)]
            fields.append((f"field_{number}", kind, msgspec.field(**options)))
        return msgspec.defstruct(
            "Block",
            fields,
            frozen=True,
            kw_only=True,
            forbid_unknown_fields=schema.get("additionalProperties") is False,
        )

    def _object(self, schema: Mapping[str, Any], depth: int) -> Any:  # noqa: ANN401 - a type
        if "properties" in schema:
            return self.struct(schema, depth)
        inner = schema.get("additionalProperties")
        value: Any = self.build(inner, depth + 1) if isinstance(inner, Mapping) else Any
        return self._annotated(dict.__class_getitem__((str, value)), schema)

    def _list(self, schema: Mapping[str, Any], depth: int) -> Any:  # noqa: ANN401 - a type
        item: Any = self.build(schema.get("items", {}), depth + 1)
        return self._annotated(list.__class_getitem__(item), schema)

    def _annotated(self, kind: Any, schema: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a type
        known = {ours: schema[theirs] for theirs, ours in _ANNOTATIONS.items() if theirs in schema}
        if self._patterns and "pattern" in schema:
            known["pattern"] = schema["pattern"]
        return Annotated[kind, Meta(**known)] if known else kind

    @staticmethod
    def _union(kinds: list[Any]) -> Any:  # noqa: ANN401 - a type
        """Their union; Any where msgspec cannot tell them apart."""
        union = kinds[0]
        for kind in kinds[1:]:
            union = union | kind
        try:
            inspect.type_info(union)
        except TypeError:
            return Any
        return union


def _extra(schema: Mapping[str, Any]) -> dict[str, Any]:
    """What the marks of a key mean to `tocsin.templates`, and to whoever shows it."""
    extra: dict[str, Any] = {"secret": True} if schema.get(SECRET) is True else {}
    return {**extra, "template": False} if schema.get(TEMPLATE) is False else extra


def _maker(default: object) -> Callable[[], object]:
    return lambda: copy.deepcopy(default)
