"""The unit files and the program agree."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tocsin.agent.host_launch import COMMAND_VARIABLE

FOLDER = Path(__file__).parents[2] / "systemd"
UNITS = [*sorted(FOLDER.glob("*.service")), *sorted(FOLDER.glob("instances/*.service"))]
EXPOSURE = {
    "tocsin-coordinator.service": 15,
    "tocsin-agent.service": 20,
    "tocsin-agent@.service": 20,
}
"""Ten times what `systemd-analyze security` may say at most."""
HAS_SYSTEMD = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None and "CI" not in os.environ,
    reason="systemd is not installed; in CI it has to be",
)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: str(unit.relative_to(FOLDER)))
def test_a_unit_starts_a_command_that_there_is(unit: Path) -> None:
    """ExecStart names a daemon of the command line, and Type=notify what the daemons do."""
    from tocsin.cli.root import COMMANDS

    read = configparser.ConfigParser(strict=False, interpolation=None)
    read.optionxform = str  # type: ignore[method-assign,assignment] # systemd's keys have capitals
    read.read(unit)

    program, *words = read["Service"]["ExecStart"].split()
    assert read["Service"]["Type"] == "notify"
    if "executor" in unit.name:  # the agent says what it is to start
        assert (program, words[-1]) == ("/usr/bin/env", f"${COMMAND_VARIABLE}")
    else:
        assert program == "/usr/bin/tocsin"
        assert words[0] in COMMANDS


@HAS_SYSTEMD
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: str(unit.relative_to(FOLDER)))
def test_systemd_understands_every_line_of_a_unit(unit: Path, tmp_path: Path) -> None:
    """No key is unknown to it."""
    copy = tmp_path / unit.name
    copy.write_text(unit.read_text().replace("/usr/bin/tocsin", "/bin/true"))

    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(copy)],
        capture_output=True,
        text=True,
        check=False,
    )

    complaints = [line for line in done.stderr.splitlines() if str(copy) in line]
    assert complaints == []


@HAS_SYSTEMD
@pytest.mark.parametrize("unit", EXPOSURE)
def test_a_daemon_is_locked_in(unit: str) -> None:
    """What it could do to its host, should it be taken over, is held to a figure."""
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", f"--threshold={EXPOSURE[unit]}",
         str(FOLDER / unit)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout[-200:]


PAIRS = [("tocsin-agent.service", "tocsin-agent@.service"),
         ("tocsin-executor@.service", "instances/tocsin-executor@.service")]  # fmt: skip


@pytest.mark.parametrize(("one", "more"), PAIRS)
def test_one_more_agent_is_as_the_first(one: str, more: str) -> None:
    """But for what has its name in it."""
    first, other = ((FOLDER / name).read_text().splitlines() for name in (one, more))
    added = {line for line in other if line not in first and not line.startswith("#")}
    missing = {line for line in first if line not in other and not line.startswith("#")}

    assert all("%i" in line and ("agent" in line or "executor" in line) for line in added)
    assert {line.partition("=")[0] for line in missing} <= {it.partition("=")[0] for it in added}


def test_sandboxes_hold_for_executors_of_all_agents() -> None:
    """Each drop-in of an executor is also one of what further agents have."""
    folders = {path.name: path for path in FOLDER.glob("tocsin-executor*.d")}
    first = {name for name in folders if name.startswith("tocsin-executor@")}

    assert first
    for name in first:
        assert folders[name.replace("@", "-@", 1)].resolve() == folders[name].resolve()


def test_the_sides_share_no_folder() -> None:
    """Two units with one StateDirectory= take it from each other."""
    folders = [
        line
        for unit in EXPOSURE
        for line in (FOLDER / unit).read_text().splitlines()
        if line.startswith(("StateDirectory=", "RuntimeDirectory=", "LogsDirectory="))
    ]

    assert len(folders) == len(set(folders)) == 6


@pytest.mark.parametrize(
    "example", sorted((FOLDER / "examples").glob("*.conf")), ids=lambda p: p.name
)
def test_an_example_says_where_it_belongs(example: Path) -> None:
    """Its first line is a path below /etc/systemd/system, and it is a drop-in of a unit of ours."""
    first = example.read_text().splitlines()[0]

    assert first.startswith("# /etc/systemd/system/tocsin-")
    assert ".d/" in first
