"""What a backup says of itself: its first member, `manifest.json`."""

from __future__ import annotations

from typing import Final

import msgspec

from tocsin.coordinator.store.sqlite.copying import SCHEMAS, Holding
from tocsin.errors import ConfigError

FORMAT: Final = 1
NAME: Final = "manifest.json"
COORDINATOR_KEY: Final = "coordinator.key"
ADMIN_KEY: Final = "admin.key"
MEMBERS: Final = (*SCHEMAS, COORDINATOR_KEY, ADMIN_KEY)
"""All that a backup may hold, in the order in which it is there; the databases always are."""


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a backup."""

    name: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """A backup: where it comes from, and what it holds."""

    format: int = FORMAT
    id: str
    """A ULID."""
    made_us: int
    """The moment at which the main database was as it is in here."""
    host: str
    tocsin: str
    """The version that made it."""
    schemas: dict[str, int]
    """The number of the schema of each database."""
    handed_over: bool = False
    """The coordinator was stopped, and does not start again."""
    holds: Holding
    members: list[Member]


def to_json(manifest: Manifest) -> bytes:
    """A manifest as JSON."""
    return msgspec.json.format(msgspec.json.encode(manifest)) + b"\n"


def from_json(data: bytes) -> Manifest:
    """The manifest of a backup.

    Raises:
        ConfigError: it is none that this program understands.
    """
    try:
        version = msgspec.json.decode(data, type=_Head).format
        if version > FORMAT:
            raise ConfigError(
                f"it has format {version}, this program knows {FORMAT}", "take a newer tocsin"
            )
        manifest = msgspec.json.decode(data, type=Manifest)
    except msgspec.MsgspecError as error:
        raise ConfigError(f"its manifest is wrong: {error}") from error
    names = [member.name for member in manifest.members]
    if names != [name for name in MEMBERS if name in names] or not set(SCHEMAS) <= set(names):
        raise ConfigError(f"its manifest names other files than a backup has: {', '.join(names)}")
    return manifest


class _Head(msgspec.Struct):
    format: int
