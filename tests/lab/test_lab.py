"""Tocsin where systemd is PID 1: runs are units, and outlive whoever watches them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.fleet import until

from . import root
from .machine import Machine

RUNS: Final = 50
ADMIN: Final = "/var/lib/tocsin/coordinator/admin.toml"
DROP_INS: Final = {
    "tocsin-coordinator": "[Service]\nUser=root\n",
    "tocsin-agent": (
        "[Service]\nEnvironment=HOME=/root\nConfigurationDirectory=\nStateDirectory=\n"
        "RuntimeDirectory=\nLogsDirectory=\n"
    ),
}
"""Coordinator and agent share a machine here; the agent keeps its things where root joined it."""


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    """A booted Debian 12 with this checkout in it."""
    why = root.why_not()
    if why and os.environ.get("CI"):
        pytest.fail(f"no machine can be booted here: {why}")
    if why:
        pytest.skip(f"no machine can be booted here: {why}")
    made = Machine("bookworm")
    yield made
    made.close()


@pytest.fixture(scope="module")
def fleet(machine: Machine) -> Machine:
    """The same machine with a coordinator and an agent under systemd."""
    for unit, text in DROP_INS.items():
        folder = f"/etc/systemd/system/{unit}.service.d"
        machine.run("mkdir", "-p", folder)
        machine.run("tee", f"{folder}/lab.conf", text=text)
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "start", "tocsin-coordinator")
    joined = tell(machine, "agent", "token")["join"]
    machine.run("tocsin", "agent", "join", joined, "--name", "lab")
    settings = "/root/.config/tocsin/agent.toml"
    machine.run("sh", "-c", f"echo 'slots = {RUNS}' >> {settings}")
    machine.run("systemctl", "start", "tocsin-agent")
    until(lambda: tell(machine, "agent", "list")[0]["state"] == "up", "the agent")
    return machine


def tell(machine: Machine, *arguments: str, text: str | None = None) -> Any:
    """What a command prints with `-o json`."""
    command = ("tocsin", "--context", ADMIN, *arguments, "-o", "json")
    return json.loads(machine.run(*command, text=text).stdout)


def states(machine: Machine) -> list[str]:
    """Of all runs."""
    return [run["state"] for run in tell(machine, "run", "list", "-n", "1000")]


@pytest.mark.parametrize("suite", ["test_units.py", "test_lost_hosts.py"])
def test_what_a_host_does_with_units(machine: Machine, suite: str) -> None:
    """The tests inside, where systemd is there."""
    python = ("python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout", "100")
    done = machine.run(
        "sh", "-c", f"cd /src && {' '.join(python)} tests/lab/inside/{suite}", check=False
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_fifty_runs_survive_every_restart_of_their_agent(fleet: Machine) -> None:
    """In good order, killed, and with their host killed too: each ends as it would have."""
    block = {"command": "sleep 45; echo done $TOCSIN_RUN_ID", "unit": True}
    job = {"shell": block, "overlap": "allow", "schedule": "@manual"}
    done = fleet.run(
        "tocsin", "--context", ADMIN, "apply", "-", text=json.dumps({"jobs": {"long": job}})
    )
    assert "long" in done.stdout
    asks = f"for n in $(seq {RUNS}); do tocsin --context {ADMIN} job run long; done"
    fleet.run("sh", "-c", asks)
    until(lambda: states(fleet).count("running") == RUNS, "all runs under way")
    fleet.run("systemctl", "restart", "tocsin-agent")
    fleet.run("systemctl", "kill", "-s", "KILL", "--kill-who=main", "tocsin-agent")
    fleet.run("pkill", "-KILL", "-f", "tocsin.executors.host shell")
    until(lambda: set(states(fleet)) == {"succeeded"}, "all runs", 400)
    assert len(states(fleet)) == RUNS
    for run in tell(fleet, "run", "list", "-n", "1000"):
        logs = fleet.run("tocsin", "--context", ADMIN, "run", "logs", run["id"]).stdout
        assert logs == f"done {run['id']}\n"
