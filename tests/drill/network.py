"""Members in network namespaces of their own, on a bridge; or all on loopback, where no cut is.

A cut is silent, as a pulled cable or a bad firewall rule is: packets are dropped, nobody is told.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from typing import Final, Protocol

NAME: Final = "tdrill"
"""What is made in the kernel is called so; with the id of the drill's process behind it."""


class Network(Protocol):
    """What the members of a fleet reach each other through."""

    can_cut: bool
    can_lose: bool

    def prefix(self, who: str) -> list[str]:
        """The command that puts what follows where a member lives."""
        ...

    def cut(self, who: str, ways: Sequence[str]) -> None:
        """Drop what comes in (`in`) to a member, what goes out of it (`out`), or both."""
        ...

    def lose(self, who: str, percent: int) -> None:
        """Drop this share of the packets, both ways; delay and reorder where the kernel can."""
        ...

    def mend(self, who: str) -> None:
        """Let everything of a member through."""
        ...

    def close(self) -> None:
        """Leave nothing behind."""
        ...


class Loopback:
    """No network of its own: nothing can be cut."""

    can_cut = False
    can_lose = False

    def prefix(self, who: str) -> list[str]:  # noqa: ARG002 - all live in one place
        return []

    def cut(self, who: str, ways: Sequence[str]) -> None:
        raise NotImplementedError

    def lose(self, who: str, percent: int) -> None:
        raise NotImplementedError

    def mend(self, who: str) -> None:
        raise NotImplementedError

    def close(self) -> None:
        pass


class Bridge:
    """One namespace for each member; the first has address 1 of 198.18.N.0/24, see RFC 2544."""

    def __init__(self, members: Sequence[str]) -> None:
        self._number = os.getpid()
        self._members = list(members)
        self._firewall = shutil.which("iptables") is not None
        self.can_cut = True
        self.can_lose = False
        _run("ip", "link", "add", self._bridge, "type", "bridge")
        _run("ip", "link", "set", self._bridge, "up")
        for number, who in enumerate(self._members):
            self._add(number, who)
        self._netem = self._try_netem()
        self.can_lose = self._netem or self._firewall

    @property
    def _bridge(self) -> str:
        return f"{NAME}{self._number}"

    def _space(self, who: str) -> str:
        return f"{NAME}-{self._number}-{who}"

    def _port(self, who: str) -> str:
        return f"td{self._number}-{self._members.index(who)}"

    def address(self, who: str) -> str:
        """The address of a member."""
        return f"198.18.{self._number % 256}.{self._members.index(who) + 1}"

    def _add(self, number: int, who: str) -> None:
        space, port = self._space(who), self._port(who)
        _run("ip", "netns", "add", space)
        _run("ip", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", space)
        _run("ip", "link", "set", port, "master", self._bridge, "up")
        inside = f"198.18.{self._number % 256}.{number + 1}/24"
        self._inside(who, "ip", "address", "add", inside, "dev", "eth0")
        self._inside(who, "ip", "link", "set", "eth0", "up")
        self._inside(who, "ip", "link", "set", "lo", "up")

    def _try_netem(self) -> bool:
        who = self._members[0]
        try:
            self._inside(who, "tc", "qdisc", "add", "dev", "eth0", "root", "netem", "delay", "1ms")
            self._inside(who, "tc", "qdisc", "del", "dev", "eth0", "root")
        except (OSError, subprocess.CalledProcessError):
            return False
        return True

    def prefix(self, who: str) -> list[str]:
        return ["ip", "netns", "exec", self._space(who)]

    def _inside(self, who: str, *command: str) -> None:
        _run(*self.prefix(who), *command)

    def cut(self, who: str, ways: Sequence[str]) -> None:
        if not self._firewall:
            _run("ip", "link", "set", self._port(who), "down")
            return
        for way in ways:
            self._drop(who, way)

    def lose(self, who: str, percent: int) -> None:
        if self._netem:
            chances = f"delay 20ms 15ms loss {percent}% reorder 25% 50%".split()
            self._inside(who, "tc", "qdisc", "add", "dev", "eth0", "root", "netem", *chances)
            return
        chance = f"-m statistic --mode random --probability {percent / 100}".split()
        for way in ("in", "out"):
            self._drop(who, way, *chance)

    def _drop(self, who: str, way: str, *when: str) -> None:
        # Not what it says to itself: commands are run there too.
        chain, device = {"in": ("INPUT", "-i"), "out": ("OUTPUT", "-o")}[way]
        self._inside(
            who, "iptables", "-w", "-A", chain, device, "eth0", *when, "-j", "DROP"
        )  # fmt: skip

    def mend(self, who: str) -> None:
        if self._firewall:
            self._inside(who, "iptables", "-w", "-F")
        if self._netem:
            subprocess.run(
                [*self.prefix(who), "tc", "qdisc", "del", "dev", "eth0", "root"],
                capture_output=True,
                check=False,
            )
        _run("ip", "link", "set", self._port(who), "up")

    def close(self) -> None:
        remove(self._number)


def is_possible() -> bool:
    """Whether this process may make networks."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    space = f"{NAME}-{os.getpid()}-try"
    made = subprocess.run(["ip", "netns", "add", space], capture_output=True, check=False)
    if made.returncode:
        return False
    subprocess.run(["ip", "netns", "del", space], capture_output=True, check=False)
    return True


def spaces() -> list[str]:
    """The namespaces of all drills, those that died too."""
    if shutil.which("ip") is None:
        return []
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=False)
    names = [line.split()[0] for line in listed.stdout.splitlines() if line.strip()]
    return [name for name in names if name.startswith(f"{NAME}-")]


def remove(number: int) -> None:
    """Remove all that the drill of this process id has made; its processes are gone."""
    for space in spaces():
        if space.startswith(f"{NAME}-{number}-"):
            subprocess.run(["ip", "netns", "del", space], capture_output=True, check=False)
    if shutil.which("ip") is not None:
        subprocess.run(["ip", "link", "del", f"{NAME}{number}"], capture_output=True, check=False)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
