"""How an action is undone: the command to run, and what it needs to find."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from tocsin import clock
from tocsin.config import find_places
from tocsin.errors import ConfigError
from tocsin.jobfile import JobSet, set_to_file
from tocsin.model import Job

KEPT_MAX: Final = 100
_NAMED_MAX: Final = 20


def command(*words: str) -> str:
    """A command line that a shell reads back as these words."""
    return shlex.join(("tocsin", *words))


def keep(jobs: Iterable[Job]) -> str:
    """Keep the definitions of jobs; see `keep_set`."""
    return keep_set(JobSet(list(jobs)))


def keep_set(old: JobSet) -> str:
    """Keep definitions as a job file; the command that puts them back.

    Raises:
        ConfigError: the file cannot be written.
    """
    return command("apply", str(_written(old)))


def removal(jobs: list[Job]) -> str:
    """The command that removes jobs; it names a file of them when they are many.

    Raises:
        ConfigError: the file cannot be written.
    """
    if len(jobs) <= _NAMED_MAX:
        return command("job", "rm", *(job.name for job in jobs))
    return command("job", "rm", "--in", str(_written(JobSet(jobs))))


def _written(old: JobSet) -> Path:
    folder = find_places(os.environ).data_dir / "undo"
    path = folder / f"{clock.new_ulid()}.json"
    document = set_to_file(old.jobs, old.calendars, old.pools)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=2))
        path.chmod(0o600)
        _forget_old(folder)
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot keep what an undo needs: {error.strerror}",
            "nothing was changed; TOCSIN_HOME names another directory for such files",
        ) from error
    return path


def _forget_old(folder: Path) -> None:
    """ULIDs sort by time."""
    for path in sorted(folder.glob("*.json"))[:-KEPT_MAX]:
        path.unlink(missing_ok=True)
