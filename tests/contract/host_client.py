"""A real host process, and an agent that speaks to it; every wait has a deadline."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgpack
import msgspec

from tocsin import clock
from tocsin.execution import AttemptKey, Health, Order, attempt_key, split_key
from tocsin.hosting import (
    CancelRuns,
    Confirm,
    FromHost,
    HostHealth,
    HostHello,
    HostReport,
    Retire,
    RunBegan,
    RunEnded,
    StartRuns,
)
from tocsin.wire import encode

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


class Agent:
    """One connection to a host. Remembers all it was told."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(DEADLINE_S)
        folder = os.open(path.parent, os.O_PATH)
        try:
            self.socket.connect(f"/proc/self/fd/{folder}/{path.name}")
        finally:
            os.close(folder)
        self._unpacker = msgpack.Unpacker(max_buffer_size=1 << 28)
        self.began: dict[AttemptKey, RunBegan] = {}
        self.ended: dict[AttemptKey, list[RunEnded]] = {}
        self.healths: list[Health] = []
        hello = self._receive()
        assert isinstance(hello, HostHello)
        self.hello = hello

    def start(self, *orders: Order) -> None:
        """Send orders."""
        self.socket.sendall(encode(StartRuns(list(orders))))

    def cancel(self, *orders: Order) -> None:
        """Cancel orders."""
        self.socket.sendall(encode(CancelRuns([order.key for order in orders])))

    def confirm(self, *orders: Order) -> None:
        """Confirm the outcomes of orders."""
        self.socket.sendall(encode(Confirm([order.key for order in orders])))

    def retire(self) -> None:
        """Ask the host to end."""
        self.socket.sendall(encode(Retire()))

    def run(self, order: Order) -> RunEnded:
        """Start an order and wait for its end."""
        self.start(order)
        return self.end_of(order)

    def end_of(self, order: Order) -> RunEnded:
        """Wait for the end of an order."""
        self.hear_until(lambda: order.key in self.ended)
        return self.ended[order.key][0]

    def await_began(self, order: Order) -> None:
        """Wait for the begin of an order."""
        self.hear_until(lambda: order.key in self.began)

    def hear_until(self, holds: Callable[[], bool]) -> None:
        """Take reports in until something holds."""
        while not holds():
            report = self._receive()
            assert isinstance(report, HostReport), "the host is gone"
            for began in report.began:
                self.began[began.key] = began
            for ended in report.ended:
                self.ended.setdefault(ended.key, []).append(ended)

    def await_closed(self) -> None:
        """Wait until the host closes the connection."""
        while self._receive() is not None:
            pass

    def vanish(self) -> None:
        """Be gone, as a killed agent is."""
        self.socket.close()

    def _receive(self) -> FromHost | None:
        while True:
            for plain in self._unpacker:
                message: FromHost = msgspec.convert(plain, FromHost)
                if not isinstance(message, HostHealth):
                    return message
                self.healths.append(message.health)
            try:
                data = self.socket.recv(1 << 18)
            except ConnectionResetError:
                return None
            if not data:
                return None
            self._unpacker.feed(data)


class Host:
    """A host process, started as an agent starts it."""

    def __init__(self, name: str, folder: Path, idle_s: float) -> None:
        self.name = name
        self.folder = folder
        self.out = folder / "out"
        self.out.mkdir(parents=True, exist_ok=True)
        self.socket_path = folder / f"{name}.sock"
        self.exit_code: int | None = None
        self._agents: list[Agent] = []
        module = ["-m", "tocsin.executors.host", name, str(folder), str(self.out), str(idle_s)]
        ready, write_end = os.pipe()
        self.pid = os.posix_spawn(
            sys.executable,
            [sys.executable, *module],
            {**os.environ, "TOCSIN_HOME": "/nowhere", "AGENT_SECRET": "x"},
            file_actions=[(os.POSIX_SPAWN_DUP2, write_end, 1)],
            setsid=True,
        )
        os.close(write_end)
        with open(ready, "rb", 0) as pipe:  # noqa: PTH123 - a pipe has no path
            assert select.select([pipe], [], [], DEADLINE_S)[0], "the host does not start"
            assert pipe.read(1) == b""

    def connect(self) -> Agent:
        """Connect as an agent."""
        self._agents.append(Agent(self.socket_path))
        return self._agents[-1]

    def stdout(self, order: Order) -> bytes:
        """What an attempt has printed so far."""
        return self._stream(f"{order.key}.out")

    def stderr(self, order: Order) -> bytes:
        """What an attempt has complained of so far."""
        return self._stream(f"{order.key}.err")

    def _stream(self, name: str) -> bytes:
        with contextlib.suppress(FileNotFoundError):  # a stream with nothing in it needs no file
            return (self.out / name).read_bytes()
        return b""

    def log(self) -> str:
        """The host's own log."""
        return (self.folder / f"{self.name}.log").read_text(encoding="utf-8")

    def signal(self, number: int) -> None:
        """Send the host a signal."""
        os.kill(self.pid, number)

    def await_exit(self) -> int:
        """Wait for the host's end; its exit code."""
        if self.exit_code is None:
            await_gone(self.pid)
            _, status = os.waitpid(self.pid, 0)
            self.exit_code = os.waitstatus_to_exitcode(status)
        return self.exit_code

    def end(self) -> None:
        """End it, whatever it does, and its connections."""
        for agent in self._agents:
            agent.vanish()
        if self.exit_code is None:
            self.signal(signal.SIGKILL)
            self.await_exit()


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
