"""The unit files and the program agree."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = sorted((Path(__file__).parents[2] / "systemd").glob("*.service"))


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_starts_a_command_that_there_is(unit: Path) -> None:
    """ExecStart names a daemon of the command line, and Type=notify what the daemons do."""
    from tocsin.cli.root import COMMANDS

    read = configparser.ConfigParser(strict=False, interpolation=None)
    read.optionxform = str  # type: ignore[method-assign,assignment] # systemd's keys have capitals
    read.read(unit)

    program, command = read["Service"]["ExecStart"].split()
    assert (program, read["Service"]["Type"]) == ("/usr/bin/tocsin", "notify")
    assert command in COMMANDS


@pytest.mark.skipif(
    shutil.which("systemd-analyze") is None and "CI" not in os.environ,
    reason="systemd is not installed; in CI it has to be",
)
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_understands_every_line_of_a_unit(unit: Path, tmp_path: Path) -> None:
    """No key is unknown to it."""
    copy = tmp_path / unit.name
    copy.write_text(unit.read_text().replace("/usr/bin/tocsin", "/bin/true"))

    done = subprocess.run(
        ["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False
    )

    complaints = [line for line in done.stderr.splitlines() if str(copy) in line]
    assert complaints == []
