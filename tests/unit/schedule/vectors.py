"""The conformance vectors: due times that other engines' own tests assert."""

from __future__ import annotations

import json
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent / "data"


def load(name: str) -> list[Any]:
    """The vectors of one file; its `meta` names source and licence."""
    return section(name, "vectors")


def section(name: str, part: str) -> list[Any]:
    """One list of a file."""
    vectors: list[Any] = json.loads((_FOLDER / f"{name}.json").read_text())[part]
    return vectors


def zone_of(vector: Any) -> str:
    """The zone of a vector; a fixed offset is given as a zone that has had no other since 1946."""
    zone: str = vector["tz"] or "UTC"
    return "Asia/Kolkata" if zone == "fixed:+05:30" else zone


def moment(text: str, zone: tzinfo = UTC) -> datetime:
    """An instant as the vectors write it: in `zone` when no offset is given."""
    written = datetime.fromisoformat(text)
    return written if written.tzinfo else written.replace(tzinfo=zone)
