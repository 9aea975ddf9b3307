"""A schema that was published takes the blocks that its Struct takes, and no others."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Meta

from tocsin.config_keys import config_keys
from tocsin.config_schema import config_type, schema_of, secret_keys
from tocsin.executors.http.config import HttpConfig
from tocsin.executors.scripted import ScriptedConfig
from tocsin.executors.shell.config import ShellConfig
from tocsin.templates import literal_keys


class Inner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A block inside a block."""

    token: Annotated[str, Meta(extra={"secret": True})] = ""
    parts: list[Annotated[int, Meta(gt=0, lt=9)]] = []


class Odd(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a schema may hold."""

    line: Annotated[str | None, Meta(description="a line", extra={"template": False})] = None
    mode: Literal["a", "b"] = "a"
    size: Annotated[float, Meta(ge=0, le=1)] = 0.5
    inner: Inner | None = None
    many: Annotated[dict[str, Inner], Meta(max_length=2)] = {}
    free: Any = None
    need: Annotated[list[str], Meta(min_length=1)]


def rebuilt(kind: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """The type that comes out of its schema, after a way through JSON."""
    return config_type(json.loads(json.dumps(schema_of(kind))))


def takes(kind: type[msgspec.Struct], block: Any) -> str:
    """What a type says of a block; '' when it takes it."""
    try:
        msgspec.convert(block, kind)
    except msgspec.ValidationError as error:
        return str(error)
    return ""


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 20) | st.sampled_from(["", "a", "b", "x y"])
    | st.floats(0, 2),
    lambda inner: st.lists(inner, max_size=2)
    | st.dictionaries(st.sampled_from(["token", "parts", "x"]), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(["need", *Odd.__struct_fields__, "other"]), VALUES))
@settings(max_examples=300, deadline=None)
def test_both_say_the_same_of_any_block(block: dict[str, Any]) -> None:
    """Also where it is wrong, in the same words."""
    assert takes(rebuilt(Odd), block) == takes(Odd, block)


@pytest.mark.parametrize(
    ("kind", "block"),
    [
        (HttpConfig, {"url": "http://x", "expect": {"status": ["2xx", 404]}}),
        (HttpConfig, {"url": "http://x", "auth": {"usr": "x"}}),
        (HttpConfig, {"url": "http://x", "redirects": 51}),
        (HttpConfig, {}),
        (ShellConfig, {"command": "a\0b"}),
        (ShellConfig, {"argv": ["a"], "success_codes": [0, 256]}),
        (ScriptedConfig, {"run_for": "1h", "lines": -1}),
    ],
)
def test_in_tree_schemas_come_back(kind: type[msgspec.Struct], block: dict[str, Any]) -> None:
    """What types alone can say survives."""
    assert takes(rebuilt(kind), block) == takes(kind, block)


def test_marks_come_back() -> None:
    """Which values are secret, and where placeholders mean nothing."""
    assert literal_keys(rebuilt(Odd)) == literal_keys(Odd) == {"line"}
    assert secret_keys(rebuilt(Odd)) == secret_keys(Odd) == {"inner", "many"}


def test_keys_that_are_filled_in_need_not_be_given() -> None:
    """All others still do."""
    filled = config_type(schema_of(HttpConfig), filled_in=frozenset({"url"}))
    assert takes(filled, {}) == ""
    assert takes(filled, {"url": 5}) == "Expected `str`, got `int` - at `$.url`"


def test_patterns_can_be_left_out() -> None:
    """A regular expression of somebody else may take for ever."""
    assert takes(config_type(schema_of(ShellConfig), patterns=False), {"command": "a\0b"}) == ""


def test_a_schema_that_holds_itself_ends() -> None:
    """Below a depth anything is taken."""
    schema = {"$ref": "#/$defs/A", "$defs": {"A": {"properties": {"a": {"$ref": "#/$defs/A"}}}}}
    assert takes(config_type(schema), {"a": {"a": {"a": {}}}}) == ""


@pytest.mark.parametrize(
    "schema", [{}, {"$ref": "x"}, {"type": "array"}, {"properties": 5}, {"properties": {"a": []}}]
)
def test_what_is_no_schema_is_refused(schema: dict[str, Any]) -> None:
    """Whoever published it."""
    with pytest.raises(ValueError, match="no schema of a block"):
        config_type(schema)


def test_keys_for_people() -> None:
    """Each with its values in words; those of inner blocks follow with a dot."""
    keys = {key.path: key for key in config_keys(schema_of(Odd))}
    assert list(keys) == [
        "line", "mode", "size", "inner", "inner.token", "inner.parts", "many", "free", "need",
    ]  # fmt: skip
    assert keys["line"].description == "a line"
    assert not keys["line"].placeholders
    assert keys["mode"].kind == "a or b"
    assert keys["size"].kind == "number, 0 to 1"
    assert keys["inner.token"].secret
    assert keys["inner.parts"].kind == "list of whole number"
    assert (keys["many"].kind, keys["free"].kind) == ("keys with block", "anything")
    assert keys["need"].required
