"""The services: set up, watched, reloaded, given keys, and looked at by the doctor."""

from __future__ import annotations

import functools
import json
import stat
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.fleet import until

from .fleet import Fleet

COORDINATOR: Final = "tocsin-coordinator"
AGENT: Final = "tocsin-agent"
BOTH: Final = (COORDINATOR, AGENT)
WATCHDOG_S: Final = 3
HANG: Final = """\
import signal, time
signal.signal(signal.SIGUSR1, lambda number, frame: time.sleep(3600))
"""
"""Has whatever Python runs hang on SIGUSR1, in the middle of what its main thread does."""
CANARY: Final = "canary-Zt4kQ9"
WITNESS: Final = """\
import subprocess
from tocsin.executors.scripted import Scripted

class Witness(Scripted):
    name = "witness"

LOOK = "cat /proc/[0-9]*/cmdline; systemctl show --all '*'"
with open("/root/seen", "ab") as seen:
    subprocess.run(["sh", "-c", LOOK + " 2>/dev/null"], stdout=seen)
"""
"""An executor that writes down what anybody may see, from a probe and from a host."""


def show(fleet: Fleet, unit: str, name: str) -> str:
    """A property of a unit."""
    return fleet.machine.says("systemctl", "show", unit, f"--property={name}", "--value")


def is_another(fleet: Fleet, unit: str, gone: set[str]) -> bool:
    """Whether the main process of a unit is none of these."""
    return show(fleet, unit, "MainPID") not in gone


def wait_up(fleet: Fleet) -> None:
    """Wait until the agent is connected."""
    answers = fleet.machine.run
    until(lambda: answers("tocsin", "status", check=False).returncode == 0, "the coordinator")
    until(lambda: fleet.tell("agent", "list")[0]["state"] == "up", "the agent")


def test_three_commands_made_a_fleet(fleet: Fleet) -> None:
    """Both are services; the agent's things are the service's, and root's commands work."""
    for unit in BOTH:
        assert fleet.machine.says("systemctl", "is-enabled", unit) == "enabled"
    assert not fleet.machine.path("/root/.config/tocsin/agent.toml").exists()
    settings = fleet.machine.path("/etc/tocsin/agent.toml")
    assert stat.S_IMODE(settings.stat().st_mode) == 0o600
    assert settings.read_text().endswith("# what somebody wrote\ndrain_s = 1\n")
    assert stat.S_IMODE(settings.parent.stat().st_mode) == 0o755
    key = fleet.machine.path("/var/lib/tocsin/coordinator/coordinator.key")
    assert key.stat().st_uid != 0
    assert fleet.tell("status")["role"] == "admin"


def test_setting_up_again_changes_nothing(fleet: Fleet) -> None:
    """It keeps what there is, and makes another word; a dry run does not even that."""
    pid = show(fleet, COORDINATOR, "MainPID")
    again = fleet.tell("init", "coordinator")
    assert again["undo"] == []
    assert again["join"].startswith("j1:")
    assert fleet.tell("init", "coordinator", "--dry-run")["join"] is None
    assert show(fleet, COORDINATOR, "MainPID") == pid
    joined = fleet.machine.run("tocsin", "agent", "join", again["join"], check=False)
    assert (joined.returncode, "belongs to a coordinator already" in joined.stderr) == (2, True)


def test_systemd_is_told_how_they_are(fleet: Fleet) -> None:
    """One line each, and fields in the journal."""
    until(lambda: "connected to localhost:7370" in show(fleet, AGENT, "StatusText"), "the agent")
    until(lambda: "1 of 1 agents up" in show(fleet, COORDINATOR, "StatusText"), "the coordinator")
    found = fleet.machine.says(
        "journalctl", "TOCSIN_EVENT=agent.hello", "TOCSIN_AGENT=lab", "-o", "json", "-n", "1"
    )
    assert json.loads(found)["TOCSIN_PART"] == "coordinator"


