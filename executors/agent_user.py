"""The user of an agent that is not root, while the hosts of its executors are units, and root's.

Such an agent has to read, trim and delete what a host makes in the agent's own folders.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from typing import NamedTuple

from .output_files import APPEND, FILE_MODE


class AgentUser(NamedTuple):
    """Whom things are given to, by number."""

    uid: int
    gid: int

    def give(self, path: str) -> None:
        """Make a file or a socket the agent's.

        Raises:
            OSError: it cannot be.
        """
        os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def give_folder(self, path: str) -> None:
        """Make a folder the agent's, if there is one."""
        with contextlib.suppress(FileNotFoundError):
            self.give(path)

    def make_files(self, names: Iterable[str]) -> None:
        """Make empty files that are the agent's; who writes to them says where that fails."""
        for name in names:
            with contextlib.suppress(OSError):
                fd = os.open(name, APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, FILE_MODE)
                try:
                    os.fchown(fd, self.uid, self.gid)
                finally:
                    os.close(fd)


def agent_of(run_dir: str) -> AgentUser | None:
    """The user of the agent that a folder belongs to; None where nothing can or need be given."""
    if os.geteuid() != 0:
        return None
    found = os.stat(run_dir)  # noqa: PTH116 - a path less
    return AgentUser(found.st_uid, found.st_gid) if found.st_uid else None
