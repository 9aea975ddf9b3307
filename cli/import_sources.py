"""The files that `tocsin import` reads, and what this machine knows beside them."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tocsin.errors import ConfigError, ScheduleError
from tocsin.importing import Source

STDIN: Final = "-"
_BYTES_MAX: Final = 64 << 20
_LEFT_BY_PACKAGES: Final = (".dpkg-old", ".dpkg-new", ".dpkg-dist", ".rpmsave", ".rpmnew", "~")
_UNITS: Final = (".timer", ".service")


def read_source(name: str, *, hint: str = "") -> Source:
    """A file, or stdin for `-`, as text.

    Raises:
        ConfigError: it cannot be read, is too large, or no UTF-8; names the line.
    """
    shown = "stdin" if name == STDIN else name
    try:
        data = sys.stdin.buffer.read(_BYTES_MAX + 1) if name == STDIN else Path(name).read_bytes()
    except OSError as error:
        raise ConfigError(f"{shown}: {(error.strerror or str(error)).lower()}", hint) from error
    if len(data) > _BYTES_MAX:
        raise ConfigError(f"{shown}: larger than {_BYTES_MAX >> 20} MiB")
    try:
        return Source(shown, data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{shown}:{line}: not UTF-8", f"convert it: iconv -f latin1 -t utf-8 {shown}"
        ) from error


def read_folder(names: Iterable[str]) -> tuple[list[Source], list[str]]:
    """Files, and those of folders such as /etc/cron.d; the names of those passed over."""
    sources, passed_over = [], []
    for name in names:
        if name == STDIN or not Path(name).is_dir():
            sources.append(read_source(name))
            continue
        for path in sorted(Path(name).iterdir()):
            if path.name.startswith(".") or path.name.endswith(_LEFT_BY_PACKAGES):
                passed_over.append(str(path))
            elif path.is_file():
                sources.append(read_source(str(path)))
    return sources, passed_over


def unit_sources(names: Iterable[str]) -> list[Source]:
    """Unit files with their drop-ins; those of a folder, and the service beside a timer.

    A link in a folder `*.wants` that leads nowhere else is a source without text: it says that a
    unit is enabled.
    """
    found: dict[str, Source] = {}
    for name in names:
        path = Path(name)
        if name == STDIN:
            raise ConfigError("units are read from files: their names matter")
        if path.is_file() and path.suffix not in {*_UNITS, ".conf"}:
            raise ConfigError(
                f"{name}: neither a timer nor a service",
                "give .timer and .service files, their drop-ins, or a folder of them",
            )
        paths = sorted(path.rglob("*")) if path.is_dir() else [path, *_beside(path)]
        for one in paths:
            if str(one) not in found and (one == path or _is_part(one)):
                found[str(one)] = _unit(one)
    return list(found.values())


def _beside(path: Path) -> list[Path]:
    """What belongs to a unit file in its own folder."""
    stem = path.name.removesuffix(path.suffix)
    template = f"{stem.partition('@')[0]}@" if "@" in stem else stem
    names = {f"{part}{suffix}" for part in (stem, template) for suffix in _UNITS}
    services = [path.with_name(name) for name in sorted(names) if path.suffix == ".timer"]
    own = [path.with_name(name) for name in sorted({path.name, f"{template}{path.suffix}"})]
    units = [one for one in {*services, *own} - {path} if one.is_file()]
    folders = [one.with_name(f"{one.name}.d") for one in {path, *services, *own}]
    return [*units, *(drop_in for folder in folders for drop_in in sorted(folder.glob("*.conf")))]


def _is_part(path: Path) -> bool:
    if path.parent.name.endswith(".d"):
        return path.suffix == ".conf" and path.is_file()
    if path.parent.name.endswith((".wants", ".requires")):
        return path.suffix == ".timer"
    return path.suffix in _UNITS and path.is_file()


def _unit(path: Path) -> Source:
    if path.parent.name.endswith((".wants", ".requires")):
        return Source(str(path), "")
    return read_source(str(path))


def this_zone(where: Path = Path("/etc/localtime")) -> tuple[str, str]:
    """The time zone of this machine, and in words how it is known; `where` is the link to it."""
    from tocsin.schedule import parse

    zone = str(where.resolve()).partition("/zoneinfo/")[2]
    try:
        parse("@daily", zone or "UTC")
    except ScheduleError:
        zone = ""
    if not zone:
        return "UTC", ", as this machine's zone cannot be told"
    return zone, ", the zone of this machine"
