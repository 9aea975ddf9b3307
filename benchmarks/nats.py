"""What a published and flushed NATS message costs a host, beside the bare client library."""

from __future__ import annotations

import statistics
import subprocess
import sys
from typing import Final, Self

from tests.contract.host_client import Agent, Host, order
from tests.integration.executors.nats.server import NatsServer
from tocsin.execution import Status

from .harness import Size, scratch
from .processes import cpu_s, memory_mib
from .report import Goal, Result

BATCH: Final = 20
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


class Bare:
    """A process that publishes and flushes with nats-py, one message after the other."""

    def __init__(self, url: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _BARE, url, SUBJECT, PAYLOAD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def publish(self, count: int) -> float:
        """Microseconds of processor time for each of so many."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        before_s = cpu_s(self.process.pid)
        self.process.stdin.write(f"{count}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"
        return (cpu_s(self.process.pid) - before_s) / count * 1e6


class Ours:
    """The executor's host, given orders in batches, as an agent gives them."""

    def __init__(self, host: Host, url: str) -> None:
        self._host = host
        self._agent: Agent = host.connect()
        self._block = {"subject": SUBJECT, "payload": PAYLOAD, "servers": url}
        self._runs = 0

    def publish(self, count: int, batch: int) -> float:
        """Microseconds of processor time for each of so many."""
        before_s = cpu_s(self._host.pid)
        for _ in range(count // batch):
            orders = [order("nats", f"R{self._runs + n}", self._block) for n in range(batch)]
            self._runs += batch
            self._agent.start(*orders)
            for one in orders:
                assert self._agent.end_of(one).outcome.status is Status.SUCCEEDED
            self._agent.confirm(*orders)
        return (cpu_s(self._host.pid) - before_s) / (count // batch * batch) * 1e6


def run(size: Size) -> Result:
    """Rounds of ours, in batches and one by one, and of the bare library, by turns."""
    count, rounds = size.pick(40, 1_000, 2_000), size.pick(1, 3, 9)
    batches: list[float] = []
    lone: list[float] = []
    bare: list[float] = []
    with scratch() as folder, NatsServer(folder / "server") as server, Bare(server.url) as client:
        host = Host("nats", folder / "run", 600)
        try:
            ours = Ours(host, server.url)
            idle_mib = memory_mib(host.pid)["rss_mib"]
            ours.publish(BATCH, BATCH)
            client.publish(BATCH)
            for _ in range(rounds):
                batches.append(ours.publish(count, BATCH))
                bare.append(client.publish(count))
                lone.append(ours.publish(count // 4, 1))
            rss_mib = memory_mib(host.pid)["rss_mib"]
        finally:
            host.end()
    ratio = statistics.median(one / other for one, other in zip(batches, bare, strict=True))
    lone_ratio = statistics.median(one / other for one, other in zip(lone, bare, strict=True))
    return Result(
        {
            "run_us": statistics.median(batches),
            "lone_run_us": statistics.median(lone),
            "host_rss_mib": rss_mib,
            "unused_host_rss_mib": idle_mib,
        },
        {"call_us": statistics.median(bare), "what": "nats-py: publish, flush"},
        {"cpu": ratio, "lone_cpu": lone_ratio},
        [Goal("nats run, CPU over bare nats-py", ratio, 2.0)],
        f"processor time of the host for a run, in batches of {BATCH}",
    )
