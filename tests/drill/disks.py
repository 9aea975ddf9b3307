"""Small disks that can be filled: a tmpfs for the state of each member."""

from __future__ import annotations

import contextlib
import os
import subprocess
from pathlib import Path
from typing import Final

STUFFING: Final = "stuffing"
_CHUNK: Final = bytes(1 << 16)


class Disks:
    """The disks of a drill. Without the right to mount there are none, and nothing can be full."""

    def __init__(self) -> None:
        self._mounted: list[Path] = []
        self.can_fill = os.geteuid() == 0

    def mount(self, folder: Path, size_mib: int) -> None:
        """Put a disk of its own at a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        if not self.can_fill:
            return
        kind = ["mount", "-t", "tmpfs", "-o", f"size={size_mib}m,mode=700", "tocsin-drill"]
        done = subprocess.run([*kind, str(folder)], capture_output=True, check=False)
        if done.returncode:
            self.can_fill = False
        else:
            self._mounted.append(folder)

    def fill(self, folder: Path) -> None:
        """Leave not one byte."""
        with contextlib.suppress(OSError), (folder / STUFFING).open("ab", buffering=0) as file:
            while file.write(_CHUNK) == len(_CHUNK):
                pass
            while file.write(b"x"):
                pass

    def free(self, folder: Path) -> None:
        """Take away what filled it."""
        (folder / STUFFING).unlink(missing_ok=True)

    def close(self) -> None:
        """Leave nothing mounted; processes are gone."""
        for folder in self._mounted:
            unmount(folder)


def unmount(folder: Path) -> None:
    """Take a disk away, at the latest when its last user ends."""
    subprocess.run(["umount", "-l", str(folder)], capture_output=True, check=False)


def mounted_below(folder: Path) -> list[Path]:
    """The disks below a folder, innermost first."""
    points = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    return [Path(p) for p in sorted(points, reverse=True) if Path(p).is_relative_to(folder)]
