"""What a Cronicle export or an answer of its API holds: events, and what they refer to."""

from __future__ import annotations

import re
from typing import Any, Final

from tocsin.errors import ConfigError
from tocsin.importing.doubt import Doubts, Place
from tocsin.importing.draft import Source
from tocsin.importing.json_text import read_json

_RECORD: Final = re.compile(r"(\w[\w\-./]*)\s+-\s+(\{.+\})\s*")
_PAGE: Final = re.compile(r"global/(\w+)/\d+")
_EXPECTED: Final = "expected control.sh export, or the JSON of get_schedule or get_event"
_USED: Final = frozenset({"schedule", "plugins", "categories", "server_groups"})


class Holding:
    """The events of all files, and plugins, categories, groups and servers by their id."""

    def __init__(self) -> None:
        self.events: list[tuple[dict[str, Any], Place]] = []
        self.plugins: dict[str, dict[str, Any]] = {}
        self.categories: dict[str, dict[str, Any]] = {}
        self.groups: dict[str, dict[str, Any]] = {}
        self.hosts: set[str] = set()

    def read(self, source: Source, doubts: Doubts) -> None:
        """Take what a file holds.

        Raises:
            ConfigError: it is neither an export nor such an answer; names the line.
        """
        if source.text.lstrip().startswith(("{", "[")):
            self._answer(read_json(source.text, source.name), source.name)
            return
        passed_over: dict[str, int] = {}
        for number, line in enumerate(source.text.splitlines(), 1):
            if line.strip() and not line.startswith("#"):
                self._record(line, Place(source.name, number), passed_over)
        for kind, count in passed_over.items():
            doubts.note(Place(source.name), f"{count} records {kind}", "left out: they are no jobs")

    def _record(self, line: str, place: Place, passed_over: dict[str, int]) -> None:
        found = _RECORD.fullmatch(line)
        if found is None:
            raise ConfigError(
                f"{place.source}:{place.line}: this is no record KEY - JSON of Cronicle", _EXPECTED
            )
        value = read_json(found[2], place.source, first_line=place.line or 1)
        page = _PAGE.fullmatch(found[1])
        items = value.get("items") if isinstance(value, dict) else None
        if page is None or not isinstance(items, list):
            if not found[1].startswith("global/"):
                kind = found[1].partition("/")[0]
                passed_over[kind] = passed_over.get(kind, 0) + 1
            return
        if page[1] == "servers":
            self.hosts |= {str(one.get("hostname", "")) for one in items if isinstance(one, dict)}
        elif page[1] not in _USED:
            passed_over[page[1]] = passed_over.get(page[1], 0) + len(items)
        for item in items if page[1] in _USED else ():
            self._item(page[1], item, place)

    def _item(self, kind: str, item: object, place: Place) -> None:
        if not isinstance(item, dict):
            raise ConfigError(f"{place.source}:{place.line}: an item of {kind} is no object")
        if kind == "schedule":
            self.events.append((item, place))
            return
        by_id = {"plugins": self.plugins, "categories": self.categories}.get(kind, self.groups)
        by_id[str(item.get("id", ""))] = item

    def _answer(self, value: object, name: str) -> None:
        match value:
            case {"rows": list() as rows}:
                items = rows
            case {"event": dict() as event}:
                items = [event]
            case list():
                items = value
            case {"code": code, "description": str() as why} if code not in {0, "0"}:
                raise ConfigError(f"{name}: Cronicle answered with an error: {why}")
            case dict() if "plugin" in value or "timing" in value:
                items = [value]
            case _:
                raise ConfigError(f"{name}: this holds no events of Cronicle", _EXPECTED)
        for number, item in enumerate(items, 1):
            if not isinstance(item, dict) or not ("plugin" in item or "timing" in item):
                raise ConfigError(f"{name}: item {number} is no event of Cronicle", _EXPECTED)
            self.events.append((item, Place(name)))
