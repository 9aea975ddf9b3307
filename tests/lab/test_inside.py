"""The tests that run inside: the contract of a shell run that is a unit, and what is its own."""

from __future__ import annotations

from typing import Final

import pytest

from .machine import IS_SHORT, Machine

SUITE_S: Final = 600.0
_SUITES: Final = {
    "units": ("tests/lab/inside/test_units.py", "not thousand" if IS_SHORT else ""),
    "lost hosts": ("tests/lab/inside/test_lost_hosts.py", ""),
    "contract": ("tests/contract/test_executor.py", "shell"),
}
_LONG: Final = {
    "shell": ("tests/contract/test_shell.py tests/contract/test_shell_options.py", ""),
}
SUITES: Final = _SUITES if IS_SHORT else {**_SUITES, **_LONG}


@pytest.mark.parametrize(("files", "chosen"), SUITES.values(), ids=SUITES)
def test_where_systemd_is(machine: Machine, files: str, chosen: str) -> None:
    """All of a suite passes there."""
    pytest_there = "python3 -m pytest -q -p no:cacheprovider --timeout 100"
    command = f"cd /src && {pytest_there} -k '{chosen}' {files}"
    done = machine.run("sh", "-c", command, check=False, deadline_s=SUITE_S)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
