"""The whole log of a run, given to a pager or saved."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from textual.app import App, SuspendNotSupported

from tocsin.tui import log_file
from tocsin.tui.log_reader import LogReader
from tocsin.tui.messages import Said
from tocsin.units import format_size


async def page_through(app: App[None], reader: LogReader, run_id: str) -> Said | None:
    """Let the user read it in the pager; what went wrong.

    Raises:
        LinkError, RequestError: it cannot be had.
        OSError: it cannot be put into a file for the pager.
    """
    with log_file.passing_file(run_id) as (path, file):
        whole = await reader.copy(
            lambda piece: log_file.write(file, piece), log_file.PAGER_BYTES_MAX
        )
        if not whole:
            file.write(b"\n-- there is more: save the log to have all of it --\n")
        file.flush()
        return _hand_over(app, [*log_file.pager(os.environ), path])


def _hand_over(app: App[None], command: list[str]) -> Said | None:
    """Run a program on the terminal. Everything stands still meanwhile: it would draw over it."""
    try:
        with app.suspend():
            subprocess.run(command, check=False)  # noqa: S603 - the user's own pager
    except SuspendNotSupported:
        return Said("pager: this terminal cannot be given to it", failed=True)
    except OSError as error:
        return Said(f"pager: {command[0]}: {error.strerror}", failed=True)
    return None


async def save(reader: LogReader, run_id: str, folder: str) -> Said:
    """Save it in a folder, or in the current directory; where it is.

    Raises:
        LinkError, RequestError: it cannot be had.
        OSError: it cannot be written there.
    """
    path, file = log_file.open_kept(_folder(folder), run_id)
    with file:
        await reader.copy(lambda piece: log_file.write(file, piece), log_file.FILE_BYTES_MAX)
        return Said(f"✓ saved {format_size(file.tell())} to {path}")


def _folder(name: str) -> Path:
    return Path(name).expanduser() if name else Path.cwd()
