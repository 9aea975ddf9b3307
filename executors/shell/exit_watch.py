"""Sees processes end: one epoll of pidfds, which is one descriptor to the event loop.

Adding a reader to the loop for every process, and removing it, costs ten times as much.
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import Callable


class ExitWatch:
    """Calls back when a process has ended. Make it inside the loop."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._callbacks: dict[int, Callable[[], None]] = {}
        asyncio.get_running_loop().add_reader(self._epoll.fileno(), self._look)

    def add(self, pidfd: int, ended: Callable[[], None]) -> None:
        """Call `ended` when the process of `pidfd` has ended, until it is removed or closed."""
        self._epoll.register(pidfd, select.EPOLLIN)
        self._callbacks[pidfd] = ended

    def remove(self, pidfd: int) -> None:
        """Watch a process no longer."""
        if self._callbacks.pop(pidfd, None):
            self._epoll.unregister(pidfd)

    def closing(self, pidfd: int) -> None:
        """Forget a pidfd that is about to be closed; closing takes it out of an epoll."""
        self._callbacks.pop(pidfd, None)

    def _look(self) -> None:
        for pidfd, _ in self._epoll.poll(0):
            if ended := self._callbacks.get(pidfd):
                ended()