def test_a_reload_is_heeded(fleet: Fleet) -> None:
    """Tags of the agent hold from then on, and the coordinator logs less; no process is new."""
    pids = [show(fleet, unit, "MainPID") for unit in BOTH]
    settings = fleet.machine.path("/etc/tocsin/agent.toml")
    before = settings.read_text()
    settings.write_text(f'tags = {{rack = "7"}}\n{before}')
    other = fleet.machine.path("/etc/tocsin/coordinator.toml")
    other.write_text(other.read_text() + 'log_level = "warning"\n')
    fleet.machine.run("systemctl", "reload", *BOTH)
    until(lambda: fleet.tell("agent", "list")[0]["tags"].get("rack") == "7", "the tag")
    settings.write_text("endpoint = 5\n")
    fleet.machine.run("systemctl", "reload", AGENT)
    refused = ["journalctl", "TOCSIN_EVENT=reload.refused", "-o", "cat"]
    until(lambda: "endpoint" in fleet.machine.says(*refused), "the refusal")
    settings.write_text(before)
    fleet.machine.run("systemctl", "reload", AGENT)
    until(lambda: "rack" not in fleet.tell("agent", "list")[0]["tags"], "the tag to go")
    assert [show(fleet, unit, "MainPID") for unit in BOTH] == pids


def test_executors_are_units_of_their_own(fleet: Fleet) -> None:
    """The one for http is locked in and works; a program of another user needs no unit for it."""
    run = fleet.machine.run
    serve = ["python3", "-m", "http.server", "--bind", "127.0.0.1", "--directory", "/usr/share/doc"]
    run("systemd-run", "--unit=web", *serve, "8099")
    fleet.apply("web", http="http://127.0.0.1:8099/", retry={"limit": 5, "delay": "1s"})
    assert fleet.run("web")["state"] == "succeeded"
    assert show(fleet, "tocsin-executor@http", "ProtectSystem") == "strict"
    assert show(fleet, "tocsin-executor@http", "Slice") == "tocsin-jobs.slice"
    fleet.apply("plain", run_as="nobody", shell={"command": "id -un", "unit": False})
    shown = fleet.run("plain")
    assert (shown["state"], fleet.call("run", "logs", shown["id"])) == ("succeeded", "nobody\n")
    run("systemctl", "stop", "web")


def test_settings_of_executors_are_shown_to_nobody(fleet: Fleet) -> None:
    """No command line and no property of a unit has them: of the agent, of probes, of hosts."""
    machine = fleet.machine
    machine.path("/usr/lib/python3/dist-packages/witness.py").write_text(WITNESS)
    settings = machine.path("/etc/tocsin/agent.toml")
    before = settings.read_text()
    table = f'[executor.api]\nuse = "witness:Witness"\nconfig = {{line = "{CANARY}", lines = 1}}\n'
    settings.write_text(f"{before}{table}")
    machine.run("systemctl", "restart", AGENT)
    until(lambda: "api" in fleet.call("executor", "list"), "the executor")
    fleet.apply("told", api={})
    shown = fleet.run("told")
    assert fleet.call("run", "logs", shown["id"]) == f"{CANARY}\n"
    seen = machine.path("/root/seen").read_bytes()
    for module in ("tocsin.agent.process", "tocsin.executors.describe", "tocsin.executors.host"):
        assert module.encode() in seen
    assert b"tocsin-executor@api.service" in seen
    assert CANARY.encode() not in seen
    settings.write_text(before)
    machine.run("systemctl", "restart", AGENT)
    wait_up(fleet)


@pytest.fixture
def watched(fleet: Fleet) -> Iterator[Fleet]:
    """A fleet whose watchdogs are impatient, and whose loops can be made to hang."""
    machine = fleet.machine
    machine.run("mkdir", "-p", "/opt/hang")
    machine.path("/opt/hang/sitecustomize.py").write_text(HANG)
    drop_in = f"[Service]\nWatchdogSec={WATCHDOG_S}\nEnvironment=PYTHONPATH=/opt/hang\n"
    for unit in BOTH:
        machine.run("mkdir", "-p", f"/run/systemd/system/{unit}.service.d")
        machine.path(f"/run/systemd/system/{unit}.service.d/lab.conf").write_text(drop_in)
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", *BOTH)
    wait_up(fleet)
    yield fleet
    for unit in BOTH:
        machine.run("rm", "-r", f"/run/systemd/system/{unit}.service.d")
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", *BOTH)
    wait_up(fleet)


