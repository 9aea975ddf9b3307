"""The doctor on a real fleet, each fault really made."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fleet import Fleet, until


class Host:
    """The host of an agent, as its user sees it."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.config = fleet.home / "web1" / "config"
        self.data = fleet.home / "web1" / "data" / "agent"

    def doctor(self, who: str = "web1", *options: str) -> tuple[int, list[dict[str, Any]]]:
        """The exit code, and what is not as it should be."""
        done = self.fleet.call("doctor", "-q", "-o", "json", *options, who=who)
        found: list[dict[str, Any]] = json.loads(done.stdout)["checks"]
        return done.returncode, found

    def faults(self, who: str = "web1") -> dict[str, str]:
        """What is said of each fault, by check."""
        code, found = self.doctor(who)
        said = {it["check"]: it["said"] for it in found if it["verdict"] == "fault"}
        assert code == bool(said)
        assert all(it["mend"] for it in found)
        return said


@pytest.fixture
def host(fleet: Fleet) -> Host:
    """A host whose agent is up."""
    fleet.join("web1")
    fleet.start_agent("web1")
    return Host(fleet)


def test_a_sound_host_has_no_faults(host: Host) -> None:
    """Neither side has; what there is to be said is said without --quiet."""
    assert host.doctor() == (0, [])
    assert host.doctor("coordinator") == (0, [])
    said = host.fleet.call("doctor", who="web1").stdout
    assert said.endswith("0 faults, 0 warnings\n")
    assert "lets this host's agent in" in said


def test_where_nothing_is_set_up(host: Host) -> None:
    """That is said, and what to begin with."""
    assert host.faults("elsewhere") == {"context": "no coordinator is known here"}


def append(path: Path, line: str) -> None:
    """One more line."""
    path.write_text(f"{path.read_text()}{line}\n")


def replace(path: Path, old: str, new: str) -> None:
    """Other words in a file."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def secret(host: Host) -> None:
    """A secret for everybody."""
    folder = host.config / "secrets"
    folder.mkdir()
    (folder / "PASSWORD").write_text("x")
    (folder / "PASSWORD").chmod(0o644)


FAULTS: dict[str, tuple[Callable[[Host], object], str, str]] = {
    "key open to others": (
        lambda host: (host.data / "agent.key").chmod(0o644), "agent key", "lets others use"),
    "key gone": (lambda host: (host.data / "agent.key").unlink(), "agent key", "is missing"),
    "data open to others": (
        lambda host: host.data.chmod(0o777), "agent data", "others than its owner can change"),
    "settings with a slip": (
        lambda host: append(host.config / "agent.toml", "slotz = 3"), "agent settings", "slotz"),
    "settings that make no sense": (
        lambda host: replace(host.config / "agent.toml", "tcp://", "http://"),
        "agent settings", "http://"),
    "secrets open to others": (secret, "agent secrets", "others than its owner"),
    "another port": (
        lambda host: replace(host.config / "agent.toml", f":{host.fleet.ports[0]}", ":1"),
        "agent link", "does not answer"),
    "another key of the coordinator": (
        lambda host: replace(
            host.config / "agent.toml", 'server_key = "', 'server_key = "' + "0" * 63 + '1"  # '),
        "agent link", "has another key"),
    "a copied machine": (
        lambda host: (host.data / "machine-id").write_text("of another\n"), "machine", "is a copy"),
    "agent away": (lambda host: host.fleet.stop("web1"), "agents", "not connected"),
    "coordinator away": (
        lambda host: host.fleet.stop("coordinator"), "coordinator", "no answer"),
}  # fmt: skip


def test_each_fault_is_found(host: Host) -> None:
    """One after the other, each in files that are sound otherwise."""
    kept = {path: (path.read_bytes(), path.stat().st_mode) for path in (
        host.config / "agent.toml", host.data / "agent.key", host.data / "machine-id")}  # fmt: skip
    for what, (do, check, said) in FAULTS.items():
        do(host)
        assert said in host.faults().get(check, ""), (what, host.faults())
        for path, (data, mode) in kept.items():
            path.write_bytes(data)
            path.chmod(mode)
        host.data.chmod(0o700)
        for path in (host.config / "secrets").glob("*"):
            path.chmod(0o600)


def test_a_host_that_was_struck_off(host: Host) -> None:
    """Its agent is turned away, and so is its command line."""
    host.fleet.call("agent", "revoke", "web1", check=True)
    found = host.faults()
    assert "does not know this agent's key" in found["agent link"]
    assert "does not know our key" in found["coordinator"]


def test_the_coordinators_own_faults(host: Host) -> None:
    """A database that is damaged, a warning for an agent whose executor does not work."""
    fleet = host.fleet
    append(host.config / "agent.toml", '[executor.odd]\nuse = "nowhere:Odd"')
    os.kill(fleet.processes["web1"].pid, signal.SIGHUP)
    until(lambda: any(it["check"] == "executors" for it in host.doctor("coordinator")[1]), "odd")
    fleet.stop("coordinator")
    database = fleet.home / "coordinator" / "data" / "coordinator" / "tocsin.db"
    with database.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096)
    found = host.faults("coordinator")
    assert "is damaged" in found["database"]
