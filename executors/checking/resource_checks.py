"""The checks of what a run costs its host: memory, time of the loop, what it leaves behind."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from tocsin import clock
from tocsin.execution import Status
from tocsin.executors.secrets import FOLDER_VARIABLE
from tocsin.units import format_size

from .bench import Bench, require
from .check import Check
from .host_process import HostProcess
from .verdict import LeftOut, find

BLOCKED_S: Final = 1.0
"""The loop shared by all runs may be held up for so long."""
TIMES: Final = 2
"""A machine that is busy elsewhere holds it up too, but hardly so often in a row."""
RUNS: Final = 100
TOGETHER: Final = 20
GROWTH_MAX: Final = 10
"""Of what may grow by chance, far below one for each of the runs."""
GROWTH_BYTES_MAX: Final = 32 << 20
SETTLE_S: Final = 3.0
_PEAK: Final = re.compile(rb"^VmHWM:\s+(\d+) kB", re.MULTILINE)
_DEBUG: Final = {"PYTHONASYNCIODEBUG": "1"}
_TOOK: Final = re.compile(r"Executing (.*) took (\d+\.\d+) seconds")
_LEFT: Final = re.compile(r"host\.tasks_left (\d+)")


def huge_output(bench: Bench) -> None:
    """However much a run prints, the memory of its host stays bounded."""
    flood, size = bench.block("flood"), bench.specimen.flood_bytes
    require(bench.agent.run(bench.order(bench.block("succeed"))), Status.SUCCEEDED)
    before = peak_bytes(bench.host)
    run = bench.order(flood)
    require(bench.agent.run(run), Status.SUCCEEDED)
    written = (bench.host.out / f"{run.key}.out").stat().st_size
    if written < size:
        find(f"an output of {format_size(size)}", f"it is {format_size(written)}")
    grown = peak_bytes(bench.host) - before
    bound = size * 3 // 4
    if grown > bound:
        find(
            f"a host that takes less than {format_size(bound)} for it",
            f"it took {format_size(grown)}",
            "write to the sink piece by piece",
        )


def peak_bytes(host: HostProcess) -> int:
    """The most memory that a host had so far, see proc(5)."""
    found = _PEAK.search(Path(f"/proc/{host.pid}/status").read_bytes())
    assert found is not None, "proc(5) has VmHWM since Linux 2.6"
    return int(found[1]) * 1024


def secret(bench: Bench) -> None:
    """The value of a secret is in no output, message, fact or log."""
    value = f"s3cret-{clock.new_ulid()}"
    folder = bench.folder / "secrets"
    folder.mkdir()
    (folder / "token").write_text(value, encoding="utf-8")
    (folder / "token").chmod(0o600)
    host = bench.boot(**{FOLDER_VARIABLE: str(folder)})
    agent = host.connect()
    blocks = bench.specimen.blocks()
    for name in [it for it in ("secret", "greet", "fail", "refuse") if it in blocks]:
        run = bench.order(blocks[name], secrets={"TOKEN": "token"})
        end = agent.run(run)
        if name == "secret":
            require(end, Status.SUCCEEDED)
        places = {
            "its output": host.stdout(run),
            "its error output": host.stderr(run),
            "its outcome": msgspec.json.encode(end.outcome),
            "the host's log": host.log().encode(),
        }
        for place, text in places.items():
            if value.encode() in text:
                hint = "print nothing of an order's env; a mask hides what goes through the sink"
                find("a secret nowhere", f"run with `{name}`, it is in {place}", hint)
    if "secret" not in blocks:
        raise LeftOut("the specimen has no `secret`; other blocks were run with one in their env")


def never_blocks(bench: Bench) -> None:
    """No run holds up the event loop that it shares with all the others."""
    host = bench.boot(**_DEBUG)
    agent = host.connect()
    require(agent.run(bench.order(bench.block("succeed"))), Status.SUCCEEDED)  # and imports
    blocks = bench.specimen.blocks()
    for time_left in reversed(range(TIMES)):
        heard = len(host.log())
        lingering = bench.order(bench.block("linger"))
        agent.start(lingering)
        for name in [it for it in ("greet", "fail", "refuse") if it in blocks]:
            agent.run(bench.order(blocks[name]))
        agent.cancel(lingering)
        agent.end_of(lingering)
        slow = [it for it in _TOOK.findall(host.log()[heard:]) if float(it[1]) > BLOCKED_S]
        if not slow:
            return
        if not time_left:
            what, took_s = slow[0]
            find(
                f"no step of more than {BLOCKED_S:g} s",
                f"one took {took_s} s: {what}",
                "await what takes time, or do it in a thread: `await asyncio.to_thread(…)`",
            )


class _Held(NamedTuple):
    """What a host holds at one moment."""

    descriptors: int
    threads: int
    processes: int
    memory_bytes: int

    @classmethod
    def of(cls, host: HostProcess) -> _Held:
        """What there is now, see proc(5)."""
        proc = Path(f"/proc/{host.pid}")
        pages = int((proc / "statm").read_bytes().split()[1])
        return cls(
            descriptors=len(list((proc / "fd").iterdir())),
            threads=len(list((proc / "task").iterdir())),
            processes=sum(1 for _ in _children(proc)),
            memory_bytes=pages * os.sysconf("SC_PAGE_SIZE"),
        )

    def leaks(self, before: _Held) -> list[str]:
        """What has grown too much."""
        grown = [
            f"{now - then} {name}"
            for name, now, then in zip(self._fields[:3], self[:3], before[:3], strict=True)
            if now - then > GROWTH_MAX
        ]
        more = self.memory_bytes - before.memory_bytes
        return [*grown, f"{format_size(more)} of memory"] if more > GROWTH_BYTES_MAX else grown


def _children(proc: Path) -> Iterator[bytes]:
    for task in (proc / "task").iterdir():
        with contextlib.suppress(OSError):  # a thread that has just ended
            yield from (task / "children").read_bytes().split()


def leaves_nothing(bench: Bench) -> None:
    """A hundred runs leave no descriptors, threads, processes, tasks or memory behind."""
    host = bench.boot(**_DEBUG)
    agent = host.connect()
    before = _Held(0, 0, 0, 0)
    for batch in range(RUNS // TOGETHER + 1):
        if batch == 1:
            before = _Held.of(host)
        runs = bench.orders(bench.block("succeed"), min(TOGETHER, bench.specimen.at_once))
        agent.start(*runs)
        for run in runs:
            require(agent.end_of(run), Status.SUCCEEDED)
        agent.confirm(*runs)
    until_s = clock.monotonic_s() + SETTLE_S
    while (leaks := _Held.of(host).leaks(before)) and clock.monotonic_s() < until_s:
        time.sleep(0.05)
    if leaks:
        find("as much as before", f"after {RUNS} runs, {', '.join(leaks)} more")
    agent.retire()
    agent.await_closed()
    if code := host.await_exit():
        find("a host that ends with 0", f"it ended with {code}")
    left = _LEFT.search(host.log())
    if left is not None and int(left[1]) > GROWTH_MAX:
        find("no tasks left", f"after {RUNS} runs {left[1]} are not over", "await them in `wait`")


_FUNCTIONS: Final = (huge_output, secret, never_blocks, leaves_nothing)
CHECKS: Final = tuple(Check(function) for function in _FUNCTIONS)
