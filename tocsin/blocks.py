"""From the plain data of a file to a frozen Struct, with every fault said in the file's words.

The Struct is the schema: a field's `name=` is its key, and the unit at the end of its name says
how it is written: `_s` is a duration (`1h30m` or seconds), `_us` an instant (RFC 3339), `_bytes`
a size (`1MiB` or bytes), `_percent` a share (`50%`). Every fault is kept and reading goes on, so
one look shows them all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import inspect

from tocsin.instants import from_rfc3339
from tocsin.nearest import did_you_mean
from tocsin.units import (
    format_duration,
    format_percent,
    format_size,
    parse_duration,
    parse_percent,
    parse_size,
)

KeyPath = tuple[str | int, ...]
"""Where a value stands: the keys, and the positions in lists, that lead to it."""
Bounds = Mapping[tuple[str, str], tuple[float, float]]
"""The least and the greatest value of a number, by the names of its Struct and its field."""

_SHOWN_CHARS: Final = 40
_DURATION: Final = "a duration such as 90s or 1h30m"
_SIZE: Final = "a size such as 64KiB or 1MiB"
_PERCENT: Final = "a share such as 50%"
_INSTANT: Final = "a time with an offset such as 2026-01-01T00:00:00Z"


class _Found(NamedTuple):
    path: KeyPath
    said: str
    line: int | None


class Faults:
    """What is wrong with one file, each fault with its place."""

    def __init__(self, source: str, lines: Mapping[KeyPath, int] | None = None) -> None:
        self._source = source
        self._lines = lines or {}
        self._found: list[_Found] = []

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[str]:
        """The faults, one line each, in the order of the file."""
        for path, said, line in sorted(self._found, key=lambda fault: fault.line or 0):
            where = ": ".join(part for part in (self._place(line), spelled(path)) if part)
            yield f"{where}: {said}"

    def by_path(self) -> list[tuple[KeyPath, str]]:
        """The faults in the order in which they were found: where each is, and what is said."""
        return [(path, said) for path, said, _ in self._found]

    def line_of(self, path: KeyPath) -> int | None:
        """The line of a value, or of the closest thing around it."""
        for length in range(len(path), -1, -1):
            line = self._lines.get(path[:length])
            if line is not None:
                return line
        return None

    def place(self, path: KeyPath) -> str:
        """`file:line`, or `file` where lines are not known."""
        return self._place(self.line_of(path))

    def add(
        self,
        path: KeyPath,
        wrong: str,
        *,
        expected: str = "",
        hint: str = "",
        line: int | None = None,
    ) -> None:
        """Keep a fault: what is wrong, what was expected, and what may have been meant."""
        clauses = [wrong, f"expected {expected}" if expected else "", hint]
        said = "; ".join(clause for clause in clauses if clause)
        self._found.append(_Found(path, said, self.line_of(path) if line is None else line))

    def _place(self, line: int | None) -> str:
        return self._source if line is None else f"{self._source}:{line}"


def spelled(path: KeyPath) -> str:
    """A path as people write it: `jobs.hello.schedule[1]`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def shown(value: object) -> str:
    """A value as it may stand in a sentence: short, on one line, said to be what it is."""
    match value:
        case None:
            return "nothing stands here"
        case bool():
            return f"{str(value).lower()} is true or false"
        case int() | float():
            return f"{value} is a number"
        case str():
            return f"{quoted(value)} is text"
        case list():
            return "a list stands here"
        case dict():
            return "a block of keys stands here"
        case _:
            return f"{quoted(str(value))} stands here"


def quoted(text: str) -> str:
    """A text in double quotes, shortened; what cannot be printed is escaped."""
    short = text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 1] + "…"
    safe = (
        char if char.isprintable() and char != "\\" else char.encode("unicode_escape").decode()
        for char in short
    )
    return f'"{"".join(safe)}"'


