"""On which machine an agent's key was made: a copy of it has the key, and another machine-id(5)."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Final

MACHINE_ID: Final = Path("/etc/machine-id")
_NAME: Final = "machine-id"


def mark_of(source: Path = MACHINE_ID) -> str:
    """This machine's own id; empty where it has none."""
    try:
        return source.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def write_mark(folder: Path) -> Path | None:
    """Note beside an agent's data on which machine they were made; None where that has no id."""
    mark = mark_of()
    if not mark:
        return None
    path = folder / _NAME
    path.write_text(f"{mark}\n", encoding="ascii")
    path.chmod(0o600)
    return path


def read_mark(folder: Path) -> str | None:
    """What was noted there; None when nothing was."""
    with contextlib.suppress(OSError):
        return (folder / _NAME).read_text(encoding="ascii", errors="replace").strip()
    return None
