"""The .rpm in a machine that has only rpm to install it with: its scriptlets, run by rpm itself.

It is a Debian all the same: no userland of Fedora's can be had here. What Fedora has and this
machine has not is stood in for: the policy that nothing is enabled, and, in the end, the program
that its macros call. The tests are the life of one machine, in order.
"""

from __future__ import annotations

import stat
from typing import Final

import pytest

from tests.fleet import until

from .fleet import Fleet
from .machine import IS_SHORT, Machine
from .packages import BUILDER, NEXT_VERSION, Packages, next_rpm
from .test_packages import UNITS, give, states

pytestmark = pytest.mark.skipif(
    IS_SHORT, reason="rpm's own checks of the file are in the short form"
)

PRESETS: Final = "/etc/systemd/system-preset"
HELPER: Final = "/usr/lib/systemd/systemd-update-helper"
HELPER_TEXT: Final = """\
#!/bin/sh
# The two verbs that packages of Fedora 41 and RHEL 9 call, as macros.systemd(5) has them.
verb=$1
shift
echo "$verb $*" >>/root/helped
case "$verb" in
install-system-units) systemctl --no-reload preset "$@" ;;
remove-system-units) systemctl --no-reload disable --now "$@" ;;
esac
"""


def rpm(machine: Machine, *arguments: str) -> str:
    """What rpm says; nothing of this machine is in its database."""
    return machine.says("rpm", *arguments)


@pytest.fixture(scope="module")
def installed(bare_machine: Machine, packages: Packages) -> Machine:
    """A machine with the package installed by rpm, where policy is that nothing is enabled."""
    bare_machine.run("mkdir", "-p", PRESETS)
    bare_machine.path(f"{PRESETS}/99-default.preset").write_text("disable *\n")
    rpm(bare_machine, "--initdb")
    said = rpm(bare_machine, "-i", "--nodeps", give(bare_machine, packages.rpm))
    assert said == ""
    return bare_machine


@pytest.fixture(scope="module")
def own_fleet(installed: Machine) -> Fleet:
    """A coordinator and an agent, as the README sets them up."""
    return Fleet(installed)


def test_it_installs_and_starts_nothing(installed: Machine) -> None:
    """The user is there, systemd knows the units, and every file is as the package says."""
    assert states(installed) == dict.fromkeys(UNITS, ("disabled", "inactive"))
    assert installed.says("id", "-un", "tocsin") == "tocsin"
    assert installed.says("tocsin", "--version").startswith("tocsin ")
    assert stat.S_IMODE(installed.path("/etc/tocsin/agent.toml").stat().st_mode) == 0o600
    assert rpm(installed, "-V", "--nodeps", "tocsin") == ""
    assert "need daemon-reload" not in installed.says("systemctl", "cat", *UNITS)


def test_an_upgrade_loses_no_run_and_no_setting(
    own_fleet: Fleet, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Signed by somebody. Runs go on, services are new; settings stay, and new ones lie beside."""
    machine = own_fleet.machine
    own_fleet.apply("long", shell="sleep 15; echo done $TOCSIN_RUN_ID")
    package, key = (give(machine, it) for it in next_rpm(tmp_path_factory.mktemp("next")))
    rpm(machine, "--import", key)
    assert rpm(machine, "-K", package).endswith(": digests signatures OK")
    assert rpm(machine, "-qp", "--qf", "%{PACKAGER}", package) == BUILDER
    machine.run("sh", "-c", "for n in 1 2 3 4 5; do tocsin job run long & done; wait")
    until(lambda: own_fleet.states("long")["running"] == 5, "all of them")
    settings = machine.path("/etc/tocsin/agent.toml")
    kept = settings.read_text()
    pids = {unit: machine.says("systemctl", "show", unit, "-PMainPID") for unit in UNITS}
    rpm(machine, "-U", "--nodeps", package)
    assert rpm(machine, "-q", "--qf", "%{VERSION}", "tocsin") == NEXT_VERSION
    now = {unit: machine.says("systemctl", "show", unit, "-PMainPID") for unit in UNITS}
    assert not set(now.values()) & {*pids.values(), "0"}
    assert settings.read_text() == kept
    assert machine.path("/etc/tocsin/agent.toml.rpmnew").read_text().endswith("# of next\n")
    assert not machine.path("/etc/tocsin/coordinator.toml.rpmnew").exists()
    assert states(machine) == dict.fromkeys(UNITS, ("enabled", "active"))
    until(lambda: own_fleet.states("long") == {"succeeded": 5}, "all runs to end")
    run_id = own_fleet.runs("long")[0]["id"]
    assert own_fleet.call("run", "logs", run_id) == f"done {run_id}\n"


def test_an_erasure_keeps_data_settings_and_runs(own_fleet: Fleet, packages: Packages) -> None:
    """The services end, a run does not; installed again, with the settings, its end is found."""
    machine = own_fleet.machine
    own_fleet.apply("last", shell="until [ -e /root/go ]; do sleep 0.2; done; echo the end")
    own_fleet.call("job", "run", "last")
    until(lambda: own_fleet.states("last")["running"] == 1, "the run")
    rpm(machine, "-e", "tocsin")
    assert {state for _, state in states(machine).values()} == {"inactive"}
    assert not machine.path("/usr/lib/tocsin").exists()
    assert not list(machine.path("/etc/systemd/system/multi-user.target.wants").glob("tocsin*"))
    assert machine.says("systemctl", "list-units", "--plain", "--no-legend", "tocsin-run-*")
    assert machine.path("/var/lib/tocsin/coordinator/coordinator.key").exists()
    saved = machine.path("/etc/tocsin/agent.toml.rpmsave")
    assert "endpoint" in saved.read_text()
    assert not machine.path("/etc/tocsin/agent.toml").exists()
    machine.run("touch", "/root/go")
    rpm(machine, "-i", "--nodeps", give(machine, packages.rpm))
    machine.run("mv", "/etc/tocsin/agent.toml.rpmsave", "/etc/tocsin/agent.toml")
    machine.run("systemctl", "enable", "--now", *UNITS)
    until(lambda: machine.run("tocsin", "status", check=False).returncode == 0, "the coordinator")
    until(lambda: own_fleet.states("last") == {"succeeded": 1}, "its end")
    assert own_fleet.call("run", "logs", own_fleet.runs("last")[0]["id"]) == "the end\n"
    rpm(machine, "-e", "tocsin")


def test_policy_and_the_program_of_fedoras_macros_are_heeded(
    installed: Machine, own_fleet: Fleet, packages: Packages
) -> None:
    """A unit that the policy wants is enabled at the installation; all is gone after it."""
    assert own_fleet
    installed.path(HELPER).write_text(HELPER_TEXT)
    installed.run("chmod", "755", HELPER)
    installed.path(f"{PRESETS}/50-own.preset").write_text("enable tocsin-coordinator.service\n")
    package = give(installed, packages.rpm)
    rpm(installed, "-i", "--nodeps", package)
    assert states(installed) == {
        "tocsin-coordinator": ("enabled", "inactive"),
        "tocsin-agent": ("disabled", "inactive"),
    }
    installed.run("systemctl", "start", "tocsin-coordinator")
    rpm(installed, "-e", "tocsin")
    assert {state for _, state in states(installed).values()} == {"inactive"}
    helped = [line.split()[0] for line in installed.path("/root/helped").read_text().splitlines()]
    assert helped == ["install-system-units", "remove-system-units"]
    assert not list(installed.path("/etc/systemd/system/multi-user.target.wants").glob("tocsin*"))
