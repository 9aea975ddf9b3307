"""What real daemons tell a service manager, and what they do on SIGHUP."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fleet import Fleet, until

WATCHDOG_US = 600_000


class Manager:
    """Hears one daemon."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.socket.bind(str(path))
        self.lines: list[str] = []

    def has(self, text: str) -> bool:
        """Whether a line begins so, of those since `forget`."""
        while True:
            try:
                self.lines += self.socket.recv(4096).decode().split("\n")
            except BlockingIOError:
                return any(line.startswith(text) for line in self.lines)

    def forget(self) -> None:
        """Hear anew."""
        self.has("")
        self.lines.clear()


class NotifiedFleet(Fleet):
    """Each member has a service manager of its own."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.managers = {who: Manager(home / f"{who}.notify") for who in ("coordinator", "web1")}

    def daemon_environ(self, who: str) -> dict[str, str]:
        told = {"NOTIFY_SOCKET": str(self.home / f"{who}.notify")}
        return {**self.environ(who), **told, "WATCHDOG_USEC": str(WATCHDOG_US)}

    def close(self) -> None:
        super().close()
        for manager in self.managers.values():
            manager.socket.close()


@pytest.fixture
def notified(tmp_path: Path) -> Iterator[NotifiedFleet]:
    """A coordinator and an agent."""
    fleet = NotifiedFleet(tmp_path)
    try:
        fleet.start_coordinator()
        fleet.join("web1", "--tag", "rack=1")
        fleet.start_agent("web1")
        yield fleet
    finally:
        fleet.close()


@pytest.mark.parametrize(
    ("who", "status"), [("coordinator", "1 of 1 agents up"), ("web1", "connected to 127.0.0.1")]
)
def test_signs_of_life_stop_with_the_loop(notified: NotifiedFleet, who: str, status: str) -> None:
    """They come while it goes round, and only then; its end is told."""
    manager = notified.managers[who]
    assert manager.has("READY=1")
    until(lambda: manager.has(f"STATUS={status}"), "the status")
    for _ in range(3):
        manager.forget()
        until(lambda: manager.has("WATCHDOG=1"), "a sign of life")
    process = notified.processes[who]
    process.send_signal(signal.SIGSTOP)
    until(lambda: "\nState:\tT" in Path(f"/proc/{process.pid}/status").read_text(), "it to stop")
    manager.forget()
    process.send_signal(signal.SIGCONT)
    until(lambda: manager.has("WATCHDOG=1"), "a sign of life")
    assert notified.stop(who) == 0
    assert manager.has("STOPPING=1")


def test_an_agent_that_reloads_says_hello_anew(notified: NotifiedFleet) -> None:
    """With its new tags and slots; wrong settings change nothing."""
    manager = notified.managers["web1"]
    settings = notified.home / "web1" / "config" / "agent.toml"
    text = settings.read_text()
    settings.write_text(f"slots = 3\n{text}")
    notified.processes["web1"].send_signal(signal.SIGHUP)
    until(lambda: notified.json("agent", "list")[0]["slots"] == 3, "the slots")
    assert manager.has("RELOADING=1")
    settings.write_text("slots = 4\n")
    manager.forget()
    notified.processes["web1"].send_signal(signal.SIGHUP)
    until(lambda: manager.has("READY=1"), "the end of the reload")
    assert "reload.refused" in (notified.home / "web1.log").read_text()
    assert notified.json("agent", "list")[0]["slots"] == 3


def test_a_coordinator_that_reloads_logs_as_it_is_told(notified: NotifiedFleet) -> None:
    """And says which settings have to wait for a restart."""
    settings = notified.home / "coordinator" / "config" / "coordinator.toml"
    text = settings.read_text().replace("127.0.0.1", "127.0.0.2")
    settings.write_text(f'log_level = "warning"\n{text}')
    notified.processes["coordinator"].send_signal(signal.SIGHUP)
    log = notified.home / "coordinator.log"
    until(lambda: "reload.needs_restart keys=bind" in log.read_text(), "the warning")
    assert "reload.done" not in log.read_text()