class Reader:
    """Reads Structs out of one file; what is wrong goes to `faults`."""

    def __init__(self, faults: Faults, bounds: Bounds | None = None) -> None:
        self._faults = faults
        self._bounds = bounds or {}

    def fields(
        self,
        kind: type[msgspec.Struct],
        block: Mapping[str, object],
        path: KeyPath,
        *,
        elsewhere: Collection[str],
    ) -> dict[str, Any]:
        """The arguments for `kind` out of a block; a faulty key has none.

        The fields in `elsewhere` need not be there.
        """
        info = _info(kind)
        self._miss(info, block, path, elsewhere)
        return self._fields(info, block, path)

    def unknown(self, key: str, known: list[str], path: KeyPath) -> None:
        """Keep the fault of a key that means nothing."""
        hint = did_you_mean(key, known)
        expected = "" if hint else f"one of {', '.join(sorted(known))}"
        self._faults.add((*path, key), "unknown key", expected=expected, hint=hint)

    def _fields(
        self, info: inspect.StructType, block: Mapping[str, object], path: KeyPath
    ) -> dict[str, Any]:
        by_key = {field.encode_name: field for field in info.fields}
        arguments = {}
        for key, value in block.items():
            field = by_key.get(key)
            if field is None:
                self.unknown(key, list(by_key), path)
                continue
            place = (*path, key)
            bounds = self._bounds.get((info.cls.__name__, field.name))
            read = self._field(field, value, place)
            if read is msgspec.UNSET:
                continue
            if bounds and isinstance(read, int | float) and not bounds[0] <= read <= bounds[1]:
                least, most = (_in_unit(field.name, bound) for bound in bounds)
                self._faults.add(
                    place, f"{_plain(value)} is out of range", expected=f"{least} to {most}"
                )
                continue
            arguments[field.name] = read
        return arguments

    def _miss(
        self,
        info: inspect.StructType,
        block: Mapping[str, object],
        path: KeyPath,
        elsewhere: Collection[str],
    ) -> None:
        for field in info.fields:
            if field.required and field.encode_name not in block and field.name not in elsewhere:
                self._faults.add(path, f'the key "{field.encode_name}" is missing')

    def _field(self, field: inspect.Field, value: object, path: KeyPath) -> Any:  # noqa: ANN401 - of the field's type
        if value is None and _takes_none(field.type):
            return None
        if field.name.endswith("_s"):
            return self._written(parse_duration, value, _DURATION, path)
        if field.name.endswith("_bytes"):
            return self._written(parse_size, value, _SIZE, path)
        if field.name.endswith("_percent"):
            return self._written(parse_percent, value, _PERCENT, path)
        if field.name.endswith("_us"):
            return self._written(_instant, value, _INSTANT, path)
        return self._value(field.type, value, path)

    def _written(
        self, parse: Callable[[Any], object], value: object, expected: str, path: KeyPath
    ) -> Any:  # noqa: ANN401 - what `parse` gives
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            try:
                return parse(value)
            except ValueError:
                pass
            return self._refuse(path, f"{_plain(value)} is not understood", expected)
        return self._refuse(path, shown(value), expected)

    def _refuse(self, path: KeyPath, wrong: str, expected: str, hint: str = "") -> Any:  # noqa: ANN401 - UNSET, in place of a value of any type
        self._faults.add(path, wrong, expected=expected, hint=hint)
        return msgspec.UNSET

    def _value(self, kind: inspect.Type, value: object, path: KeyPath) -> Any:  # noqa: ANN401 - of type `kind`
        match kind:
            case inspect.AnyType():
                return value
            case inspect.CustomType(cls=cls) if cls is Path and isinstance(value, str) and value:
                return Path(value)
            case inspect.EnumType() | inspect.LiteralType():
                return self._choice(kind, value, path)
            case inspect.ListType() if isinstance(value, list):
                return self._list(kind, value, path)
            case inspect.DictType() if isinstance(value, dict):
                return self._dict(kind, value, path)
            case inspect.StructType() if isinstance(value, dict):
                return self._struct(kind, value, path)
            case inspect.UnionType():
                return self._union(kind, value, path)
        if type(value) in _PLAIN_TYPES.get(type(kind), ()):
            return value
        quotes = isinstance(kind, inspect.StrType) and isinstance(value, int | float)
        hint = "put it in quotes" if quotes else ""
        return self._refuse(path, shown(value), words_for(kind), hint)

    def _struct(self, kind: inspect.StructType, value: dict[str, object], path: KeyPath) -> Any:  # noqa: ANN401 - of the kind's class
        before = len(self._faults)
        self._miss(kind, value, path, ())
        arguments = self._fields(kind, value, path)
        return msgspec.UNSET if len(self._faults) > before else kind.cls(**arguments)

    def _choice(
        self, kind: inspect.EnumType | inspect.LiteralType, value: object, path: KeyPath
    ) -> Any:  # noqa: ANN401 - the enum's member or the literal
        if isinstance(kind, inspect.LiteralType):
            known: dict[object, object] = {word: word for word in kind.values}
        else:
            known = {member.value: member for member in kind.cls}
        if isinstance(value, str) and value in known:
            return known[value]
        if not isinstance(value, str):
            return self._refuse(path, shown(value), words_for(kind))
        hint = did_you_mean(value, [str(word) for word in known])
        return self._refuse(path, f"{quoted(value)} is not known", words_for(kind), hint)

    def _list(self, kind: inspect.ListType, value: list[object], path: KeyPath) -> list[Any]:
        items = (self._value(kind.item_type, item, (*path, i)) for i, item in enumerate(value))
        return [item for item in items if item is not msgspec.UNSET]

    def _dict(self, kind: inspect.DictType, value: dict[str, object], path: KeyPath) -> Any:  # noqa: ANN401 - a dict of the kind's types
        pairs = {
            key: self._value(kind.value_type, item, (*path, key)) for key, item in value.items()
        }
        return {key: item for key, item in pairs.items() if item is not msgspec.UNSET}

    def _union(self, kind: inspect.UnionType, value: object, path: KeyPath) -> Any:  # noqa: ANN401 - of one of the kind's types
        kinds = [one for one in kind.types if not isinstance(one, inspect.NoneType)]
        if value is None and len(kinds) < len(kind.types):
            return None
        if len(kinds) == 1:
            return self._value(kinds[0], value, path)
        for one in kinds:
            trial = Faults("")
            read = Reader(trial)._value(one, value, path)  # noqa: SLF001 - another of this class
            if not len(trial):
                return read
        return self._refuse(path, shown(value), words_for(kind))


