"""A draft: a job as it will stand in the file, and all that an import gives."""

from __future__ import annotations

from typing import Any

import msgspec

from tocsin.importing.doubt import Doubt, Place


class Source(msgspec.Struct, frozen=True):
    """One file of the input: its path as it was given, and its text."""

    name: str
    text: str


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the input cannot say and the user may.

    `timezone` is the zone of the scheduler that is left, `timezone_from` says how it is known.
    `host` is the only agent that may run the jobs, when there is one; `prefix` goes before names.
    """

    timezone: str = "UTC"
    timezone_from: str = ""
    host: str = ""
    prefix: str = ""


class Draft(msgspec.Struct, kw_only=True):
    """One job: `block` is what stands below its name.

    A draft that is `held`, for the reason given, is written as a comment. `comments` stood above it
    in the input without belonging to it.
    """

    name: str
    place: Place
    block: dict[str, Any]
    comments: list[str] = []
    held: str = ""


class Imported(msgspec.Struct, kw_only=True):
    """All drafts of an import and all doubts about it; `comments` are what stood below them."""

    drafts: list[Draft]
    doubts: list[Doubt]
    comments: list[str] = []
