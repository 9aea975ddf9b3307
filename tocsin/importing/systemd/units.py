"""Unit files: sections and settings with their lines, drop-ins merged, templates instantiated."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from tocsin.errors import ConfigError
from tocsin.importing.doubt import Place
from tocsin.importing.draft import Source

_SECTION: Final = re.compile(r"\[([^\]]+)\]")
_TRUE: Final = frozenset({"1", "yes", "y", "true", "t", "on"})


class Setting(msgspec.Struct, frozen=True):
    """One assignment of a unit file."""

    section: str
    key: str
    value: str
    place: Place


class Unit:
    """The settings of one unit, its drop-ins included; what nobody asked for can be listed."""

    def __init__(self, name: str, path: str, settings: list[Setting]) -> None:
        self.name = name
        self.path = path
        self._settings = settings
        self._asked: set[tuple[str, str]] = set()

    @property
    def place(self) -> Place:
        """The unit's own file."""
        return Place(self.path)

    @property
    def stem(self) -> str:
        """The name without its type."""
        return self.name.rpartition(".")[0]

    @property
    def instance(self) -> str:
        """What stands between `@` and the type."""
        return self.stem.partition("@")[2]

    @property
    def is_template(self) -> bool:
        """Whether it only becomes a unit with an instance."""
        return self.stem.endswith("@")

    @property
    def of_user(self) -> bool:
        """Whether it belongs to a user's service manager."""
        return "systemd/user" in self.path

    def all(self, section: str, key: str) -> list[Setting]:
        """The assignments of a list; an empty one forgets those before it."""
        self._asked.add((section, key))
        found: list[Setting] = []
        for setting in self._settings:
            if (setting.section, setting.key) == (section, key):
                found = [*found, setting] if setting.value else []
        return found

    def last(self, section: str, key: str) -> Setting | None:
        """The assignment that counts for a single value; None when there is none."""
        found = self.all(section, key)
        return found[-1] if found else None

    def text(self, section: str, key: str) -> str:
        """The value that counts; empty when there is none."""
        found = self.last(section, key)
        return found.value if found else ""

    def truth(self, section: str, key: str) -> bool:
        """Whether a setting is yes."""
        return self.text(section, key).lower() in _TRUE

    def left(self) -> list[Setting]:
        """The settings that nobody asked for."""
        return [one for one in self._settings if (one.section, one.key) not in self._asked]


class Units:
    """All units of the input by name."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self._files: dict[str, list[Source]] = {}
        self._drop_ins: dict[str, list[Source]] = {}
        self.enabled: set[str] = set()
        """The names that stand in folders `*.wants`."""
        self.twice: list[tuple[str, str]] = []
        """Files of a unit that another file, named behind it, takes the place of."""
        for source in sources:
            folder, name = posixpath.split(source.name)
            if folder.endswith((".wants", ".requires")):
                self.enabled.add(name)
            elif folder.endswith(".d"):
                owner = posixpath.basename(folder).removesuffix(".d")
                self._drop_ins.setdefault(owner, []).append(source)
            else:
                self._files.setdefault(name, []).append(source)
        for files in self._files.values():
            files.sort(key=lambda one: _rank(one.name))
            self.twice += [(one.name, files[0].name) for one in files[1:]]

    def names(self, suffix: str) -> list[str]:
        """The units of one type, templates included, in the order of the input."""
        return [name for name in self._files if name.endswith(suffix)]

    def get(self, name: str) -> Unit | None:
        """A unit, from its own file or that of its template; None when there is no file.

        Raises:
            ConfigError: a file of it is no unit file; names the line.
        """
        stem, _, kind = name.rpartition(".")
        template = f"{stem.partition('@')[0]}@.{kind}" if "@" in stem else name
        owner = name if name in self._files else template
        if owner not in self._files:
            return None
        file = self._files[owner][0]
        drop_ins = {
            posixpath.basename(one.name): one
            for part in (template, name)
            for one in self._drop_ins.get(part, ())
        }
        settings = list(_settings(file))
        for base in sorted(drop_ins):
            settings += _settings(drop_ins[base])
        return Unit(name, file.name, settings)


def _rank(path: str) -> int:
    """Where systemd looks first: what an administrator wrote goes before what packages brought."""
    for rank, part in enumerate(("/etc/", "/run/", "/usr/local/")):
        if part in path:
            return rank
    return 3


def _settings(source: Source) -> Iterator[Setting]:
    section = ""
    for number, text in _logical_lines(source.text):
        place = Place(source.name, number)
        if found := _SECTION.fullmatch(text):
            section = found[1]
            continue
        key, equals, value = text.partition("=")
        if not equals or not section:
            wrong = "no section stands above it" if equals else "expected KEY=VALUE or [SECTION]"
            raise ConfigError(f"{source.name}:{number}: this is no unit file: {wrong}")
        yield Setting(section, key.strip(), value.strip(), place)


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines with their numbers, continued ones joined by a blank, without comments."""
    joined, first = "", 0
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        body = line.strip()
        if body.startswith(("#", ";")) or (not body and not joined):
            continue
        first = first or number
        if body.endswith("\\"):
            joined += body[:-1].rstrip() + " "
            continue
        if joined + body:
            yield first, (joined + body).strip()
        joined, first = "", 0
    if joined.strip():
        yield first, joined.strip()