def words_for(kind: inspect.Type) -> str:
    """What a value of this type is called, as after "expected"."""
    match kind:
        case inspect.BoolType():
            return "true or false"
        case inspect.StrType() | inspect.CustomType():
            return "text"
        case inspect.IntType():
            return "a whole number"
        case inspect.FloatType():
            return "a number"
        case inspect.EnumType(cls=cls):
            return f"one of {', '.join(str(member.value) for member in cls)}"
        case inspect.LiteralType(values=values):
            some = "one of " if len(values) > 1 else ""
            return some + ", ".join(str(value) for value in values)
        case inspect.ListType(item_type=item):
            return f"a list, each item {words_for(item)}"
        case inspect.DictType(value_type=item):
            return f"a block of keys, each with {words_for(item)}"
        case inspect.UnionType(types=kinds):
            # A literal reads best behind the kind of value it is an exception to.
            some_kinds = sorted(kinds, key=lambda one: isinstance(one, inspect.LiteralType))
            words = [words_for(one) for one in some_kinds if not isinstance(one, inspect.NoneType)]
            return " or ".join(words)
        case _:
            return "a block of keys"


_PLAIN_TYPES: Final[Mapping[type[inspect.Type], tuple[type, ...]]] = {
    inspect.BoolType: (bool,),
    inspect.StrType: (str,),
    inspect.IntType: (int,),
    inspect.FloatType: (int, float),
}


@lru_cache
def _info(kind: type[msgspec.Struct]) -> inspect.StructType:
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)
    return info


def _takes_none(kind: inspect.Type) -> bool:
    return isinstance(kind, inspect.UnionType) and any(
        isinstance(one, inspect.NoneType) for one in kind.types
    )


def _instant(value: str | float) -> int:
    if not isinstance(value, str):
        raise ValueError("an instant is text")  # noqa: TRY004 - as the other two parsers say it
    return from_rfc3339(value)


def _plain(value: object) -> str:
    return quoted(value) if isinstance(value, str) else str(value)


def _in_unit(field_name: str, bound: float) -> str:
    if field_name.endswith("_s"):
        return format_duration(bound)
    if field_name.endswith("_bytes"):
        return format_size(int(bound)).replace(" ", "")
    if field_name.endswith("_percent"):
        return format_percent(bound)
    return f"{bound:g}"
