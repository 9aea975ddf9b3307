"""What systemd is told of a daemon that it started: that it is ready, alive, and how it is.

See sd_notify(3). Without `NOTIFY_SOCKET` in the environment all of it does nothing. Nothing here
waits or raises.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from typing import Final

from tocsin.instants import SECOND_US

LOOK_US: Final = SECOND_US
"""The status is looked at so often at most."""
_BEATS: Final = 3
"""Signs of life within the time after which systemd ends a daemon that gives none."""


def reload_signals() -> list[int]:
    """What asks a daemon to read its settings again; where a person looks on, it means goodbye."""
    return [] if os.isatty(0) else [signal.SIGHUP]


class ServiceManager:
    """Systemd, as one daemon sees it. Instants are on the steady clock.

    `beat` belongs into the loop that does the work, and nowhere else: a loop that hangs is to be
    missed.
    """

    def __init__(self, environ: Mapping[str, str], own_pid: int) -> None:
        self._notifier = None
        self._period_us: int | None = None
        self._beat_us = self._look_us = 0
        self._status = ""
        if environ.get("NOTIFY_SOCKET"):
            from sdnotify import SystemdNotifier

            self._notifier = SystemdNotifier()
            if self._notifier.socket is not None:
                self._notifier.socket.settimeout(0)
            self._period_us = _period_us(environ, own_pid)

    def ready(self, status: str) -> None:
        """It does its work now, or again."""
        self._tell("READY=1", self._said(status))

    def reloading(self, at_us: int) -> None:
        """It reads its settings again, until it is `ready`."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={at_us}")

    def stopping(self) -> None:
        """It comes to its end."""
        self._tell("STOPPING=1", self._said("ending"))

    def beat(self, at_us: int, status: Callable[[], str]) -> None:
        """Give a sign of life when it is time for one, and the status when it has changed.

        What is told may be lost while systemd reads nothing, so each sign of life has the status.
        """
        if self._notifier is None:
            return
        is_due = self._period_us is not None and at_us >= self._beat_us
        if not is_due and at_us < self._look_us:
            return
        self._look_us = at_us + LOOK_US
        said = status()
        if is_due:
            self._beat_us = at_us + (self._period_us or 0)
            self._tell("WATCHDOG=1", self._said(said))
        elif said != self._status:
            self._tell(self._said(said))

    def deadline_us(self) -> int | None:
        """When `beat` is next needed."""
        return self._beat_us if self._period_us is not None else None

    def close(self) -> None:
        """Tell no more."""
        if self._notifier is not None and self._notifier.socket is not None:
            self._notifier.socket.close()

    def _said(self, status: str) -> str:
        self._status = status
        return "STATUS=" + " ".join(status.split())

    def _tell(self, *lines: str) -> None:
        if self._notifier is not None:
            self._notifier.notify("\n".join(lines))


def _period_us(environ: Mapping[str, str], own_pid: int) -> int | None:
    """How long may lie between two signs of life; None when nobody waits for them."""
    wanted, whose = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", str(own_pid))
    if not wanted.isdecimal() or not int(wanted) or whose != str(own_pid):
        return None
    return max(int(wanted) // _BEATS, 1)
