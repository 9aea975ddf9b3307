"""What a flushed NATS message costs its host in processor time, beside the same in bare nats-py."""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple, Self

from tests.integration.executors.nats.server import NatsServer

from .harness import Size, scratch
from .hosted import Hosted
from .processes import cpu_s, memory_mib
from .report import Goal, Result

TOGETHER: Final = 16
SUBJECT: Final = "orders.new"
PAYLOAD: Final = '{"order": 4711, "state": "new"}'
_BARE: Final = """
import asyncio, sys, nats
async def main(url, subject, payload):
    client = await nats.connect(url)
    for line in sys.stdin:
        for _ in range(int(line)):
            await client.publish(subject, payload.encode())
            await client.flush()
        print("done", flush=True)
asyncio.run(main(*sys.argv[1:]))
"""


class _Bare:
    """A process that publishes and flushes, one message after the other."""

    def __init__(self, url: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _BARE, url, SUBJECT, PAYLOAD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def call_us(self, count: int) -> float:
        """Processor time of a call, out of so many."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        before_s = cpu_s(self._process.pid)
        self._process.stdin.write(f"{count}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "done\n"
        return (cpu_s(self._process.pid) - before_s) / count * 1e6


class _Round(NamedTuple):
    run_us: float
    """With `TOGETHER` runs under way."""
    lone_run_us: float
    """With one."""
    call_us: float


def run(size: Size) -> Result:
    """Rounds of ours and of the bare library, by turns."""
    count, rounds = size.pick(32, 1_000, 3_000), size.pick(1, 3, 9)
    with scratch() as folder, NatsServer(folder / "server") as server:
        found, memory = _rounds(folder, server.url, count, rounds)
    ratio = statistics.median(it.run_us / it.call_us for it in found)
    lone_ratio = statistics.median(it.lone_run_us / it.call_us for it in found)
    return Result(
        {
            "run_us": statistics.median(it.run_us for it in found),
            "lone_run_us": statistics.median(it.lone_run_us for it in found),
            **memory,
        },
        {
            "call_us": statistics.median(it.call_us for it in found),
            "what": "nats-py: publish, flush",
        },
        {"cpu": ratio, "lone_cpu": lone_ratio},
        [
            Goal("nats run, CPU of its host over bare nats-py", ratio, 2.0),
            Goal("lone nats run, CPU of its host over bare nats-py", lone_ratio, 2.0),
        ],
        f"processor time of the host for a run, {TOGETHER} at a time and one by one",
    )


def _rounds(
    folder: Path, url: str, count: int, rounds: int
) -> tuple[list[_Round], dict[str, float]]:
    block = {"servers": url, "subject": SUBJECT, "payload": PAYLOAD}
    with Hosted("nats", folder) as host, _Bare(url) as bare:
        unused_mib = memory_mib(host.pid)["rss_mib"]

        def ours_us(runs: int, together: int) -> float:
            before_s = cpu_s(host.pid)
            host.run(block, runs, together)
            return (cpu_s(host.pid) - before_s) / runs * 1e6

        ours_us(TOGETHER, TOGETHER)
        bare.call_us(TOGETHER)
        found = [
            _Round(ours_us(count, TOGETHER), ours_us(count // 4, 1), bare.call_us(count))
            for _ in range(rounds)
        ]
        used_mib = memory_mib(host.pid)["rss_mib"]
    return found, {"host_rss_mib": used_mib, "unused_host_rss_mib": unused_mib}
