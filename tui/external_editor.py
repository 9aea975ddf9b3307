"""The user's own editor on a text, in the place of the screen.

Started with posix_spawn, not with `subprocess`, which only executors use: it gets the terminal as
it is, and nothing is read from it or written to it.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tocsin import clock
from tocsin.errors import ConfigError

_USUAL: Final = ("editor", "nano", "vi")
_TEXT_BYTES_MAX: Final = 1 << 20


def editor_command(environ: Mapping[str, str]) -> list[str]:
    """The editor and its arguments: VISUAL, EDITOR, or the first of the usual ones.

    Raises:
        ConfigError: there is none, or the variable cannot be read.
    """
    for variable in ("VISUAL", "EDITOR"):
        if environ.get(variable, "").strip():
            try:
                return shlex.split(environ[variable])
            except ValueError as error:
                raise ConfigError(f"{variable} cannot be read: {error}") from error
    found = next((path for name in _USUAL if (path := shutil.which(name))), None)
    if found is None:
        raise ConfigError("there is no editor on this host", "set EDITOR to one")
    return [found]


class EditedFile:
    """A text in a file that the user's editor is let at; mode 0600, gone when it is closed."""

    def __init__(self, folder: Path, name: str) -> None:
        self.path = folder / f"{clock.new_ulid()}-{name.replace('/', '_')[:80]}.yaml"

    def write(self, text: str) -> None:
        """Put a text into the file.

        Raises:
            ConfigError: it cannot be written.
        """
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
            with open(os.open(self.path, flags, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123 - Path cannot open a descriptor
                file.write(text)
        except OSError as error:
            raise ConfigError(f"{self.path}: cannot write it: {error.strerror}") from error

    def read(self) -> str:
        """What the editor left.

        Raises:
            ConfigError: it is no text, too long, or gone.
        """
        try:
            with self.path.open("rb") as file:
                data = file.read(_TEXT_BYTES_MAX + 1)
            if len(data) > _TEXT_BYTES_MAX:
                raise ConfigError("the text is longer than 1 MiB: no job is")
            return data.decode()
        except UnicodeDecodeError as error:
            raise ConfigError("the editor left what is no UTF-8 text") from error
        except OSError as error:
            raise ConfigError(f"{self.path}: cannot read it: {error.strerror}") from error

    def close(self) -> None:
        """Leave nothing behind."""
        with contextlib.suppress(OSError):
            self.path.unlink()


def run_editor(command: list[str], path: Path) -> None:
    """Run an editor on a file, in the foreground, until it is left.

    Raises:
        ConfigError: it cannot be started, or ended otherwise than well.
    """
    # What asks to end while the editor is open is for the editor: it has the terminal.
    kept = {number: signal.signal(number, signal.SIG_IGN) for number in _ITS_OWN}
    try:
        child = os.posix_spawnp(
            command[0], [*command, str(path)], os.environ, setsigdef=list(_ITS_OWN)
        )
        _, status = os.waitpid(child, 0)
    except OSError as error:
        raise ConfigError(
            f"the editor {command[0]} cannot be started: {error.strerror}", "set EDITOR to another"
        ) from error
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
    code = os.waitstatus_to_exitcode(status)
    if code:
        raise ConfigError(f"the editor {command[0]} ended with {code}: nothing was taken over")


_ITS_OWN: Final = (signal.SIGINT, signal.SIGQUIT)
