"""A folder beside a file that is being made: the file appears whole, or not at all.

A process that is killed leaves its folder behind; the next one that works beside it removes it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tocsin import clock
from tocsin.instants import SECOND_US

_SUFFIX: Final = ".tocsin-part"
_YOUNG_S: Final = 60.0
"""One that is younger may not be locked yet by who made it."""


@contextmanager
def workshop(parent: Path, name: str, *, is_alone: bool = False) -> Iterator[Path]:
    """A folder of ours alone, mode 0700, that is gone afterwards.

    Args:
        parent: where it is.
        name: a part of its own name.
        is_alone: nobody else can be at work in `parent` now.

    Raises:
        OSError: it cannot be made.
    """
    _clear(parent, 0.0 if is_alone else _YOUNG_S)
    folder = parent / f".{name}.{clock.new_ulid()}{_SUFFIX}"
    folder.mkdir(mode=0o700)
    try:
        with _locked(folder):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder.

    Raises:
        BlockingIOError: another process does.
    """
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(fd)


def _clear(parent: Path, young_s: float) -> None:
    """Remove what killed processes left."""
    old_s = clock.now_us() / SECOND_US - young_s
    for folder in parent.glob(f".*{_SUFFIX}"):
        with contextlib.suppress(OSError):  # it is in use, or somebody else's
            if folder.lstat().st_mtime <= old_s:
                with _locked(folder):
                    shutil.rmtree(folder)
