"""The .deb in a Debian that has never seen Tocsin, from its installation to its purge.

The tests are the life of one machine, in order.
"""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.fleet import until
from tocsin import __version__

from .fleet import Fleet
from .machine import IS_SHORT, Machine
from .packages import OLD_VERSION, Packages, older
from .root import PYTHONS

UNITS: Final = ("tocsin-coordinator", "tocsin-agent")
RUNS: Final = 20
VERSION_MS_MAX: Final = 40.0
"""What `tocsin --version` may take above a bare Python."""
_ELSEWHERE: Final = (
    "/proc", "/sys", "/dev", "/run", "/tmp", "/var/tmp", "/root", "/var/log", "/var/cache",
    "/var/lib/dpkg", "/var/lib/apt", "/var/lib/systemd",
)  # fmt: skip
"""Where others write, or what the test itself does."""


def files_of(machine: Machine) -> set[str]:
    """All files and folders of a machine that a package could leave behind."""
    prunes = " -o ".join(f"-path {folder}" for folder in _ELSEWHERE)
    found = machine.run("sh", "-c", f"find / -xdev \\( {prunes} \\) -prune -o -print").stdout
    return set(found.splitlines())


def apt(machine: Machine, *arguments: str) -> None:
    """Run apt-get as somebody does who is not there to answer."""
    environ = ["env", "DEBIAN_FRONTEND=noninteractive"]
    machine.run(*environ, "apt-get", "-q", "-y", "--no-install-recommends", *arguments)


def states(machine: Machine) -> dict[str, tuple[str, str]]:
    """Of each unit, whether it is enabled and whether it runs."""
    ask = machine.run
    return {
        unit: (ask("systemctl", "is-enabled", unit, check=False).stdout.strip(),
               ask("systemctl", "is-active", unit, check=False).stdout.strip())
        for unit in UNITS
    }  # fmt: skip


def give(machine: Machine, package: Path) -> str:
    """Copy a package into a machine; its path there."""
    inside = f"/root/{package.name}"
    machine.path(inside).write_bytes(package.read_bytes())
    return inside


@pytest.fixture(scope="module")
def before(bare_machine: Machine) -> set[str]:
    """What there was on the machine."""
    return files_of(bare_machine)


@pytest.fixture(scope="module")
def installed(
    bare_machine: Machine,
    before: set[str],
    packages: Packages,
    tmp_path_factory: pytest.TempPathFactory,
) -> Machine:
    """The machine, with a release of long ago installed."""
    assert before
    python = PYTHONS[bare_machine.suite]
    old = older(packages.deb, tmp_path_factory.mktemp("old"), python)
    apt(bare_machine, "install", give(bare_machine, old))
    return bare_machine


@pytest.fixture(scope="module")
def own_fleet(installed: Machine) -> Fleet:
    """A coordinator and an agent, as the README sets them up."""
    return Fleet(installed)


def test_nothing_is_enabled_or_started(installed: Machine) -> None:
    """Which of the two a host is to be is not known yet."""
    assert states(installed) == dict.fromkeys(UNITS, ("disabled", "inactive"))
    assert installed.says("tocsin", "--version") == f"tocsin {OLD_VERSION}"
    assert installed.says("dpkg", "-V", "tocsin") == ""
    assert installed.says("id", "-un", "tocsin") == "tocsin"
    assert stat.S_IMODE(installed.path("/etc/tocsin/agent.toml").stat().st_mode) == 0o600


def test_a_python_that_nothing_was_compiled_for(installed: Machine) -> None:
    """Bytecode is made at the installation, and when that Python is there later on."""
    version = PYTHONS[installed.suite]
    tag = version.replace(".", "")
    made = installed.path(f"/usr/lib/tocsin/site/tocsin/cli/__pycache__/root.cpython-{tag}.pyc")
    assert made.exists()
    made.unlink()
    installed.run("dpkg-trigger", "--no-await", "--by-package=python3", f"/usr/bin/python{version}")
    installed.run("dpkg", "--triggers-only", "--pending")
    assert made.exists()


def test_the_start_of_the_program_is_quick(installed: Machine) -> None:
    """Compared with Python alone, the shortest of some runs each."""
    program = """
import subprocess, sys, time
def took_ms(*words):
    spans = []
    for _ in range(15):
        begin = time.perf_counter()
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        spans.append((time.perf_counter() - begin) * 1e3)
    return min(spans)
print(took_ms("/usr/bin/tocsin", "--version"), took_ms(sys.executable, "-I", "-c", ""))
"""
    said = installed.says("python3", "-c", program)
    own_ms, bare_ms = map(float, said.split())
    assert own_ms - bare_ms <= VERSION_MS_MAX
    assert installed.says("dpkg", "-V", "tocsin") == ""


