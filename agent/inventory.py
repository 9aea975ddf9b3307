"""What this machine is, and which executors are installed on it.

Executors are entry points. `importlib.metadata` would find them, and cost a seventh of the
agent's memory for the rest of its life; the files it reads have a simple form, see
packaging.python.org/specifications/entry-points.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator

from tocsin.execution import ENTRY_POINT_GROUP, is_executor_name


def machine_tags() -> dict[str, str]:
    """The tags that every agent has."""
    system = os.uname()
    return {"host": system.nodename, "os": system.sysname.lower(), "arch": system.machine}


def installed_executors(folders: Iterable[str] | None = None) -> list[str]:
    """The names of all executors that packages in the folders of `sys.path` bring, sorted."""
    names: set[str] = set()
    for folder in sys.path if folders is None else folders:
        for text in _entry_point_files(folder or "."):
            names.update(_names(text))
    return sorted(names)


def _entry_point_files(folder: str) -> Iterator[str]:
    try:
        entries = os.listdir(folder)  # noqa: PTH208 - names are all that is wanted
    except OSError:
        return
    for entry in entries:
        if entry.endswith((".dist-info", ".egg-info")):
            try:
                with open(f"{folder}/{entry}/entry_points.txt", encoding="utf-8") as file:  # noqa: PTH123 - a path less
                    yield file.read()
            except (OSError, UnicodeDecodeError):
                continue


def _names(text: str) -> Iterator[str]:
    inside = False
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("["):
            inside = line == f"[{ENTRY_POINT_GROUP}]"
        elif inside and "=" in line and not line.startswith(("#", ";")):
            name = line.partition("=")[0].strip()
            if is_executor_name(name):
                yield name
