"""The coordinators that can be watched, by name."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from datetime import tzinfo
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeAlias

import msgspec

from tocsin.config import Context, Places, list_contexts, read_context
from tocsin.errors import ConfigError
from tocsin.keys import read_keypair
from tocsin.link import Hub
from tocsin.nearest import did_you_mean

from .connection import Connection
from .scene import Scene
from .session import Session, Target, Tell
from .sightings import Sighting
from .state import View


class Watched(msgspec.Struct, frozen=True):
    """A coordinator, and how one watches it."""

    name: str
    """For people."""
    make_session: Callable[[Tell], Session]
    """Makes a conversation, given whom to tell."""
    read_only: bool = False
    """Nothing may be changed."""
    careful: bool = False
    """Each change asks, and has the name typed."""

    def scene(
        self,
        view: View,
        connection: Connection,
        now_us: int,
        zone: tzinfo | None,
        read_only: bool,  # noqa: FBT001 - of the settings
        sightings: tuple[Sighting, ...] = (),
    ) -> Scene:
        """What there is to draw; `read_only` says that the settings forbid all changes."""
        return Scene(
            self.name,
            view,
            connection,
            now_us,
            zone,
            read_only=read_only or self.read_only,
            careful=self.careful,
            sightings=sightings,
        )


class Begun(NamedTuple):
    """A conversation that is under way."""

    session: Session
    talk: asyncio.Task[None]
    """Runs it."""


Contexts: TypeAlias = Mapping[str, Callable[[], Watched]]
"""What makes a conversation with each; raises ConfigError where its file or key is wrong."""


def watched(context: Context, hub: Hub) -> Watched:
    """The coordinator of a context.

    Raises:
        ConfigError: its key cannot be read.
    """
    target = Target(context.endpoint, context.server_key, read_keypair(context.key_file))
    return Watched(
        context.name,
        lambda tell: Session(hub, target, tell),
        read_only=context.read_only,
        careful=context.careful,
    )


def choose(contexts: Contexts, name: str) -> Watched:
    """The coordinator of this name.

    Raises:
        ConfigError: there is none, or its file or key is wrong.
    """
    make = contexts.get(name)
    if make is None:
        hint = did_you_mean(name, contexts) or f"there are {', '.join(contexts) or 'no others'}"
        raise ConfigError(f"there is no context {name!r}", hint)
    return make()


def known_contexts(first: Context, places: Places, hub: Hub) -> Contexts:
    """Those that can be named, the one that is begun with, and the usual one."""
    known: dict[str, Callable[[], Watched]] = {}
    with contextlib.suppress(ConfigError):
        usual = read_context(places.context_file)
        known[usual.name] = partial(watched, usual, hub)
    known[first.name] = partial(watched, first, hub)
    for name, path in list_contexts(places).items():
        known[name] = partial(_read, path, hub)
    return known


def _read(path: Path, hub: Hub) -> Watched:
    return watched(read_context(path), hub)
