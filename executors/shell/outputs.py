"""The output files of a run, before its process has them."""

from __future__ import annotations

import os

from tocsin.execution import Sink
from tocsin.executors.output_files import APPEND, FILE_MODE, OutputFiles
from tocsin.executors.refusal import CannotStart


def names_of(sink: Sink) -> tuple[str, str]:
    """The paths of both, for a process that appends to them."""
    # Path objects cost more than all else that is Python in a spawn.
    if isinstance(sink, OutputFiles):
        return sink.lend()
    return os.fspath(sink.stdout), os.fspath(sink.stderr)


def made_ready(out: str, err: str) -> int:
    """Make both files, private whatever umask follows; the size of the second.

    Raises:
        CannotStart: one of them is out of reach.
    """
    size = 0
    for path in (out, err):
        try:
            fd = os.open(path, APPEND | os.O_CLOEXEC, FILE_MODE)
        except OSError as error:
            name = os.path.basename(path)  # noqa: PTH119
            raise CannotStart(f"the output file {name}: {error.strerror}") from error
        size = os.fstat(fd).st_size
        os.close(fd)
    return size
