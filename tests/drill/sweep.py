"""Whatever a drill leaves in the machine is found again: by its home, and by its process id."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from pathlib import Path
from typing import Final

from tocsin.clock import monotonic_s

from . import disks, network

HOMES: Final = "tocsin-drill-"
"""Homes are /tmp/tocsin-drill-PID-…"""
KEPT: Final = "kept"
"""A file in a home that stays for somebody to read."""
HOME_MARK: Final = b"DRILL_HOME="
"""Every job has this variable."""
HOST_MODULE: Final = b"tocsin.executors.host"
_DEADLINE_S: Final = 10.0


def sweep(folder: Path) -> list[str]:
    """End and remove what drills that died have left below a folder; what that was."""
    swept = []
    for home in sorted(folder.glob(f"{HOMES}*")):
        number = int(home.name.removeprefix(HOMES).partition("-")[0])
        if Path(f"/proc/{number}").exists():
            continue
        clean(home, number)
        if not (home / KEPT).exists():
            shutil.rmtree(home, ignore_errors=True)
            swept.append(str(home))
    for space in network.spaces():
        number = int(space.split("-")[1])
        if not Path(f"/proc/{number}").exists():
            network.remove(number)
            swept.append(space)
    return swept


def clean(home: Path, number: int) -> None:
    """End the processes of a home, and take away its networks and disks."""
    end_processes(home)
    network.remove(number)
    for folder in disks.mounted_below(home):
        disks.unmount(folder)


def end_processes(home: Path) -> None:
    """End every process that knows of a home: members, hosts, jobs, and what jobs started."""
    end_s = monotonic_s() + _DEADLINE_S
    while (pids := processes_of(home)) and monotonic_s() < end_s:
        for pid in pids:
            _kill(pid)
        time.sleep(0.05)


def processes_of(home: Path) -> list[int]:
    """The living processes of a home, but not this one.

    Somebody who reads its logs is none of them: members and jobs have it in their environment,
    hosts of executors among their arguments.
    """
    own = os.getpid()
    entries = [entry for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [int(e.name) for e in entries if int(e.name) != own and _is_of(e, os.fsencode(home))]


def _is_of(entry: Path, home: bytes) -> bool:
    try:
        if (entry / "stat").read_bytes().rpartition(b")")[2].split()[0] in {b"Z", b"X"}:
            return False
        words = (entry / "cmdline").read_bytes().split(b"\0")
        if HOST_MODULE in words and any(word.startswith(home) for word in words):
            return True
        environ = (entry / "environ").read_bytes().split(b"\0")
    except OSError:
        return False
    return any(word.startswith((b"TOCSIN_HOME=" + home, HOME_MARK + home)) for word in environ)


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
