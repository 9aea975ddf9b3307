"""The output of a run as a file: for a pager, or to be kept."""

from __future__ import annotations

import os
import shlex
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from tocsin.messages.client_answers import OutputPiece
from tocsin.units import format_size

PAGER_BYTES_MAX: Final = 256 << 20
"""The most that is fetched for a pager: it lies in the temporary directory meanwhile."""
FILE_BYTES_MAX: Final = 8 << 30
_MODE: Final = 0o600


def write(file: IO[bytes], piece: OutputPiece) -> None:
    """Append a piece; what was not kept is told in a line of its own."""
    if piece.gap_bytes:
        file.write(f"\n-- {format_size(piece.gap_bytes)} not kept here --\n".encode())
    file.write(piece.data)


@contextmanager
def passing_file(run_id: str) -> Iterator[tuple[str, IO[bytes]]]:
    """A file that only this user can read, and that is gone afterwards."""
    with tempfile.NamedTemporaryFile(prefix=f"tocsin-{run_id}-", suffix=".log") as file:
        os.fchmod(file.fileno(), _MODE)
        yield file.name, file.file


def open_kept(folder: Path, run_id: str) -> tuple[Path, IO[bytes]]:
    """A new file for a run in a folder, that only this user can read.

    Raises:
        OSError: none can be made there.
    """
    for number in range(1, 1000):
        path = folder / (f"{run_id}.log" if number == 1 else f"{run_id}-{number}.log")
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
        except FileExistsError:
            continue
        return path, os.fdopen(descriptor, "wb")
    raise FileExistsError(f"{path} and all like it exist")


def pager(environ: Mapping[str, str]) -> list[str]:
    """The user's pager; `less` shows colours and does not wrap unless it is told otherwise."""
    given = shlex.split(environ.get("PAGER", ""))
    return given or ["less", "-R"]
