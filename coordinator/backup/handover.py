"""A coordinator's directory that was handed over: no coordinator starts there any more."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from tocsin.errors import ConfigError
from tocsin.instants import to_rfc3339

from .durable import Owner, put_text, sync

MARK: Final = "handed-over.json"


class Handover(msgspec.Struct, frozen=True, kw_only=True):
    """To which backup a directory was handed over."""

    id: str
    """That of the backup."""
    at_us: int
    file: str
    complete: bool = False
    """False: it was begun; whether there is such a backup is not known."""


def read_handover(data_dir: Path) -> Handover | None:
    """What is said of a directory; None: it was not handed over.

    Raises:
        ConfigError: what is said cannot be read.
    """
    path = data_dir / MARK
    try:
        return msgspec.json.decode(path.read_bytes(), type=Handover)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"{path}: cannot read it: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise ConfigError(
            f"{path}: {error}", "it says that this directory was handed over"
        ) from error


def note_handover(data_dir: Path, handover: Handover, owner: Owner | None) -> None:
    """Have no coordinator start in a directory from now on.

    Raises:
        OSError: it cannot be written.
    """
    put_text(data_dir / MARK, msgspec.json.encode(handover).decode() + "\n", owner)


def forget_handover(data_dir: Path) -> None:
    """Let a coordinator start in a directory again.

    Raises:
        OSError: it cannot be removed.
    """
    (data_dir / MARK).unlink(missing_ok=True)
    sync(data_dir)


def check_not_handed_over(data_dir: Path) -> None:
    """See that a coordinator may start in a directory.

    Raises:
        ConfigError: it was handed over, to what, and how it is taken back.
    """
    found = read_handover(data_dir)
    if found is None:
        return
    at = to_rfc3339(found.at_us)
    if found.complete:
        raise ConfigError(
            f"{data_dir} was handed over at {at} to {found.file}",
            f"start where that was restored; to take it back: tocsin restore {found.file}",
        )
    raise ConfigError(
        f"{data_dir} was being handed over at {at} to {found.file}, and that was cut short",
        f"finish it: tocsin backup --handover {found.file}",
    )
