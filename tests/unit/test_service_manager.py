"""What a service manager is told, over a real socket."""

from __future__ import annotations

import functools
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tocsin.instants import SECOND_US
from tocsin.service_manager import ServiceManager


class Systemd:
    """The other end: what it was told, message by message."""

    def __init__(self, path: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.socket.bind(path)
        self.managers: list[ServiceManager] = []

    def manager(self, **environ: str) -> ServiceManager:
        """What a daemon tells it through."""
        made = ServiceManager({**os.environ, **environ}, 7)
        self.managers.append(made)
        return made

    def heard(self) -> list[str]:
        """All messages since the last call."""
        messages = []
        while True:
            try:
                messages.append(self.socket.recv(4096).decode())
            except BlockingIOError:
                return messages


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Systemd]:
    """Somebody who listens on NOTIFY_SOCKET."""
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    made = Systemd(str(tmp_path / "notify"))
    yield made
    for each in made.managers:
        each.close()
    made.socket.close()


def test_it_is_told_of_the_beginning_reloads_and_the_end(systemd: Systemd) -> None:
    """Each as one message, with what `systemctl status` shows."""
    it = systemd.manager()
    it.ready("2 agents")
    it.reloading(5)
    it.ready("3 agents")
    it.stopping()
    assert systemd.heard() == [
        "READY=1\nSTATUS=2 agents",
        "RELOADING=1\nMONOTONIC_USEC=5",
        "READY=1\nSTATUS=3 agents",
        "STOPPING=1\nSTATUS=ending",
    ]


def test_signs_of_life_come_three_times_as_often_as_they_are_waited_for(systemd: Systemd) -> None:
    """And only when the loop comes round."""
    it = systemd.manager(WATCHDOG_USEC=str(30 * SECOND_US), WATCHDOG_PID="7")
    it.ready("x")
    assert it.deadline_us() == 0
    it.beat(100, lambda: "x")
    assert it.deadline_us() == 100 + 10 * SECOND_US
    it.beat(101, lambda: "x")
    it.beat(100 + 10 * SECOND_US, lambda: "x")
    alive = "WATCHDOG=1\nSTATUS=x"
    assert systemd.heard() == ["READY=1\nSTATUS=x", alive, alive]


@pytest.mark.parametrize("environ", [{}, {"WATCHDOG_USEC": "0"},
                                     {"WATCHDOG_USEC": "9", "WATCHDOG_PID": "8"}])  # fmt: skip
def test_nobody_waits_for_signs_of_life(systemd: Systemd, environ: dict[str, str]) -> None:
    """None was asked for, or of another process."""
    it = systemd.manager(**environ)
    it.ready("x")
    it.beat(0, lambda: "x")
    assert (it.deadline_us(), systemd.heard()) == (None, ["READY=1\nSTATUS=x"])


def test_the_status_is_told_when_it_changes_once_a_second_at_most(systemd: Systemd) -> None:
    """On one line, whatever is in it."""
    it = systemd.manager()
    it.ready("a")
    for at_us, said in ((0, "b\nREADY=0"), (SECOND_US - 1, "c"), (SECOND_US, "c"), (9**9, "c")):
        it.beat(at_us, functools.partial(str, said))
    assert systemd.heard()[1:] == ["STATUS=b READY=0", "STATUS=c"]


def test_where_nobody_listens_nothing_is_reckoned() -> None:
    """No status is made up for nobody."""
    reckoned: list[str] = []

    def reckon() -> str:
        reckoned.append("status")
        return "status"

    ServiceManager({}, 7).beat(0, reckon)
    assert not reckoned
