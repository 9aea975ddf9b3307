"""Unpacks wheels into one flat folder that serves several Pythons.

Binary modules carry the Python they are for in their names (`_x.cpython-313-x86_64-linux-gnu.so`,
`_x.abi3.so`), and every other file has to be the same in all wheels of a library. Where that does
not hold there is nothing to ship, so it is an error.
"""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Final

_SCHEMES: Final = ("purelib", "platlib")
_UNUSED: Final = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
"""Files of a dist-info that tell of an installation by pip."""


class ConflictError(Exception):
    """Two wheels have different files of the same name."""


def members(archive: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    """What a wheel, or the sources of a pure library, put into a folder of libraries."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            for info in wheel.infolist():
                path = None if info.is_dir() else _place(PurePosixPath(info.filename))
                if path is not None:
                    yield path, wheel.read(info)
        return
    name, _, version = archive.name.removesuffix(".tar.gz").rpartition("-")
    dist_info = PurePosixPath(f"{name}-{version}.dist-info")
    with tarfile.open(archive) as sources:
        for member in sources:
            inside = PurePosixPath(*PurePosixPath(member.name).parts[1:])
            file = sources.extractfile(member) if member.isfile() else None
            if file is None:
                continue
            if inside.parts[0] == name and inside.suffix == ".py":
                yield inside, file.read()
            elif str(inside) == "PKG-INFO":
                yield dist_info / "METADATA", file.read()
            elif inside.name.startswith("LICENSE"):
                yield dist_info / "licenses" / inside.name, file.read()


def merge(archives: Iterable[Path], folder: Path) -> None:
    """Unpack all into a folder.

    Raises:
        ConflictError: two of them have another file at the same place.
    """
    source: dict[PurePosixPath, str] = {}
    for archive in archives:
        for inside, data in members(archive):
            path = folder / inside
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
                source[inside] = archive.name
            elif path.read_bytes() != data and not _tells_of_the_build(inside):
                raise ConflictError(f"{inside} is one file in {source[inside]}, and another one "
                                    f"in {archive.name}")  # fmt: skip


def _place(path: PurePosixPath) -> PurePosixPath | None:
    """Where a file of a wheel goes; None for what is of no use there."""
    first, *rest = path.parts
    if first.endswith(".data"):
        if not rest or rest[0] not in _SCHEMES:
            return None
        path = PurePosixPath(*rest[1:])
    if path.parts[0].endswith(".dist-info") and path.name in _UNUSED:
        return None
    return None if "tests" in path.parts[:-1] else path


def _tells_of_the_build(path: PurePosixPath) -> bool:
    """Whether a file only says for which Python its wheel was built."""
    in_dist_info = path.parts[0].endswith(".dist-info")
    return in_dist_info and (path.name == "WHEEL" or "sboms" in path.parts)
