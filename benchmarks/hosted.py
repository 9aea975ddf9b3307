"""One executor's host process, fed with orders as an agent feeds it."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final, Self

from tocsin import clock
from tocsin.agent.host_socket import HostSocket, connect
from tocsin.execution import AttemptKey, Order, Status, attempt_key
from tocsin.hosting import Confirm, HostReport, StartRuns

DEADLINE_S: Final = 120.0


class Hosted:
    """A host, and the agent's end of its socket. Leave the context to end it."""

    def __init__(self, executor: str, folder: Path) -> None:
        self._executor = executor
        self._folder = folder
        self._out = folder / "out"

    def __enter__(self) -> Self:
        self._out.mkdir()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tocsin.executors.host", self._executor,
             str(self._folder), str(self._out), "3600"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )  # fmt: skip
        assert self._process.stdout is not None
        self._process.stdout.read()  # it lets go of it once it listens
        folder = os.open(self._folder, os.O_PATH)
        connection = connect(folder, f"{self._executor}.sock")
        os.close(folder)
        assert connection is not None, "the host does not listen"
        self._socket = HostSocket(connection)
        self._poll = select.poll()
        self._poll.register(self._socket.fileno(), select.POLLIN)
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    @property
    def pid(self) -> int:
        """The host's process."""
        return self._process.pid

    def run(self, config: dict[str, Any], count: int, together: int) -> None:
        """Run so many attempts, so many of them at a time; every one has to succeed."""
        end_s = time.monotonic() + DEADLINE_S
        started, under_way = 0, 0
        while started < count or under_way:
            wanted = min(together - under_way, count - started)
            if wanted:
                orders = [self._order(config) for _ in range(wanted)]
                self._socket.send(StartRuns(orders))
                started, under_way = started + wanted, under_way + wanted
            under_way -= self._hear(end_s)

    def _order(self, config: dict[str, Any]) -> Order:
        run_id = clock.new_ulid()
        env = {
            "TOCSIN_RUN_ID": run_id, "TOCSIN_ATTEMPT": "1", "TOCSIN_JOB": "bench",
            "TOCSIN_AGENT": "bench", "TOCSIN_TRIGGER": "manual", "TOCSIN_DUE": "",
            "TOCSIN_IDEMPOTENCY_KEY": run_id,
        }  # fmt: skip
        key = attempt_key(run_id, 1)
        return Order(key, "bench", self._executor, config, env, None, 60.0, 10.0, 1 << 20)

    def _hear(self, end_s: float) -> int:
        """Take reports in and confirm what they tell of, as an agent does; how many ended."""
        if not self._poll.poll(max(end_s - time.monotonic(), 0) * 1000):
            raise TimeoutError(f"waited {DEADLINE_S:.0f} s in vain")
        self._socket.flush(0)
        over: list[AttemptKey] = []
        for message in self._socket.receive():
            if isinstance(message, HostReport):
                for end in message.ended:
                    assert end.outcome.status is Status.SUCCEEDED, end.outcome
                    over.append(end.key)
        if over:
            self._socket.send(Confirm(over))
            for key in over:
                (self._out / f"{key}.out").unlink(missing_ok=True)
        return len(over)
