"""An agent process, and the ways to end it."""

from __future__ import annotations

import os
import select
import signal
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from tocsin import clock
from tocsin.agent.config import AgentConfig
from tocsin.agent.process import command_line, settings_variable
from tocsin.keys import write_keypair

from .coordinator import DEADLINE_S, LOOK_S, Coordinator


class AgentProcess:
    """One agent's directories, and the process that uses them at the moment."""

    def __init__(self, coordinator: Coordinator, folder: Path) -> None:
        self.folder = folder
        self.pid = 0
        self._coordinator = coordinator
        key_file = folder / "agent.key"
        write_keypair(key_file, coordinator.agent_key)
        self.config = AgentConfig(
            data_dir=folder / "data",
            run_dir=folder / "run",
            endpoint=coordinator.endpoint,
            server_key=coordinator.own.public,
            key_file=key_file,
            slots=1000,
        )

    @property
    def journal(self) -> Path:
        """Its journal."""
        return self.config.data_dir / "spool" / "journal"

    @property
    def output(self) -> Path:
        """Where its runs print to."""
        return self.config.data_dir / "output"

    @property
    def log(self) -> str:
        """What it logged."""
        path = self.folder / "agent.log"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def await_log(self, text: str, serve: Coordinator | None = None) -> None:
        """Wait until it has logged something."""
        deadline_s = clock.monotonic_s() + DEADLINE_S
        while text not in self.log:
            assert clock.monotonic_s() < deadline_s, f"never logged: {text}"
            if serve is None:
                select.select([], [], [], LOOK_S)
            else:
                serve.serve(LOOK_S)

    def start(self, settings_file: Path | None = None, **changes: Any) -> None:
        """Start the process, with changes to its settings; they are read again from a file."""
        self.config = replace(self.config, **changes)
        arguments = command_line(settings_file)
        append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self.pid = os.posix_spawn(
            arguments[0],
            arguments,
            {**os.environ, **settings_variable(self.config)},
            file_actions=[(os.POSIX_SPAWN_OPEN, 2, str(self.folder / "agent.log"), append, 0o600)],
        )

    def signal(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """End it without a word."""
        self.signal(signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self.pid = 0

    def await_exit(self) -> int:
        """Serve it until it has ended; its exit code."""
        ended: list[int] = []

        def is_over() -> bool:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                ended.append(os.waitstatus_to_exitcode(status))
            return bool(ended)

        self._coordinator.until(is_over)
        self.pid = 0
        return ended[0]

    def host_pid(self, executor: str) -> int:
        """The process that hosts an executor, which holds its lock."""
        inode = (self.config.run_dir / f"{executor}.lock").stat().st_ino
        for line in Path("/proc/locks").read_text(encoding="ascii").splitlines():
            words = line.split()
            if words[1] == "FLOCK" and words[5].endswith(f":{inode}"):
                return int(words[4])
        raise AssertionError(f"nobody hosts {executor}")

    def end(self) -> None:
        """End it and the hosts it started."""
        if self.pid:
            self.kill()
        for lock in self.config.run_dir.glob("*.lock"):
            try:
                pid = self.host_pid(lock.stem)
            except AssertionError:
                continue
            os.kill(pid, signal.SIGKILL)
