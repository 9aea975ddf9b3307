"""Two agents on one machine, side by side, and what a removal and a purge do to runs under way.

The tests are the life of one machine, in order.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Final

import pytest

from tests.fleet import until

from .fleet import Fleet
from .machine import IS_SHORT, Machine
from .packages import Packages
from .test_packages import apt, files_of, give

pytestmark = pytest.mark.skipif(IS_SHORT, reason="one more machine")

FIRST: Final = "tocsin-agent.service"
SECOND: Final = "tocsin-agent@web.2.service"
LINK: Final = "/etc/systemd/system/tocsin-executor-web.2@.service"


@pytest.fixture(scope="module")
def before(bare_machine: Machine) -> set[str]:
    """What there was on the machine."""
    return files_of(bare_machine)


@pytest.fixture(scope="module")
def two(bare_machine: Machine, before: set[str], packages: Packages) -> Fleet:
    """A coordinator with two agents on its machine."""
    assert before
    apt(bare_machine, "install", give(bare_machine, packages.deb))
    fleet = Fleet(bare_machine)
    word = fleet.tell("init", "coordinator", "--host", "localhost")["join"]
    joined = fleet.tell("agent", "join", word, "--instance", "web.2", "--tag", "n=2")
    assert joined["names"] == [f"{bare_machine.suite}-web.2"]
    assert (joined["service"], joined["started"]) == (SECOND, True)
    assert f"rm {LINK}" in joined["undo"]
    with bare_machine.path("/etc/tocsin/agents/web.2/agent.toml").open("a") as file:
        file.write("drain_s = 1\n")
    bare_machine.run("systemctl", "reload", SECOND)
    wait_up(fleet)
    return fleet


def wait_up(fleet: Fleet) -> None:
    """Wait until both agents are connected."""
    answers = fleet.machine.run
    until(lambda: answers("tocsin", "status", check=False).returncode == 0, "the coordinator")
    until(lambda: {it["state"] for it in fleet.tell("agent", "list")} == {"up"}, "both agents")


def pid_of(fleet: Fleet, unit: str) -> str:
    """The main process of a unit."""
    return fleet.machine.says("systemctl", "show", unit, "-PMainPID")


def is_active(fleet: Fleet, unit: str) -> bool:
    """Whether a unit runs."""
    return fleet.machine.run("systemctl", "is-active", unit, check=False).returncode == 0


def go(fleet: Fleet, job: str, *, count: int = 2) -> None:
    """Run a job that ends when somebody says so, and wait until it is under way."""
    fleet.machine.run("rm", "-f", "/root/go")
    fleet.call("job", "run", job)
    until(lambda: fleet.states(job)["running"] == count, f"{job} to run")


def apply_waiting(fleet: Fleet, job: str, **shell: object) -> None:
    """Apply a job for all agents whose runs wait for a file."""
    line = "until [ -e /root/go ]; do sleep 0.2; done; echo the end"
    fleet.apply(job, target={"agents": "all"}, shell={"command": line, **shell})


def test_each_has_its_own_places(two: Fleet) -> None:
    """Settings, data and sockets; the doctor looks at both and finds nothing."""
    machine = two.machine
    for path in ("/etc/tocsin/agents/web.2/agent.toml", "/run/tocsin-agents/web.2/agent",
                 "/var/lib/tocsin-agents/web.2/agent/agent.key", LINK):  # fmt: skip
        assert machine.path(path).exists() or machine.path(path).is_symlink(), path
    checks = two.tell("doctor")
    assert (checks["faults"], checks["warnings"]) == (0, 0), checks
    said = {it["check"] for it in checks["checks"]}
    assert {"agent service", "agent web.2 service", "agent link", "agent web.2 link"} <= said
    again = machine.run("tocsin", "agent", "join", "j1:a:1:b", "--instance", "a-b", check=False)
    assert "cannot be an instance" in again.stderr


def test_a_restart_of_one_is_nothing_to_the_other(two: Fleet) -> None:
    """Runs of both go on, in units of their own, and end as they would have."""
    run = two.machine.run
    apply_waiting(two, "side", unit=True)
    go(two, "side")
    first, hosts = pid_of(two, FIRST), ("tocsin-executor@shell", "tocsin-executor-web.2@shell")
    assert all(is_active(two, host) for host in hosts)
    kept = pid_of(two, hosts[0])
    run("systemctl", "restart", SECOND)
    run("systemctl", "kill", "--signal=KILL", hosts[1])
    wait_up(two)
    assert (pid_of(two, FIRST), pid_of(two, hosts[0])) == (first, kept)
    assert two.states("side") == {"running": 2}
    run("touch", "/root/go")
    until(lambda: two.states("side") == {"succeeded": 2}, "the end of both")
    assert Counter(two.call("run", "logs", it["id"]) for it in two.runs("side")) == {"the end\n": 2}


def test_sandboxes_of_executors_hold_for_both(two: Fleet) -> None:
    """Those that are shipped, without a word from anybody; http works in it."""
    run = two.machine.run
    serve = ["python3", "-m", "http.server", "--bind", "127.0.0.1", "--directory", "/usr/share/doc"]
    run("systemd-run", "--unit=web", *serve, "8099")
    again = {"limit": 5, "delay": "1s"}
    two.apply("web", target={"agents": "all"}, http="http://127.0.0.1:8099/", retry=again)
    two.call("job", "run", "web")
    until(lambda: two.states("web") == {"succeeded": 2}, "both")
    for host in ("tocsin-executor@http", "tocsin-executor-web.2@http"):
        assert two.machine.says("systemctl", "show", host, "-PProtectSystem") == "strict"
    run("systemctl", "stop", "web")


def test_the_doctor_mends_it(two: Fleet) -> None:
    """What makes systemd know the hosts of its executors is missing: it says how to mend that."""
    two.machine.run("rm", LINK)
    done = two.machine.run("tocsin", "doctor", "-q", "-o", "json", check=False)
    (found,) = json.loads(done.stdout)["checks"]
    assert found["check"] == "agent web.2 executors"
    two.machine.run("sh", "-c", found["mend"])
    assert two.tell("doctor")["faults"] == 0


def test_another_installation_restarts_both(two: Fleet, packages: Packages) -> None:
    """Runs go on through it."""
    apply_waiting(two, "through")
    go(two, "through")
    pids = {unit: pid_of(two, unit) for unit in (FIRST, SECOND)}
    apt(two.machine, "install", "--reinstall", give(two.machine, packages.deb))
    assert not {pid_of(two, unit) for unit in pids} & {*pids.values(), "0"}
    wait_up(two)
    two.machine.run("touch", "/root/go")
    until(lambda: two.states("through") == {"succeeded": 2}, "both ends")


def test_runs_go_on_after_a_removal(two: Fleet, packages: Packages) -> None:
    """Those that are units; the others are ended. Installed again, it knows how each ended."""
    machine = two.machine
    apply_waiting(two, "unit", unit=True)
    apply_waiting(two, "child", unit=False)
    go(two, "unit")
    go(two, "child")
    apt(machine, "remove", "tocsin")
    assert not any(is_active(two, it) for it in (FIRST, SECOND, "tocsin-coordinator"))
    listed = ["systemctl", "list-units", "--plain", "--no-legend"]
    assert len(machine.says(*listed, "tocsin-run-*").splitlines()) == 2
    assert machine.says(*listed, "tocsin-executor*") == ""
    machine.run("touch", "/root/go")
    apt(machine, "install", give(machine, packages.deb))
    machine.run("systemctl", "start", FIRST, SECOND, "tocsin-coordinator")
    wait_up(two)
    until(lambda: two.states("unit") == {"succeeded": 2}, "the ends of units")
    until(lambda: two.states("child") == {"failed": 2}, "the others")


def test_a_purge_ends_runs_and_leaves_nothing(two: Fleet, before: set[str]) -> None:
    """Of the package, its agents and their runs; the user stays, as Debian wants it."""
    machine = two.machine
    go(two, "unit")
    apt(machine, "purge", "tocsin")
    assert sorted(files_of(machine) - before) == []
    assert not list(machine.path("/run").glob("tocsin*"))
    assert machine.says("systemctl", "list-units", "--all", "--no-legend", "tocsin*") == ""
    assert machine.run("pgrep", "-f", "until . -e /root/go", check=False).returncode == 1
