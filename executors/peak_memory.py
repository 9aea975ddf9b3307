"""How much memory a process needed at most, as far as the kernel's figure is its own.

Until its exec a spawned process shares its parent's memory, and the kernel counts the parent's
high-water mark as the child's (getrusage(2), `ru_maxrss`). So only what lies above that mark is
known to be the child's. The mark of a process is `VmHWM` in proc(5); its own `ru_maxrss` will not
do, for that remembers what stood in the process before *its* exec.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

SLACK_KIB: Final = 1024
MARK: Final = re.compile(rb"^VmHWM:\s+(\d+) kB", re.MULTILINE)


class PeakMemory:
    """Tells the peaks of this process's children; looks at its own only when it matters."""

    def __init__(self) -> None:
        self._mark_kib = 0

    def of_child(self, maxrss_kib: int) -> int | None:
        """Bytes, from a child's `ru_maxrss`; None when it may be this process's own."""
        if maxrss_kib > self._mark_kib + SLACK_KIB:
            self._mark_kib = _own_mark_kib()
        return maxrss_kib * 1024 if maxrss_kib > self._mark_kib + SLACK_KIB else None


def _own_mark_kib() -> int:
    match = MARK.search(Path("/proc/self/status").read_bytes())
    assert match is not None, "proc(5) has VmHWM since Linux 2.6"
    return int(match[1])
