"""The part of `units` that runs where systemd is PID 1: `units_inside COUNT ROUNDS`."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from tocsin import clock
from tocsin.executors.shell.units.properties import Property
from tocsin.executors.shell.units.systemd import Systemd

from .hosted import Hosted

TRUE: Final = "/usr/bin/true"
TOGETHER: Final = 32
LONE_PART: Final = 10
"""One run in so many is made alone."""
_BARE: Final[list[Property]] = [
    ("Type", ("s", "exec")),
    ("CollectMode", ("s", "inactive-or-failed")),
    ("ExecStart", ("a(sasb)", [(TRUE, ["true"], False)])),
]


async def bare_s(count: int) -> float:
    """Bare starts a second."""
    systemd, turns = Systemd(), asyncio.Semaphore(TOGETHER)

    async def start() -> None:
        async with turns:
            await systemd.start(f"bare-{clock.new_ulid()}.service", _BARE)

    began_s = time.perf_counter()
    await asyncio.gather(*(start() for _ in range(count)))
    return count / (time.perf_counter() - began_s)


def main() -> None:
    """Print a list of rounds as JSON."""
    count, rounds = map(int, sys.argv[1:])
    found = []
    block = {"command": TRUE, "unit": True}
    with tempfile.TemporaryDirectory() as folder, Hosted("shell", Path(folder)) as host:

        def ours_s(runs: int, together: int) -> float:
            began_s = time.perf_counter()
            host.run(block, runs, together)
            return runs / (time.perf_counter() - began_s)

        ours_s(TOGETHER, TOGETHER)
        for _ in range(rounds):
            ours, bare = ours_s(count, TOGETHER), asyncio.run(bare_s(count))
            lone_ms = 1e3 / ours_s(count // LONE_PART, 1)
            found.append({"ours_s": ours, "bare_s": bare, "lone_ms": lone_ms})
    print(json.dumps(found))


if __name__ == "__main__":
    main()
