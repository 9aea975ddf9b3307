"""Files and folders that are there after a power cut, and whose they are."""

from __future__ import annotations

import os
from pathlib import Path

Owner = tuple[int, int]
"""User and group."""


def owner_of(path: Path) -> Owner:
    """Whose a path is."""
    found = path.stat()
    return found.st_uid, found.st_gid


def give(path: Path, owner: Owner | None) -> None:
    """Make a path somebody's; None leaves it as it is."""
    if owner is not None and owner_of(path) != owner:
        os.chown(path, *owner)


def make_folder(path: Path, owner: Owner | None) -> None:
    """Make a folder and those above it that are missing, mode 0700, and somebody's."""
    missing = [each for each in (path, *path.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700)
        give(each, owner)


def sync(path: Path) -> None:
    """Bring a file, or the names in a folder, to the disk."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def put_text(path: Path, text: str, owner: Owner | None) -> None:
    """Write a small file, mode 0600, whole or not at all."""
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(fd, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor
        file.write(text)
        file.flush()
        os.fsync(fd)
    give(draft, owner)
    draft.replace(path)
    sync(path.parent)


def move(source: Path, target: Path) -> None:
    """Rename something within a file system."""
    source.replace(target)
    sync(target.parent)
    if source.parent != target.parent:
        sync(source.parent)
