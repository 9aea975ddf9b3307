"""What an http run costs its host in processor time, beside the same call in bare httpx."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Final, NamedTuple, Self

from tocsin.model import Job, Overlap, RunState

from .harness import Fleet, Size, scratch
from .hosted import Hosted
from .processes import cpu_s, memory_mib
from .report import Goal, Result

TOGETHER: Final = 16
RUNS: Final = 200
IDLE_S: Final = 120.0
SETTLE_S: Final = 5.0
_SERVER: Final = r"""
import asyncio
ANSWER = b'HTTP/1.1 200 OK\r\ncontent-length: 15\r\n\r\n{"state": "ok"}'
class Peer(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.heard = transport, b""
    def data_received(self, data):
        self.heard += data
        if self.heard.endswith(b"\r\n\r\n"):
            self.heard = b""
            self.transport.write(ANSWER)
async def main():
    server = await asyncio.get_running_loop().create_server(Peer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""
_BARE: Final = """
import asyncio, sys, httpx
url = sys.argv[1]
async def main():
    async with httpx.AsyncClient() as client:
        async def caller(calls):
            for _ in calls:
                assert (await client.get(url)).status_code == 200
        loop = asyncio.get_running_loop()
        print("up", flush=True)
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            count, together = map(int, line.split())
            calls = iter(range(count))
            await asyncio.gather(*(caller(calls) for _ in range(together)))
            print("done", flush=True)
asyncio.run(main())
"""


class _Program:
    """A process of its own that says a line when it has done what a line asked for."""

    def __init__(self, code: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.said = self._line()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    @property
    def pid(self) -> int:
        return self._process.pid

    def do(self, asked: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{asked}\n")
        self._process.stdin.flush()
        self._line()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        assert line, "it has ended"
        return line


def run(size: Size) -> Result:
    """Rounds of ours and of the bare client, by turns."""
    count, rounds = size.pick(40, 400, 1_500), size.pick(1, 3, 7)
    with scratch() as folder, _Program(_SERVER) as server:
        url = f"http://127.0.0.1:{server.said}/health"
        found = _rounds(folder, url, count, rounds)
        memory = _memory(folder / "fleet", url) if size is Size.FULL else {}
    ratio = statistics.median(it.run_us / it.call_us for it in found)
    lone_ratio = statistics.median(it.lone_run_us / it.lone_call_us for it in found)
    goals = [
        Goal("http run, CPU of its host over bare httpx", ratio, 2.0),
        Goal("lone http run, CPU of its host over bare httpx", lone_ratio, 2.0),
    ]
    if memory:
        grown_mib = memory["after_mib"] - memory["fresh_mib"]
        goals.append(Goal("agent two minutes after http runs, RSS MiB more", grown_mib, 3.0))
    return Result(
        {
            "cpu_us": statistics.median(it.run_us for it in found),
            "best": min(it.run_us for it in found),
            "lone_cpu_us": statistics.median(it.lone_run_us for it in found),
            **memory,
        },
        {
            "cpu_us": statistics.median(it.call_us for it in found),
            "best": min(it.call_us for it in found),
            "lone_cpu_us": statistics.median(it.lone_call_us for it in found),
            "what": "httpx.AsyncClient.get",
        },
        {"cpu": ratio, "lone_cpu": lone_ratio},
        goals,
        f"microseconds of processor time for one request, on kept connections, {TOGETHER} at a "
        "time and one by one; MiB of an agent with its hosts, fresh, after its last run, and two "
        "minutes later",
    )


class _Round(NamedTuple):
    run_us: float
    """With `TOGETHER` runs under way."""
    lone_run_us: float
    """With one."""
    call_us: float
    lone_call_us: float


def _rounds(folder: Path, url: str, count: int, rounds: int) -> list[_Round]:
    with Hosted("http", folder) as host, _Program(_BARE, url) as bare:

        def ours_us(runs: int, together: int) -> float:
            before_s = cpu_s(host.pid)
            host.run({"url": url}, runs, together)
            return (cpu_s(host.pid) - before_s) / runs * 1e6

        def bare_us(calls: int, together: int) -> float:
            before_s = cpu_s(bare.pid)
            bare.do(f"{calls} {together}")
            return (cpu_s(bare.pid) - before_s) / calls * 1e6

        ours_us(TOGETHER * 4, TOGETHER)
        bare_us(TOGETHER * 4, TOGETHER)
        return [
            _Round(
                ours_us(count, TOGETHER),
                ours_us(count // 4, 1),
                bare_us(count, TOGETHER),
                bare_us(count // 4, 1),
            )
            for _ in range(rounds)
        ]


def _memory(home: Path, url: str) -> dict[str, float]:
    """An agent and its hosts: before any run, after the last one, and two minutes after that."""
    job = Job(name="http", executor="http", config={"url": url}, overlap=Overlap.ALLOW)
    home.mkdir()
    with Fleet(home) as fleet:
        fleet.start_agents(1, slots=TOGETHER)
        fleet.put([job])
        time.sleep(SETTLE_S)
        fresh_mib = _rss_mib(fleet)
        fleet.submit(["http"] * RUNS)
        fleet.until_idle()
        assert all(run.state is RunState.SUCCEEDED for run in fleet.runs(limit=RUNS))
        ran_mib = _rss_mib(fleet)
        time.sleep(IDLE_S)
        return {"fresh_mib": fresh_mib, "ran_mib": ran_mib, "after_mib": _rss_mib(fleet)}


def _rss_mib(fleet: Fleet) -> float:
    pids = [fleet.agents[0].pid, *fleet.host_pids()]
    return sum(memory_mib(pid)["rss_mib"] for pid in pids)
