"""A fleet of real processes on this machine: one coordinator, some agents, the command line."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

from tocsin.clock import monotonic_s

TOCSIN: Final = str(Path(sys.executable).with_name("tocsin"))
DEADLINE_S: Final = 60.0

T = TypeVar("T")


def free_ports(count: int) -> list[int]:
    """Ports on which nobody listens now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def until(look: Callable[[], T], what: str, deadline_s: float = DEADLINE_S) -> T:
    """Look until what is seen is true, and give it back."""
    end = monotonic_s() + deadline_s
    while True:
        seen = look()
        if seen:
            return seen
        assert monotonic_s() < end, f"waited {deadline_s} s for {what}"
        time.sleep(0.02)


class Fleet:
    """Everything lives below `home`; `close` ends what still runs."""

    operator = "coordinator"
    """Who runs commands."""

    def __init__(
        self, home: Path, *, coordinator_options: str = "", address: str = "127.0.0.1"
    ) -> None:
        self.home = home
        self.ports = free_ports(2)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        config = home / "coordinator" / "config"
        config.mkdir(parents=True)
        (config / "coordinator.toml").write_text(
            f'bind = "{address}"\nport = {self.ports[0]}\nenrol_port = {self.ports[1]}\n'
            + coordinator_options
        )

    def environ(self, who: str) -> dict[str, str]:
        """The environment of one member, with a directory of its own."""
        return {**os.environ, "TOCSIN_HOME": str(self.home / who)}

    def daemon_environ(self, who: str) -> dict[str, str]:
        """The environment of a member in the background."""
        return self.environ(who)

    def prefix(self, who: str) -> list[str]:  # noqa: ARG002 - here all live in one place
        """The command that puts what follows where a member lives."""
        return []

    def start(self, who: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a member in the background, logging to a file of its own."""
        log = (self.home / f"{who}.log").open("ab")
        with log:
            process = subprocess.Popen(
                [*self.prefix(who), TOCSIN, *arguments],
                env=self.daemon_environ(who),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.processes[who] = process
        return process

    def start_coordinator(self) -> subprocess.Popen[bytes]:
        """Start the coordinator, and wait until it answers."""
        process = self.start("coordinator", "coordinator")
        until(
            lambda: self.call("status", check=False).returncode == 0 or process.poll() is not None,
            "the coordinator",
        )
        return process

    def join(self, name: str, *options: str) -> None:
        """Let a host in."""
        token = self.json("agent", "token")
        joined = self.call("agent", "join", token["join"], "--name", name, *options, who=name)
        assert joined.returncode == 0, joined.stderr

    def start_agent(self, name: str) -> subprocess.Popen[bytes]:
        """Start an agent that was let in, and wait until it is up."""
        process = self.start(name, "agent")
        self.until_agent(name, "up")
        return process

    def until_agent(self, name: str, state: str) -> None:
        """Wait for the state of an agent."""
        until(
            lambda: any(
                agent["name"] == name and agent["state"] == state
                for agent in self.json("agent", "list")
            ),
            f"agent {name} to be {state}",
        )

    def kill(self, who: str) -> None:
        """SIGKILL."""
        process = self.processes[who]
        process.send_signal(signal.SIGKILL)
        process.wait()

    def stop(self, who: str, deadline_s: float = DEADLINE_S) -> int:
        """SIGTERM, and the exit code."""
        process = self.processes[who]
        process.send_signal(signal.SIGTERM)
        return process.wait(deadline_s)

    def call(
        self, *arguments: str, who: str = "", check: bool = False, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        who = who or self.operator
        return subprocess.run(
            [*self.prefix(who), TOCSIN, *arguments],
            env=self.environ(who),
            capture_output=True,
            text=True,
            check=check,
            timeout=DEADLINE_S,
            **options,
        )

    def json(self, *arguments: str) -> Any:
        """What a command prints with `-o json`."""
        done = self.call(*arguments, "-o", "json")
        assert done.returncode == 0, f"{arguments}: {done.returncode} {done.stderr}"
        return json.loads(done.stdout)

    def apply(self, text: str) -> None:
        """Apply a job file."""
        done = self.call("apply", "-", input=text)
        assert done.returncode == 0, done.stderr

    def runs(self, *options: str) -> list[dict[str, Any]]:
        """All runs, newest first."""
        rows: list[dict[str, Any]] = self.json("run", "list", "-n", "100000", *options)
        return rows

    def close(self) -> None:
        """End everything, hosts of executors included."""
        for process in self.processes.values():
            if process.poll() is None:
                process.kill()
                process.wait()
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and self._is_ours(entry):
                os.kill(int(entry.name), signal.SIGKILL)

    def _is_ours(self, entry: Path) -> bool:
        try:
            command = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        home = os.fsencode(self.home)
        return any(part.startswith(home) for part in command)