def test_two_commands_later_the_first_job_fires(own_fleet: Fleet) -> None:
    """By its schedule, not because somebody asks for it."""
    own_fleet.apply("first", schedule="@every 1s", shell="echo hello")
    until(lambda: own_fleet.states("first")["succeeded"] > 0, "the first run")
    own_fleet.call("job", "rm", "first")
    assert states(own_fleet.machine) == dict.fromkeys(UNITS, ("enabled", "active"))
    doctor = own_fleet.machine.run("tocsin", "doctor", "-q", "-o", "json", check=False)
    assert json.loads(doctor.stdout)["checks"] == []


@pytest.fixture(scope="module")
def marker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of an executor that somebody else wrote."""
    folder = tmp_path_factory.mktemp("marker")
    for words in (
        ("tocsin.cli", "executor", "new", "marker", f"--dir={folder}"),
        ("hatchling", "build", "-t", "wheel", "-d", str(folder)),
    ):
        made = folder / "tocsin-marker"
        cwd = made if made.exists() else folder
        subprocess.run([sys.executable, "-m", *words], cwd=cwd, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def test_executors_of_others_can_be_added(own_fleet: Fleet, marker: Path) -> None:
    """Beside the package, whose files stay as they are; the agent offers it by itself."""
    machine = own_fleet.machine
    machine.run("tocsin", "plugin", "install", give(machine, marker))
    (listed,) = own_fleet.tell("plugin", "list")
    assert (listed["name"], listed["executors"], listed["used"]) == (
        "tocsin-marker", ["marker"], True,
    )  # fmt: skip
    if IS_SHORT:  # it looks once a minute, and when it starts
        machine.run("systemctl", "restart", "tocsin-agent")
    until(lambda: "marker" in own_fleet.tell("agent", "list")[0]["executors"], "the executor", 90)
    own_fleet.apply("marked", marker="hello")
    assert own_fleet.run("marked")["state"] == "succeeded"
    assert machine.says("dpkg", "-V", "tocsin") == ""


def test_an_upgrade_loses_no_run_and_no_setting(own_fleet: Fleet, packages: Packages) -> None:
    """Runs go on through it and end as they would have; edited settings stay, nobody is asked."""
    machine = own_fleet.machine
    own_fleet.apply("long", shell="sleep 12; echo done $TOCSIN_RUN_ID")
    machine.run("sh", "-c", f"for n in $(seq {RUNS}); do tocsin job run long & done; wait")
    until(lambda: own_fleet.states("long")["running"] == RUNS, "all of them")
    settings = {name: machine.path(f"/etc/tocsin/{name}.toml") for name in ("agent", "coordinator")}
    kept = {name: path.read_text() for name, path in settings.items()}
    pids = {unit: machine.says("systemctl", "show", unit, "-PMainPID") for unit in UNITS}
    apt(machine, "install", give(machine, packages.deb))
    assert machine.says("tocsin", "--version") == f"tocsin {__version__}"
    assert {unit: machine.says("systemctl", "show", unit, "-PMainPID") for unit in UNITS} != pids
    assert {name: path.read_text() for name, path in settings.items()} == kept
    assert kept["coordinator"] == "# of old\n"
    until(lambda: own_fleet.states("long") == {"succeeded": RUNS}, "all runs to end")
    run_id = own_fleet.runs("long")[0]["id"]
    assert own_fleet.call("run", "logs", run_id) == f"done {run_id}\n"
    assert states(machine) == dict.fromkeys(UNITS, ("enabled", "active"))
    assert own_fleet.run("marked")["state"] == "succeeded"
    machine.run("tocsin", "plugin", "remove", "tocsin-marker")
    assert own_fleet.tell("plugin", "list") == []


def test_a_disabled_unit_stays_so(own_fleet: Fleet, packages: Packages) -> None:
    """Through another installation; one that is stopped is not started."""
    machine = own_fleet.machine
    machine.run("systemctl", "disable", "--now", "tocsin-agent")
    apt(machine, "install", "--reinstall", give(machine, packages.deb))
    assert states(machine) == {
        "tocsin-coordinator": ("enabled", "active"),
        "tocsin-agent": ("disabled", "inactive"),
    }
    machine.run("systemctl", "enable", "--now", "tocsin-agent")


def test_removal_keeps_data_and_settings(own_fleet: Fleet) -> None:
    """The services end, and the program is gone."""
    machine = own_fleet.machine
    apt(machine, "remove", "tocsin")
    assert {state for _, state in states(machine).values()} == {"inactive"}
    assert not machine.path("/usr/lib/tocsin").exists()
    assert machine.path("/etc/tocsin/agent.toml").exists()
    assert machine.path("/var/lib/tocsin/coordinator/coordinator.key").exists()


def test_a_purge_leaves_nothing(own_fleet: Fleet, before: set[str]) -> None:
    """But the user, as Debian wants it, and what is root's own: the context of its commands."""
    machine = own_fleet.machine
    apt(machine, "purge", "tocsin")
    assert sorted(files_of(machine) - before) == []
    assert not list(machine.path("/run").glob("tocsin*"))
    assert machine.says("systemctl", "list-units", "--all", "--no-legend", "tocsin*") == ""
