"""The whole log of a run, given to a pager or saved."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Final

from textual.app import App, SuspendNotSupported

from tocsin.tui import log_file
from tocsin.tui.log_reader import LogReader
from tocsin.tui.messages import Said
from tocsin.units import format_size

_ITS_OWN: Final = (signal.SIGINT, signal.SIGQUIT)


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
        return await _hand_over(app, [*log_file.pager(os.environ), path])


async def _hand_over(app: App[None], command: list[str]) -> Said | None:
    """Run a program on the terminal; meanwhile all goes on but the drawing."""
    try:
        with app.suspend(), app.batch_update():
            await _in_foreground(command)
    except SuspendNotSupported:
        return Said("pager: this terminal cannot be given to it", failed=True)
    except OSError as error:
        return Said(f"pager: {command[0]}: {error.strerror}", failed=True)
    return None


async def _in_foreground(command: list[str]) -> None:
    # What is typed to interrupt the pager is for the pager: it has the terminal.
    kept = {number: signal.signal(number, signal.SIG_IGN) for number in _ITS_OWN}
    try:
        child = os.posix_spawnp(  # noqa: ASYNC221 - it starts the program, and waits for nothing
            command[0], command, os.environ, setsigdef=list(_ITS_OWN)
        )
        await asyncio.to_thread(os.waitpid, child, 0)
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


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
