"""What the process that looks at an executor tells whoever asked it to."""

from __future__ import annotations

import msgspec

from .specimen import Specimen
from .verdict import Result


class Turn(msgspec.Struct, frozen=True, tag="turn"):
    """A check is about to be made: who hangs or dies from here on does so in it."""

    check: str


class Subject(msgspec.Struct, frozen=True, kw_only=True, tag="subject"):
    """The executor that the checks are made on. The last thing told."""

    use: str
    """`module:Class`."""
    name: str
    summary: str = ""
    capabilities: list[str] = []
    specimen: Specimen | None = None


class NoSubject(msgspec.Struct, frozen=True, tag="none"):
    """There is no executor that a host could run. In place of the subject."""


Told = Turn | Result | Subject | NoSubject
