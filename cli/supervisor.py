"""Keeps child processes alive: what ends without being asked is started again.

A child that ends is started again at once the first time, then after a delay that doubles up to
`DELAY_MAX_S` while it keeps ending young. Children lead sessions of their own, so a ctrl+c at the
terminal reaches their parent alone, which then ends them in order.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tocsin import clock

DELAY_MAX_S: Final = 5.0
YOUNG_S: Final = 10.0
"""A child that lived longer than this is started again at once."""
LOG_BYTES_MAX: Final = 8 << 20


def next_delay_s(lived_s: float, last_delay_s: float) -> float:
    """How long to wait before a child that ended is started again."""
    if lived_s >= YOUNG_S:
        return 0.0
    return min(max(last_delay_s * 2, 0.1), DELAY_MAX_S)


class Child:
    """One supervised process; its output is appended to a log file.

    `environ` holds what its environment has besides ours.
    """

    def __init__(
        self, name: str, argv: list[str], log_file: Path, environ: Mapping[str, str] | None = None
    ) -> None:
        self.name: Final = name
        self.log_file: Final = log_file
        self.pid = 0
        self.pidfd = -1
        self.restarts = 0
        self.due_s = 0.0
        """On the steady clock: when to start it again, while it is not there."""
        self.wanted = True
        self._argv = argv
        self._environ = environ or {}
        self._delay_s = 0.0
        self._born_s = 0.0

    @property
    def alive(self) -> bool:
        """Whether the process is there."""
        return self.pidfd >= 0

    def start(self) -> None:
        """Start the process."""
        self.log_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with contextlib.suppress(OSError):
            if self.log_file.stat().st_size > LOG_BYTES_MAX:
                self.log_file.replace(self.log_file.with_suffix(".log.1"))
        append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self.pid = os.posix_spawn(
            self._argv[0],
            self._argv,
            {**os.environ, **self._environ},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(self.log_file), append, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
            setsigmask=[],
            setsigdef=[signal.SIGINT, signal.SIGTERM],
        )
        self.pidfd = os.pidfd_open(self.pid)
        self._born_s = clock.monotonic_s()

    def reap(self) -> int:
        """Take note of its end; the exit code, negative for a signal."""
        _, status = os.waitpid(self.pid, 0)
        os.close(self.pidfd)
        self.pidfd = -1
        now_s = clock.monotonic_s()
        self._delay_s = next_delay_s(now_s - self._born_s, self._delay_s)
        self.due_s = now_s + self._delay_s
        return os.waitstatus_to_exitcode(status)

    def ask_to_end(self) -> None:
        """SIGTERM, and do not start it again."""
        self.wanted = False
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.pidfd, number)

    def log_tail(self) -> str:
        """The last lines that it logged."""
        try:
            return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-5:])
        except OSError:
            return ""


class Supervisor:
    """Watches children, and starts again what ends."""

    def __init__(self) -> None:
        self._children: list[Child] = []

    def add(self, child: Child) -> Child:
        """Start a child, and keep it alive from now on."""
        child.start()
        self._children.append(child)
        return child

    def tend(self, wait_s: float) -> list[tuple[Child, int]]:
        """Wait for at most `wait_s`; the children that ended, with their exit codes.

        A signal that a Python handler takes ends the wait.
        """
        poller = select.poll()
        by_fd = {child.pidfd: child for child in self._children if child.alive}
        for pidfd in by_fd:
            poller.register(pidfd, select.POLLIN)
        now_s = clock.monotonic_s()
        waiting = [c.due_s - now_s for c in self._children if c.wanted and not c.alive]
        wait_s = max(min([wait_s, *waiting]), 0.0)
        ended = [(by_fd[fd], by_fd[fd].reap()) for fd, _ in poller.poll(wait_s * 1000)]
        now_s = clock.monotonic_s()
        for child in self._children:
            if child.wanted and not child.alive and child.due_s <= now_s:
                child.restarts += 1
                child.start()
        return ended

    def stop(self, child: Child, grace_s: float) -> None:
        """End a child: TERM, and KILL when it is still there after `grace_s`."""
        child.ask_to_end()
        until_s = clock.monotonic_s() + grace_s
        while child.alive and (left_s := until_s - clock.monotonic_s()) > 0:
            self.tend(left_s)
        child.kill()
        while child.alive:
            self.tend(1.0)
