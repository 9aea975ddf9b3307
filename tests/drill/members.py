"""The fleet of a drill: coordinator, agents and operator, each in its place."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path
from typing import Final

from tests.fleet import Fleet

from . import network, sweep
from .disks import Disks
from .network import Bridge, Loopback, Network
from .wall_clock import WallClock, find_library

AGENTS: Final = ("alfa", "bravo", "delta")
COORDINATOR: Final = "coordinator"
OPERATOR: Final = "operator"
HEARTBEAT_S: Final = 0.5
SILENCE_S: Final = 3.0
LOST_AFTER_S: Final = 8.0
UNPLACED_S: Final = 20.0
POLICY: Final = f"""
[policy]
heartbeat_s = {HEARTBEAT_S}
agent_silence_s = {SILENCE_S}
lost_after_s = {LOST_AFTER_S}
unplaced_s = {UNPLACED_S}
"""
_DISK_MIB: Final = {COORDINATOR: 96}
_AGENT_DISK_MIB: Final = 24


class DrillFleet(Fleet):
    """Real processes that can be hurt. `home` is /tmp/tocsin-drill-PID-… or like it."""

    operator = OPERATOR

    def __init__(self, home: Path, *, alone: bool = False) -> None:
        self.disks = Disks()
        self.network: Network = Loopback()
        address = "127.0.0.1"
        if not alone and network.is_possible():
            bridge = Bridge([COORDINATOR, *AGENTS])
            self.network, address = bridge, bridge.address(COORDINATOR)
        super().__init__(home, coordinator_options=POLICY, address=address)
        self.address = address
        self.clock = WallClock(home / "clock", find_library())
        for who in (COORDINATOR, *AGENTS):
            self.disks.mount(self.disk(who), _DISK_MIB.get(who, _AGENT_DISK_MIB))
        self.ids: dict[str, str] = {}
        """The id of each agent, by name."""

    # Places.

    def disk(self, who: str) -> Path:
        """Where a member keeps what must outlive it."""
        return self.home / who / "data"

    @property
    def store(self) -> Path:
        """The coordinator's databases."""
        return self.disk(COORDINATOR) / "coordinator"

    def environ(self, who: str) -> dict[str, str]:
        """The environment of one member."""
        environ = super().environ(who)
        environ["TOCSIN_CONTEXT"] = str(self.store / "admin.toml")
        return environ

    def daemon_environ(self, who: str) -> dict[str, str]:
        """The environment of a member in the background; the coordinator has its own clock."""
        shown = self.clock.environ() if who == COORDINATOR else {}
        return {**self.environ(who), **shown}

    def prefix(self, who: str) -> list[str]:
        """The command that puts what follows where a member lives."""
        return self.network.prefix(COORDINATOR if who == OPERATOR else who)

    # Life.

    def muster(self) -> None:
        """Start all members, and let the agents in."""
        self.start_coordinator()
        for name in AGENTS:
            token = self.json("agent", "token", "--host", self.address)
            joined = self.call("agent", "join", token["join"], "--name", name, who=name)
            assert joined.returncode == 0, joined.stderr
            settings = self.home / name / "config" / "agent.toml"
            settings.write_text("drain_s = 2\nslots = 12\n" + settings.read_text())
            self.launch(name)
        for name in AGENTS:
            self.until_agent(name, "up")
        self.ids = {agent["name"]: agent["id"] for agent in self.json("agent", "list")}

    def launch(self, who: str) -> None:
        """Start a member in the background."""
        self.start(who, "coordinator" if who == COORDINATOR else "agent")

    def is_alive(self, who: str) -> bool:
        """Whether a member's process runs, or is stopped."""
        return self.processes[who].poll() is None

    def signal(self, who: str, number: signal.Signals) -> None:
        """Send a signal to a member that may be gone."""
        process = self.processes[who]
        if process.poll() is None:
            process.send_signal(number)

    def hosts_of(self, who: str) -> list[int]:
        """The processes that host executors for an agent."""
        home = os.fsencode(self.home / who)
        found = []
        for pid in sweep.processes_of(self.home / who):
            with contextlib.suppress(OSError):
                words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                if sweep.HOST_MODULE in words and any(w.startswith(home) for w in words):
                    found.append(pid)
        return found

    def close(self) -> None:
        """End everything, and take networks and disks away."""
        for process in self.processes.values():
            if process.poll() is None:
                process.kill()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(10)
        sweep.end_processes(self.home)
        self.network.close()
        self.disks.close()
