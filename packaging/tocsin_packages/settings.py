"""The settings files of a package: every option there is, commented out, with what it means.

They are read off the Structs that the daemons read their settings into, so none can be missing.
"""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from tocsin.agent.config import AgentConfig, ExecutorConfig
from tocsin.coordinator.config import CoordinatorConfig

_WIDTH: Final = 98
_COMMON: Final = """\
# Every setting there is; a line that begins with # says what holds without it. Once changed:
# systemctl reload {unit}, or restart where it says so. See {page}.
"""
_SHOWN: Final = {
    ("AgentConfig", "data_dir"): "/var/lib/tocsin-agent/agent",
    ("AgentConfig", "run_dir"): "/run/tocsin-agent/agent",
    ("AgentConfig", "endpoint"): "tcp://coordinator.example:7370",
    ("AgentConfig", "server_key"): "0" * 64,
    ("AgentConfig", "key_file"): "agent.key",
    ("AgentConfig", "slots"): 8,
    ("AgentConfig", "drain_s"): 0.0,
    ("AgentConfig", "executors"): ["exec", "shell"],
    ("CoordinatorConfig", "data_dir"): "/var/lib/tocsin/coordinator",
    ("CoordinatorConfig", "key_file"): "coordinator.key",
    ("CoordinatorConfig", "endpoint_file"): "/run/tocsin/endpoint.json",
}
"""What stands for settings whose default is none, or is found at the start."""


def agent_settings() -> str:
    """`agent.toml`."""
    head = "# The agent of this host. `tocsin agent join` adds whom it serves.\n"
    head += _COMMON.format(unit="tocsin-agent", page="/usr/share/doc/tocsin/agent.md")
    return head + "".join([*_options(AgentConfig), *_table("executor.NAME", ExecutorConfig)])


def coordinator_settings() -> str:
    """`coordinator.toml`."""
    head = "# The coordinator.\n"
    head += _COMMON.format(unit="tocsin-coordinator", page="/usr/share/doc/tocsin/coordinator.md")
    tables = _tables(CoordinatorConfig)
    return head + "".join([*_options(CoordinatorConfig), *tables])


def field_docs(kind: type[msgspec.Struct]) -> dict[str, str]:
    """The text below each field of a Struct, by the field's name."""
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(body, ast.ClassDef)
    docs = {}
    for field, after in zip(body.body, body.body[1:], strict=False):
        match field, after:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(
                value=ast.Constant(value=str(text))
            ):
                docs[name] = inspect.cleandoc(text)
    return docs


def _options(kind: type[msgspec.Struct]) -> Iterator[str]:
    docs = field_docs(kind)
    for field in msgspec.structs.fields(kind):
        if _inner(field.type) is None:
            comment = _comment(docs.get(field.name, ""))
            yield f"\n{comment}#{field.encode_name} = {_value(kind, field)}\n"


def _tables(kind: type[msgspec.Struct]) -> Iterator[str]:
    for field in msgspec.structs.fields(kind):
        inner = _inner(field.type)
        if inner is not None:
            yield from _table(field.encode_name, inner)


def _table(name: str, kind: type[msgspec.Struct]) -> Iterator[str]:
    yield f"\n{_comment(inspect.cleandoc(kind.__doc__ or ''))}#[{name}]\n"
    yield from _options(kind)


def _inner(kind: object) -> type[msgspec.Struct] | None:
    """The Struct that is a table of its own, also where there is one for each name."""
    kinds = [kind, *getattr(kind, "__args__", ())]
    found = [one for one in kinds if isinstance(one, type) and issubclass(one, msgspec.Struct)]
    return found[0] if found else None


def _comment(text: str) -> str:
    lines = textwrap.wrap(" ".join(text.split()), _WIDTH)
    return "".join(f"# {line}\n" for line in lines)


def _value(kind: type[msgspec.Struct], field: msgspec.structs.FieldInfo) -> str:
    default = field.default
    if field.default_factory is not msgspec.NODEFAULT:
        default = field.default_factory()
    if default is None or default is msgspec.NODEFAULT:
        default = _SHOWN[kind.__name__, field.name]
    if default == {}:
        return "{}"
    return json.dumps(str(default) if isinstance(default, Path) else default)
