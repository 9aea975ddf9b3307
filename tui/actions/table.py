"""The table of all actions, with the keys that the user gave them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from tocsin.errors import ConfigError
from tocsin.nearest import did_you_mean

from .action import Action, Place, Situation, allowed
from .agents import AGENTS
from .editing import EDITING
from .events import EVENTS
from .going import GOING, TABS
from .jobs import JOBS
from .log import FOLLOWING, LOG
from .owners import OWNERS
from .runs import RUNS
from .schedule import MAP, OVERVIEW
from .versions import VERSIONS
from .why import WHY

_TABS: Final = len(TABS)
ACTIONS: Final[tuple[Action, ...]] = (
    *MAP, *WHY, *RUNS, *JOBS, *VERSIONS, *EDITING, *AGENTS, *EVENTS,
    *FOLLOWING, *OVERVIEW, *OWNERS, *LOG,
    *GOING[_TABS:-2], *GOING[:_TABS], *GOING[-2:],
)  # fmt: skip
"""In the order of the footer: what is done to things, then going about, then the way out."""


class Table:
    """Which action a key stands for."""

    def __init__(self, keys: Mapping[str, str] | None = None) -> None:
        """Take keys by the ids of actions, where they are not the usual ones.

        Raises:
            ConfigError: there is no such action, or two would share a key in one place.
        """
        given = keys or {}
        known = [action.id for action in ACTIONS]
        for name in given:
            if name not in known:
                raise ConfigError(
                    f"[keys] {name}: there is no such action",
                    did_you_mean(name, known) or "`:` and tab list them",
                )
        self.actions = tuple(
            msgspec.structs.replace(action, key=given.get(action.id, action.key))
            for action in ACTIONS
        )
        self._check(given)

    def _check(self, given: Mapping[str, str]) -> None:
        """A key that was given may be shared by those alone that shared their key before."""
        usual = {action.id: action.key for action in ACTIONS}
        for name, key in given.items():
            mine = next(action for action in self.actions if action.id == name)
            for other in self.actions:
                shared = other.id != name and other.key == key and other.places & mine.places
                if shared and usual[other.id] != usual[name]:
                    raise ConfigError(
                        f"[keys] {name} = {key!r}: that key is {other.name} already",
                        f"give {other.id} another key as well",
                    )

    def by_id(self, name: str) -> Action | None:
        """The action of this id."""
        return next((action for action in self.actions if action.id == name), None)

    def used_keys(self) -> list[str]:
        """All keys that have a meaning somewhere, each once."""
        return list(dict.fromkeys(action.key for action in self.actions if action.key))

    def here(self, at: Situation) -> Iterator[Action]:
        """The actions of a situation, those included that the user may not do."""
        return (action for action in self.actions if at.place in action.places and action.shown(at))

    def offered(self, at: Situation) -> Iterator[Action]:
        """The actions that the keys stand for in a situation, blocked ones included."""
        return (action for action in self.here(at) if allowed(action, at))

    def for_key(self, key: str, at: Situation) -> Action | None:
        """What a key stands for in a situation, whether or not the user may do it."""
        return next((action for action in self.here(at) if action.key == key), None)

    def of_place(self, place: Place) -> Iterator[Action]:
        """All that has a key in a place."""
        return (action for action in self.actions if place in action.places and action.key)