def test_who_hangs_is_started_again(watched: Fleet) -> None:
    """A frozen process, and a loop that does not go round: both are missed, and replaced.

    What runs meanwhile goes on, and its end is told.
    """
    watched.apply("through", shell=f"sleep {4 * WATCHDOG_S}; echo through")
    watched.call("job", "run", "through")
    until(lambda: watched.states("through")["running"] == 1, "the run")
    for signal in ("STOP", "USR1"):
        pids = {unit: show(watched, unit, "MainPID") for unit in BOTH}
        watched.machine.run("kill", f"-{signal}", *pids.values())
        for unit, pid in pids.items():
            gone = {"0", pid}
            until(functools.partial(is_another, watched, unit, gone), f"another {unit}")
        wait_up(watched)
    until(lambda: watched.states("through") == {"succeeded": 1}, "its end")
    # By name: a pattern has it look through the units of all runs that there ever were.
    found = watched.machine.says("journalctl", "-u", COORDINATOR, "-u", AGENT, "-o", "cat")
    assert found.count("Watchdog timeout (limit 3s)!") == 4


def test_keys_come_as_credentials(fleet: Fleet) -> None:
    """From where only root and systemd may look; everybody knows them still."""
    machine = fleet.machine
    keys = {
        COORDINATOR: "/var/lib/tocsin/coordinator/coordinator.key",
        AGENT: "/var/lib/tocsin-agent/agent/agent.key",
    }
    machine.run("mkdir", "-p", "-m", "700", "/etc/credstore")
    for unit, key in keys.items():
        stored = f"/etc/credstore/{unit.replace('-', '.')}.key"
        machine.run("install", "-m", "600", "-o", "root", key, stored)
        machine.run("mv", key, f"{key}.away")
    machine.run("systemctl", "restart", *BOTH)
    wait_up(fleet)
    assert not [key for key in keys.values() if machine.path(key).exists()]
    for unit, key in keys.items():
        machine.run("rm", f"/etc/credstore/{unit.replace('-', '.')}.key")
        machine.run("mv", f"{key}.away", key)
    machine.run("systemctl", "restart", *BOTH)
    wait_up(fleet)


def doctor(fleet: Fleet) -> tuple[int, list[dict[str, Any]]]:
    """The exit code, and what is not as it should be."""
    done = fleet.machine.run("tocsin", "doctor", "-q", "-o", "json", check=False)
    return done.returncode, json.loads(done.stdout)["checks"]


def test_the_doctor_finds_what_was_broken_and_how_to_mend_it(fleet: Fleet) -> None:
    """What it says to do is done, word for word, until nothing is left."""
    wait_up(fleet)
    assert doctor(fleet) == (0, [])
    run = fleet.machine.run
    run("chmod", "644", "/var/lib/tocsin-agent/agent/agent.key")
    run("chown", "nobody", "/var/lib/tocsin/coordinator/admin.key")
    run("chmod", "700", "/etc/tocsin")
    run("systemctl", "disable", AGENT)
    run("systemctl", "stop", COORDINATOR)
    run("chown", "root", "/var/lib/tocsin/coordinator")
    code, found = doctor(fleet)
    assert code == 1
    checks = {it["check"] for it in found}
    assert {"agent key", "coordinator settings", "agent service", "coordinator service",
            "coordinator data", "agent link", "coordinator"} <= checks  # fmt: skip
    for _ in range(4):
        for it in found:
            if it["mend"] and it["mend"].split()[0] in {"chmod", "chown", "systemctl"}:
                run("sh", "-c", it["mend"], check=False)
        wait_up(fleet)
        code, found = doctor(fleet)
        if not found:
            break
    assert (code, found) == (0, [])
