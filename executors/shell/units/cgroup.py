"""What the kernel knows of a unit's processes, see cgroups(7)."""

from __future__ import annotations

import contextlib
import functools
import os
from pathlib import Path
from typing import Final

MOUNT: Final = "/sys/fs/cgroup"
_NAMED: Final = f"{MOUNT}/systemd"
"""Where systemd's own hierarchy is mounted when the controllers still have theirs (version 1)."""


class Cgroup:
    """The cgroup of a unit, by its path below the mount: `/tocsin.slice/…/NAME.service`."""

    def __init__(self, path: str) -> None:
        root = _NAMED if os.path.isdir(_NAMED) else MOUNT  # noqa: PTH112 - a path less
        self._folder = root + path

    def pids(self) -> list[int]:
        """All processes in it, and in cgroups that they made below it."""
        found: list[int] = []
        for folder, _, files in os.walk(self._folder):
            if "cgroup.procs" in files:
                with contextlib.suppress(OSError):  # it went meanwhile
                    found += map(int, Path(folder, "cgroup.procs").read_bytes().split())
        return found

    def kill(self) -> None:
        """Kill all of them in one stroke, if the kernel can, as from 5.14 on."""
        with contextlib.suppress(OSError), open(f"{self._folder}/cgroup.kill", "wb", 0) as file:  # noqa: PTH123
            file.write(b"1")

    def cpu_us(self) -> int | None:
        """CPU time that its processes took; None when it is gone, or not counted here."""
        fields = self._read("cpu.stat").split()
        return int(fields[fields.index(b"usage_usec") + 1]) if b"usage_usec" in fields else None

    def peak_memory_bytes(self) -> int | None:
        """The most memory that its processes had together; None as above."""
        text = self._read("memory.peak")
        return int(text) if text else None

    def _read(self, name: str) -> bytes:
        try:
            with open(f"{self._folder}/{name}", "rb") as file:  # noqa: PTH123
                return file.read()
        except OSError:
            return b""


@functools.cache
def controllers() -> frozenset[str]:
    """What the kernel controls here: `memory`, `cpu`, `pids` and others."""
    try:
        return frozenset(Path(MOUNT, "cgroup.controllers").read_text(encoding="ascii").split())
    except OSError:  # version 1 has a hierarchy for each
        return frozenset(name for each in os.listdir(MOUNT) for name in each.split(","))  # noqa: PTH208


def cgroup_path_of(pid: int) -> str:
    """The cgroup of a process in systemd's hierarchy; empty when the process is gone."""
    try:
        with open(f"/proc/{pid}/cgroup", encoding="utf-8") as file:  # noqa: PTH123
            lines = file.read().splitlines()
    except OSError:
        return ""
    paths = {line.split(":", 2)[1]: line.split(":", 2)[2] for line in lines}
    return paths.get("name=systemd") or paths.get("", "")
