"""What 100,000 jobs cost a coordinator that starts: time until it can fire, and memory."""

from __future__ import annotations

import os
import socket
import statistics
import time
from pathlib import Path
from typing import Final

from tocsin import clock
from tocsin.coordinator.machine.commands import SaveJob
from tocsin.coordinator.store.sqlite import SqliteStore
from tocsin.instants import SECOND_US
from tocsin.model import Job, JobRow

from .harness import Fleet, Size, scratch
from .limits import load_heap_ms
from .processes import memory_mib
from .report import Goal, Result

BATCH: Final = 5_000
_DAY_US: Final = 86_400 * SECOND_US


def run(size: Size) -> Result:
    """Starts of an empty coordinator and of one with jobs, by turns."""
    jobs, rounds = size.pick(100, 100_000, 100_000), size.pick(1, 3, 7)
    empty: list[tuple[float, float]] = []
    full: list[tuple[float, float]] = []
    bare: list[float] = []
    with scratch() as folder:
        fleets = {0: Fleet(folder / "empty"), jobs: Fleet(folder / "full")}
        for count, fleet in fleets.items():
            _fill(_data_dir(fleet), count)
            _start(fleet)  # migrates, makes keys
        for _ in range(rounds):
            empty.append(_start(fleets[0]))
            full.append(_start(fleets[jobs]))
            bare.append(load_heap_ms(_data_dir(fleets[jobs]) / "tocsin.db"))
    starts_ms = [statistics.median(ms for ms, _ in starts) for starts in (empty, full)]
    sizes_mib = [statistics.median(mib for _, mib in starts) for starts in (empty, full)]
    over_ms, over_mib = starts_ms[1] - starts_ms[0], sizes_mib[1] - sizes_mib[0]
    limit_ms = statistics.median(bare)
    return Result(
        {
            "empty_ms": starts_ms[0],
            "full_ms": starts_ms[1],
            "over_ms": over_ms,
            "empty_rss_mib": sizes_mib[0],
            "full_rss_mib": sizes_mib[1],
            "over_mib": over_mib,
        },
        {"ms": limit_ms, "what": "reading (due, id) from SQLite, and heapify"},
        {"over_ms": over_ms / limit_ms},
        [
            Goal(f"{jobs:,} jobs: able to fire after an empty one, s", over_ms / 1e3, 0.5),
            Goal(f"{jobs:,} jobs: RSS over an empty one, MiB", over_mib, 40),
        ],
        "ms from the start of the process, and MiB",
    )


def _data_dir(fleet: Fleet) -> Path:
    return fleet.places("coordinator").data_dir / "coordinator"


def _fill(folder: Path, count: int) -> None:
    """Keep jobs that are due tomorrow, at times of their own."""
    folder.mkdir(parents=True)
    store = SqliteStore(folder)
    now_us = clock.now_us()
    for first in range(0, count, BATCH):
        rows = [_row(number, now_us) for number in range(first, min(first + BATCH, count))]
        store.stage([SaveJob(row) for row in rows])
        store.commit()
    store.close()


def _row(number: int, now_us: int) -> JobRow:
    minute, hour = number % 60, number // 60 % 24
    job = Job(
        name=f"team-{number % 97}/job-{number}",
        executor="shell",
        config={"command": f"/usr/local/bin/nightly --shard {number}"},
        schedule=[f"{minute} {hour} * * *"],
    )
    due_us = now_us + _DAY_US + number * 7919 % 86_400 * SECOND_US
    return JobRow(id=number + 1, job=job, version=1, next_due_us=due_us)


def _start(fleet: Fleet) -> tuple[float, float]:
    """Milliseconds until it says that it is ready (sd_notify(3)), and its RSS in MiB then."""
    address = str(fleet.home / "notify")
    fleet.home.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
        ready.bind(address)
        ready.settimeout(60)
        began_s = time.perf_counter()
        process = fleet.spawn_coordinator({"NOTIFY_SOCKET": address})
        try:
            while b"READY=1" not in ready.recv(4096):
                pass
            took_ms = (time.perf_counter() - began_s) * 1e3
            time.sleep(0.3)
            return took_ms, memory_mib(process.pid)["rss_mib"]
        finally:
            process.terminate()
            process.wait()
            os.unlink(address)  # noqa: PTH108 - a socket
