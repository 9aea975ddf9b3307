"""What `tocsin executor check` is asked to look at: an executor's name, a module, or a folder."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tocsin.errors import ConfigError
from tocsin.execution import ENTRY_POINT_GROUP


class Target(NamedTuple):
    """Where an executor is to be found."""

    use: str
    """`module:Class`, or `module` where the class is to be found in it."""
    folder: str = ""
    """What must be on the path for it to import; empty: nothing more."""


def find_target(text: str, installed: Mapping[str, str]) -> Target:
    """What a text stands for; `installed` has the entry points, each name with its `module:Class`.

    A path is told by a `/`, a `.` alone, or a folder or file of that name; `PATH:Class` chooses.

    Raises:
        ConfigError: it is a path to something that is no package.
    """
    if text in installed:
        return Target(installed[text])
    place, _, chosen = text.partition(":")
    path = Path(place)
    if "/" in place or place in {".", ".."} or path.exists():
        return _in_path(path.resolve(), chosen)
    return Target(text)


def _in_path(path: Path, chosen: str) -> Target:
    if path.suffix == ".py" and path.is_file():
        return _module(path.with_suffix(""), chosen)
    if not path.is_dir():
        raise ConfigError(f"there is nothing at {path}", "name a package's folder, or its module")
    if (path / "__init__.py").exists():
        return _module(path, chosen)
    if (path / "pyproject.toml").exists():
        return _project(path, chosen)
    raise ConfigError(
        f"{path} is no package: neither pyproject.toml nor __init__.py is in it",
        "to begin one: tocsin executor new NAME",
    )


def _module(path: Path, chosen: str) -> Target:
    """A module or a package, with the packages that it is in."""
    names = [path.name]
    while (path.parent / "__init__.py").exists():
        path = path.parent
        names.insert(0, path.name)
    return Target(_joined(".".join(names), chosen), str(path.parent))


def _project(path: Path, chosen: str) -> Target:
    """A folder with a pyproject.toml: its entry points say what is in it."""
    source = path / "src" if (path / "src").is_dir() else path
    points = _entry_points(path / "pyproject.toml")
    if chosen:
        points = {name: use for name, use in points.items() if use.endswith(f":{chosen}")}
    if len(points) == 1:
        return Target(next(iter(points.values())), str(source))
    if points:
        uses = ", ".join(sorted(points.values()))
        raise ConfigError(f"{path} has several executors: {uses}", f"choose: {path}:CLASS")
    what = f"no class {chosen}" if chosen else "no executor"
    raise ConfigError(
        f"{path}/pyproject.toml names {what}",
        f'add a line NAME = "MODULE:CLASS" to [project.entry-points."{ENTRY_POINT_GROUP}"]',
    )


def _entry_points(file: Path) -> dict[str, str]:
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file}: {error}") from error
    found: Any = data
    for key in ("project", "entry-points", ENTRY_POINT_GROUP):
        found = found.get(key) if isinstance(found, dict) else None
    table = found if isinstance(found, dict) else {}
    return {name: use.replace(" ", "") for name, use in table.items() if isinstance(use, str)}


def _joined(module: str, chosen: str) -> str:
    return f"{module}:{chosen}" if chosen else module
