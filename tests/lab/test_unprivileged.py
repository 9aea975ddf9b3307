"""Agents that are not root, set up by the examples that are shipped, word for word."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

import pytest

from tests.fleet import until

from .fleet import Fleet
from .machine import IS_SHORT, Machine
from .packages import Packages
from .test_packages import apt, give

pytestmark = pytest.mark.skipif(IS_SHORT, reason="one more machine")

USER: Final = "tocsin-agent"
EXAMPLES: Final = "/usr/share/doc/tocsin/examples"
UNPRIVILEGED: Final = ("agent-unprivileged.conf",)
BY_POLKIT: Final = ("agent-polkit.conf", "agent-polkit.rules", "executor-agent-user.conf")


@pytest.fixture(scope="module")
def installed(bare_machine: Machine, packages: Packages) -> Machine:
    """A machine with the package and a user for the agent."""
    apt(bare_machine, "install", give(bare_machine, packages.deb))
    home = ["--create-home", "--home-dir", f"/var/lib/{USER}"]
    bare_machine.run("useradd", "--system", *home, "--shell", "/usr/sbin/nologin", USER)
    return bare_machine


def copy_example(machine: Machine, name: str) -> None:
    """Put an example where its first line says."""
    first = machine.path(f"{EXAMPLES}/{name}").read_text().splitlines()[0]
    place = first.split()[1].rstrip(":")
    machine.run("install", "-D", "-m", "644", f"{EXAMPLES}/{name}", place)


@pytest.fixture(scope="module", params=[UNPRIVILEGED, BY_POLKIT], ids=["processes", "polkit"])
def fleet(installed: Machine, request: pytest.FixtureRequest) -> Iterator[Fleet]:
    """A coordinator, and an agent that is not root."""
    for name in request.param:
        copy_example(installed, name)
    installed.run("systemctl", "daemon-reload")
    yield Fleet(installed)
    installed.run("systemctl", "disable", "--now", "tocsin-agent", "tocsin-coordinator")
    installed.run("systemctl", "stop", "tocsin-executor*@*.service")
    gone = [
        "/etc/systemd/system/tocsin-*.d",
        "/etc/polkit-1/rules.d/50-tocsin.rules",
        "/etc/tocsin",
    ]
    gone += ["/var/lib/tocsin", "/var/lib/tocsin-agent", "/root/.config/tocsin"]
    installed.run("sh", "-c", f"rm -rf {' '.join(gone)}")
    installed.run("systemctl", "daemon-reload")


def is_by_polkit(fleet: Fleet) -> bool:
    """Which of the two examples it is."""
    return fleet.machine.path("/etc/polkit-1/rules.d/50-tocsin.rules").exists()


def test_it_is_not_root_and_the_doctor_is_content(fleet: Fleet) -> None:
    """Its settings, its key and its data are in its reach."""
    pid = fleet.machine.says("systemctl", "show", "tocsin-agent", "-PMainPID")
    assert fleet.machine.says("ps", "-o", "user=", "-p", pid) == USER
    done = fleet.machine.run("tocsin", "doctor", "-q", "-o", "json", check=False)
    assert json.loads(done.stdout)["checks"] == []


def test_who_runs_jobs(fleet: Fleet) -> None:
    """The agent's user, where all are its processes; with units whoever the job says."""
    fleet.apply("who", shell="id -un; ps -o unit= $$")
    user, unit = fleet.call("run", "logs", fleet.run("who")["id"]).split()
    by_polkit = is_by_polkit(fleet)
    assert user == ("root" if by_polkit else USER)
    assert unit.startswith("tocsin-run-" if by_polkit else "tocsin-agent.service")
    fleet.apply("other", run_as="nobody", limits={"tasks": 99}, shell="id -un")
    shown = fleet.run("other")
    if by_polkit:
        assert (shown["state"], fleet.call("run", "logs", shown["id"])) == ("succeeded", "nobody\n")
    else:
        assert shown["state"] == "failed"


def test_other_executors_work(fleet: Fleet) -> None:
    """Also one that is locked in."""
    serve = ["python3", "-m", "http.server", "--bind", "127.0.0.1", "--directory", "/usr/share/doc"]
    fleet.machine.run("systemd-run", "--unit=web", *serve, "8099")
    again = {"limit": 5, "delay": "1s"}
    fleet.apply("web", http="http://127.0.0.1:8099/", retry=again)
    assert fleet.run("web")["state"] == "succeeded"
    fleet.apply("exec", exec={"program": "/usr/bin/id"})
    shown = fleet.run("exec")
    assert shown["state"] == "succeeded"
    fleet.machine.run("systemctl", "stop", "web")


def test_runs_outlive_a_restart(fleet: Fleet) -> None:
    """Their output is read and deleted by the agent, whoever wrote it."""
    fleet.apply("long", shell="sleep 4; echo done; echo oops >&2")
    fleet.call("job", "run", "long")
    until(lambda: fleet.states("long")["running"] == 1, "the run")
    fleet.machine.run("systemctl", "restart", "tocsin-agent")
    if is_by_polkit(fleet):
        fleet.machine.run("systemctl", "kill", "--signal=KILL", "tocsin-executor@shell")
    until(lambda: fleet.states("long") == {"succeeded": 1}, "its end")
    assert "done\n" in fleet.call("run", "logs", fleet.runs("long")[0]["id"])
    output = fleet.machine.path("/var/lib/tocsin-agent/agent/output")
    until(lambda: not list(output.iterdir()), "the output to be delivered")
