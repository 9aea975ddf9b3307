"""A real host process of an executor, started in a folder of its own as an agent starts it."""

from __future__ import annotations

import contextlib
import os
import select
import signal
from collections.abc import Mapping
from pathlib import Path

import msgspec

from tocsin import clock
from tocsin.execution import Order
from tocsin.hosting import SETTINGS_VARIABLE, Settings
from tocsin.own_process import own_command

from .agent_side import AgentSide, Overdue

IDLE_S = 600.0
LAST_LINES = 12


class HostProcess:
    """`python -m tocsin.executors.host`, and all that it writes below `folder`.

    Raises:
        Overdue: from the constructor; it neither listens nor ends within `deadline_s`.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        idle_s: float = IDLE_S,
        *,
        environment: Mapping[str, str] | None = None,
        settings: Settings | None = None,
        deadline_s: float = 60.0,
    ) -> None:
        self.name = name
        self.folder = folder
        self.deadline_s = deadline_s
        self.out = folder / "out"
        self.out.mkdir(parents=True, exist_ok=True)
        self.socket_path = folder / f"{name}.sock"
        self.exit_code: int | None = None
        self.complaint = b""
        """What it wrote before it listened, or in place of it."""
        self._agents: list[AgentSide] = []
        module = "tocsin.executors.host"
        # With the fault handler, a host that dies or hangs says where it was.
        argv = own_command(module, "-X", "faulthandler", heed_environment=True)
        argv += [name, str(folder), str(self.out), str(idle_s)]
        env = dict(os.environ if environment is None else environment)
        if settings is not None:
            env[SETTINGS_VARIABLE] = msgspec.json.encode(settings).decode()
        ready, write_end = os.pipe()
        try:
            self.pid = os.posix_spawn(
                argv[0],
                argv,
                env,
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_DUP2, write_end, 1),
                    (os.POSIX_SPAWN_DUP2, write_end, 2),
                ],
                setsid=True,
                setsigmask=(),
            )
        finally:
            os.close(write_end)
        with open(ready, "rb", 0) as pipe:  # noqa: PTH123 - a pipe has no path
            self._hear_start(pipe.fileno())

    def _hear_start(self, pipe: int) -> None:
        """Read until it lets go of the pipe, which it does when it listens or ends."""
        until_s = clock.monotonic_s() + self.deadline_s
        while True:
            left_s = until_s - clock.monotonic_s()
            if left_s <= 0 or not select.select([pipe], [], [], left_s)[0]:
                self.signal(signal.SIGABRT)
                if select.select([pipe], [], [], 1)[0]:
                    self.complaint += os.read(pipe, 65536)
                self.end()
                raise Overdue("its host to listen")
            data = os.read(pipe, 65536)
            if not data:
                return
            self.complaint = (self.complaint + data)[-65536:]

    def connect(self) -> AgentSide:
        """Connect as an agent."""
        self._agents.append(AgentSide(self.socket_path, self.deadline_s))
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
        """The host's own log; empty when it never listened."""
        path = self.folder / f"{self.name}.log"
        with contextlib.suppress(FileNotFoundError):
            return path.read_text(encoding="utf-8", errors="replace")
        return ""

    def words(self) -> str:
        """All that it wrote for people, be it that it never listened."""
        return self.complaint.decode(errors="replace") + self.log()

    def last_words(self) -> str:
        """The end of that."""
        return "\n".join(self.words().splitlines()[-LAST_LINES:])

    def signal(self, number: int) -> None:
        """Send the host a signal."""
        os.kill(self.pid, number)

    def has_ended(self) -> bool:
        """Whether the process is over, by now."""
        if self.exit_code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.exit_code = os.waitstatus_to_exitcode(status)
        return self.exit_code is not None

    def await_exit(self) -> int:
        """Wait for the host's end; its exit code, or the number of a signal below zero."""
        if not self.has_ended():
            pidfd = os.pidfd_open(self.pid)
            try:
                if not select.select([pidfd], [], [], self.deadline_s)[0]:
                    raise Overdue("its host to end")
            finally:
                os.close(pidfd)
            assert self.has_ended()
        assert self.exit_code is not None
        return self.exit_code

    def end(self) -> None:
        """End it, whatever it does, and its connections."""
        for agent in self._agents:
            agent.vanish()
        if not self.has_ended():
            self.signal(signal.SIGKILL)
            self.await_exit()
