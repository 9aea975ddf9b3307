"""YAML as job files use it: the core schema of YAML 1.2, nothing that can surprise.

Only `true` and `false` are booleans (so `on`, `no` and `y` are text), `1:30` and dates are text,
`0o17` is octal and `017` is seventeen; see yaml.org/spec/1.2.2 chapter 10.3. A key that stands
twice in a block is refused, and so are tags, recursion, and aliases that multiply. `<<` merges.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

import yaml
from yaml.composer import Composer

from tocsin.blocks import KeyPath

NODES_MAX: Final = 200_000
"""The most values of one file, each alias counted as what it stands for."""
DEPTH_MAX: Final = 50
_MERGE: Final = "tag:yaml.org,2002:merge"
_TAG: Final = "tag:yaml.org,2002:"
_CORE: Final = (
    ("null", r"~|null|Null|NULL|", ("~", "n", "N", "")),
    ("bool", r"true|True|TRUE|false|False|FALSE", tuple("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", tuple("-+0123456789")),
    (
        "float",
        (
            r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
            r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
        ),
        tuple("-+.0123456789"),
    ),
    ("merge", r"<<", ("<",)),
)


_Parser: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # C where there is one
_BASES: Final = (Composer, _Parser) if _Parser is not yaml.SafeLoader else (_Parser,)


class _CoreLoader(*_BASES):  # type: ignore[misc] # chosen when the program runs
    """Composes nodes whose plain scalars carry the core schema's tags; constructs nothing.

    The composer is Python's: the one in C recurses without a bound and overflows the stack.
    """

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML keeps it on the class

    def __init__(self, text: str) -> None:
        _Parser.__init__(self, text)
        Composer.__init__(self)


class CoreDumper(yaml.SafeDumper):
    """Quotes what either YAML 1.1 or the core schema would not read back as text."""


def _represent_text(dumper: CoreDumper, text: str) -> yaml.ScalarNode:
    """Lines stand below each other; what cannot be seen is escaped."""
    lines = text.split("\n")
    style = None if len(lines) == 1 else "|"
    # Below each other, empty lines at the end would run into what stands below the text.
    if not all(line.isprintable() for line in lines) or lines[-2:] == ["", ""]:
        style = '"'
    return dumper.represent_scalar(_TAG + "str", text, style=style)


CoreDumper.add_representer(str, _represent_text)
for _kind, _pattern, _first in _CORE:
    for _class in (_CoreLoader, CoreDumper):
        _class.add_implicit_resolver(_TAG + _kind, re.compile(f"(?:{_pattern})$"), list(_first))


class UnreadableError(Exception):
    """A file is not what its name says; `line`, from 1, is where that shows."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


class Document(NamedTuple):
    """The plain data of a file, and what is known of it beside."""

    value: object
    lines: dict[KeyPath, int]
    """The line of each value, from 1; empty where lines are not known."""
    faults: list[tuple[KeyPath, int, str]]
    """What is wrong although it can be read: where, in which line, and what."""


def read_yaml(text: str) -> Document:
    """The plain data of a YAML document.

    Raises:
        UnreadableError: it is not YAML, or goes beyond what is taken.
    """
    try:
        node = yaml.compose(text, Loader=_CoreLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = error.problem or error.context or "it cannot be read"
        if "nesting depth" in problem:  # as newer versions of PyYAML say it
            raise UnreadableError("nested too deeply") from error
        raise UnreadableError(f"not YAML: {problem}", mark.line + 1 if mark else None) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise UnreadableError("not YAML: a control character stands here", line) from error
    except RecursionError as error:
        raise UnreadableError("nested too deeply") from error
    if node is None:
        return Document(None, {}, [])
    reading = _Reading()
    return Document(reading.value(node, ()), reading.lines, reading.faults)


class _Reading:
    """Turns the nodes of one document into plain data."""

    def __init__(self) -> None:
        self.lines: dict[KeyPath, int] = {}
        self.faults: list[tuple[KeyPath, int, str]] = []
        self._nodes = 0

    def value(self, node: yaml.Node, path: KeyPath) -> object:
        line = node.start_mark.line + 1
        self.lines.setdefault(path, line)
        self._nodes += 1
        if self._nodes > NODES_MAX:
            raise UnreadableError(f"more than {NODES_MAX} values, aliases written out", line)
        if len(path) > DEPTH_MAX:
            raise UnreadableError(f"nested more than {DEPTH_MAX} deep", line)
        if isinstance(node, yaml.MappingNode) and node.tag == _TAG + "map":
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode) and node.tag == _TAG + "seq":
            return [self.value(item, (*path, i)) for i, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node)
        raise UnreadableError(f"the tag {node.tag!r} means nothing here", line)

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, object]:
        block: dict[str, object] = {}
        merged: list[yaml.Node] = []
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if key_node.tag == _MERGE:
                merged.append(value_node)
                continue
            key = _scalar(key_node) if isinstance(key_node, yaml.ScalarNode) else None
            if not isinstance(key, str):
                said = f"the key {key_node.value}" if isinstance(key, int | float) else "a key"
                self.faults.append((path, line, f"{said} is not text; put it in quotes"))
                continue
            if key in block:
                first = self.lines[*path, key]
                said = f"this key stands here twice, first in line {first}"
                self.faults.append(((*path, key), line, said))
                continue
            self.lines[*path, key] = line
            block[key] = self.value(value_node, (*path, key))
        for value_node in merged:
            self._merge(value_node, block, path)
        return block

    def _merge(self, node: yaml.Node, block: dict[str, object], path: KeyPath) -> None:
        """Add the keys of another block, or of several, that this one does not have."""
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for source in sources:
            if not isinstance(source, yaml.MappingNode):
                raise UnreadableError("<< merges blocks of keys only", node.start_mark.line + 1)
            for key, value in self._mapping_apart(source, path).items():
                block.setdefault(key, value)

    def _mapping_apart(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, object]:
        """A block to be merged at `path`: its lines give way to those that are there."""
        kept, self.lines = self.lines, {}
        try:
            value = self.value(node, path)
        finally:
            self.lines = {**self.lines, **kept}
        assert isinstance(value, dict)
        return value


def _scalar(node: yaml.ScalarNode) -> object:
    text: str = node.value
    line = node.start_mark.line + 1
    try:
        match node.tag.removeprefix(_TAG):
            case "str" | "merge":
                return text
            case "null":
                return None
            case "bool":
                return text.lower() == "true"
            case "int":
                return int(text, 0) if text.startswith(("0o", "0x")) else int(text)
            case "float":
                return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    except ValueError as error:
        raise UnreadableError(f"{text[:40]!r} is not what its tag says", line) from error
    raise UnreadableError(f"the tag {node.tag!r} means nothing here", line)
