"""A real host process, and an agent that speaks to it; every wait has a deadline."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from tocsin import clock
from tocsin.execution import Order, attempt_key, split_key
from tocsin.executors.checking.agent_side import AgentSide
from tocsin.executors.checking.host_process import HostProcess

DEADLINE_S = 60.0
_own = clock.new_ulid()


def name_runs_anew() -> None:
    """Give the run ids of the next test to no other one: systemd remembers them."""
    global _own  # noqa: PLW0603 - one name for all orders of a test
    _own = clock.new_ulid()


def order(executor: str, run: str, config: dict[str, Any] | str, **changes: Any) -> Order:
    """An order for an attempt of `run`, with the environment an agent gives it.

    Run ids are this test's own: by them a host finds escapees on the whole machine, and another
    test run beside this one must not be among them.
    """
    key = changes.pop("key", attempt_key(f"{run}-{_own}", changes.pop("attempt", 1)))
    run_id, number = split_key(key)
    env = {"TOCSIN_RUN_ID": run_id, "TOCSIN_ATTEMPT": str(number), **changes.pop("env", {})}
    block = {"command": config} if isinstance(config, str) else config
    plain = Order(key, "job", executor, block, env, None, 3600.0, 10.0, 1 << 20)
    return msgspec.structs.replace(plain, **changes)


Agent = AgentSide


class Host(HostProcess):
    """A host process in the environment that a test gives it."""

    def __init__(self, name: str, folder: Path, idle_s: float = 600, **options: Any) -> None:
        environment = {**os.environ, "TOCSIN_HOME": "/nowhere", "AGENT_SECRET": "x"}
        super().__init__(name, folder, idle_s, environment=environment, **options)


class Bell:
    """A named pipe that processes of a run write lines to, so a test can wait for them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        os.mkfifo(path)
        # For both ways, so that it never is at its end and opening it never blocks.
        self._fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self._heard = b""

    def lines(self, count: int) -> list[str]:
        """Wait for the next `count` lines."""
        deadline_s = clock.monotonic_s() + DEADLINE_S
        while self._heard.count(b"\n") < count:
            left_s = deadline_s - clock.monotonic_s()
            assert select.select([self._fd], [], [], max(left_s, 0))[0], "nobody rang the bell"
            self._heard += os.read(self._fd, 65536)
        *lines, self._heard = self._heard.split(b"\n", count)
        return [line.decode() for line in lines]

    def pids(self, count: int) -> list[int]:
        """Wait for the ids of `count` processes."""
        return [int(line) for line in self.lines(count)]

    def close(self) -> None:
        """Put it away."""
        os.close(self._fd)


def await_gone(pid: int) -> None:
    """Wait until a process has ended."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([pidfd], [], [], DEADLINE_S)[0], f"process {pid} does not end"
    finally:
        os.close(pidfd)


def is_alive(pid: int) -> bool:
    """Whether a process is there and has not ended."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        return not select.select([pidfd], [], [], 0)[0]
    finally:
        os.close(pidfd)


def kill_all(pids: Sequence[int]) -> None:
    """End processes that a test left behind on purpose."""
    for pid in pids:
        if is_alive(pid):
            os.kill(pid, signal.SIGKILL)
