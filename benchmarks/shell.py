"""What a shell run costs in processor time, beside a bare spawn whose output is captured."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple, Self

from .harness import Size, scratch
from .hosted import Hosted
from .report import Goal, Result

TRUE: Final = "/usr/bin/true"
TOGETHER: Final = 32
"""As in `spawn`."""
_BARE: Final = """
import os, sys
for line in sys.stdin:
    for _ in range(int(line)):
        out, end = os.pipe()
        pid = os.posix_spawn(
            sys.argv[1], [sys.argv[1]], {"PATH": "/usr/bin"},
            file_actions=[(os.POSIX_SPAWN_DUP2, end, 1), (os.POSIX_SPAWN_DUP2, end, 2)],
        )
        os.close(end)
        while os.read(out, 65536):
            pass
        os.close(out)
        os.wait4(pid, 0)
    print("done", flush=True)
"""


class _Bare:
    """A process that spawns and reads, one child after the other."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _BARE, TRUE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def spawn_us(self, count: int) -> float:
        """Processor time of a spawn, the child's included, out of so many."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        before_s = _cpu_with_children_s(self._process.pid)
        self._process.stdin.write(f"{count}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "done\n"
        return (_cpu_with_children_s(self._process.pid) - before_s) / count * 1e6


class _Round(NamedTuple):
    run_us: float
    spawn_us: float


def run(size: Size) -> Result:
    """Rounds of ours and of the bare spawn, by turns."""
    count, rounds = size.pick(16, 500, 2_000), size.pick(1, 3, 9)
    with scratch() as folder:
        found = _rounds(folder, count, rounds)
    ratio = statistics.median(it.run_us / it.spawn_us for it in found)
    return Result(
        {"run_us": statistics.median(it.run_us for it in found)},
        {
            "spawn_us": statistics.median(it.spawn_us for it in found),
            "what": "os.posix_spawn, one pipe read to its end, wait4",
        },
        {"cpu": ratio},
        [Goal("shell run, CPU over a bare spawn with its output captured", ratio, 1.5)],
        f"processor time of host and child for a run of {TRUE}, {TOGETHER} at a time",
    )


def _rounds(folder: Path, count: int, rounds: int) -> list[_Round]:
    block = {"command": TRUE, "unit": False}
    with Hosted("shell", folder) as host, _Bare() as bare:

        def ours_us(runs: int) -> float:
            before_s = _cpu_with_children_s(host.pid)
            host.run(block, runs, TOGETHER)
            return (_cpu_with_children_s(host.pid) - before_s) / runs * 1e6

        ours_us(TOGETHER)
        bare.spawn_us(TOGETHER)
        return [_Round(ours_us(count), bare.spawn_us(count)) for _ in range(rounds)]


def _cpu_with_children_s(pid: int) -> float:
    """Of a process and the children it has waited for, see proc(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
