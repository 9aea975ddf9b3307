"""Descriptors for thousands of runs at once, of which the runs themselves notice nothing."""

from __future__ import annotations

import contextlib
import resource
from typing import Final

WANTED: Final = 65_536


class DescriptorLimit:
    """Raises the host's own soft limit; what it spawns is to have the one that was there before.

    A run holds a descriptor, and a host under systemd may have 1024. A program that uses select(2)
    must not find itself with more.
    """

    def __init__(self) -> None:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
        self._before, self._own = (soft, hard), (most, hard)
        self.is_raised = 0 <= soft < most
        self.raise_own()

    def raise_own(self) -> None:
        """Have as many as there may be."""
        if self.is_raised:
            with contextlib.suppress(OSError, ValueError):  # a sandbox may forbid it
                resource.setrlimit(resource.RLIMIT_NOFILE, self._own)

    def lower(self) -> None:
        """Have what was there before, for what is spawned now; descriptors that are open stay."""
        if self.is_raised:
            resource.setrlimit(resource.RLIMIT_NOFILE, self._before)
