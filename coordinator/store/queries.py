"""Finds SQL by name: each `.sql` file under `sql/` holds statements headed `-- name: …`."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Final, NamedTuple

_HEAD: Final = re.compile(r"^-- name: (\w+).*$", re.MULTILINE)


def load_queries(file: str) -> dict[str, str]:
    """The statements of `sql/<file>` by name."""
    text = files(__package__).joinpath("sql", file).read_text(encoding="utf-8")
    parts = _HEAD.split(text)
    return {name: body.strip() for name, body in zip(parts[1::2], parts[2::2], strict=True)}


class Migration(NamedTuple):
    """One numbered step of a schema."""

    number: int
    name: str
    text: str


def load_migrations(folder: str) -> list[Migration]:
    """The steps of the schema in `sql/<folder>`, in order."""
    steps = []
    for entry in files(__package__).joinpath("sql", folder).iterdir():
        number, _, name = entry.name.removesuffix(".sql").partition("_")
        steps.append(Migration(int(number), name, entry.read_text(encoding="utf-8")))
    return sorted(steps)
