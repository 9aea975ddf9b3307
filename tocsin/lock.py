"""One process to a directory: a lock file that names its holder, see flock(2)."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from tocsin.errors import ConfigError


class DirectoryLock:
    """Held from construction until `release`, or until the process ends in whatever way.

    Raises:
        ConfigError: another process holds it; the message has its pid.
    """

    def __init__(self, path: Path, what: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._fd, 20, 0).decode(errors="replace").strip() or "unknown"
            os.close(self._fd)
            raise ConfigError(
                f"{what} with pid {holder} already uses {path.parent}",
                f"end it first (kill {holder}), or choose another directory",
            ) from None
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let another process have it."""
        os.close(self._fd)
