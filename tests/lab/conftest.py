"""Machines to test in: one for each Debian that is asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from .fleet import Fleet
from .machine import Machine
from .packages import Packages, build_packages, packages_in
from .root import why_not

SUITES: Final = os.environ.get("TOCSIN_LAB_SUITES", "bookworm").split()
"""Debian 12 has systemd 252, and 13 (trixie) 257."""


@pytest.fixture(scope="session", params=SUITES)
def machine(request: pytest.FixtureRequest) -> Iterator[Machine]:
    """A booted Debian with this checkout in it."""
    yield from booted(request.param, bare=False)


@pytest.fixture(scope="module", params=SUITES)
def bare_machine(request: pytest.FixtureRequest) -> Iterator[Machine]:
    """A booted Debian without Tocsin."""
    yield from booted(request.param, bare=True)


def booted(suite: str, *, bare: bool) -> Iterator[Machine]:
    """A machine for as long as it is wanted; where there can be none, the reason is told."""
    why = why_not()
    if why and os.environ.get("CI"):
        pytest.fail(f"no machine can be booted here: {why}")
    if why:
        pytest.skip(f"no machine can be booted here: {why}")
    made = Machine(suite, bare=bare)
    yield made
    made.close()


@pytest.fixture(scope="session")
def fleet(machine: Machine) -> Fleet:
    """The fleet of a machine."""
    return Fleet(machine)


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Packages:
    """The packages of this checkout, or those in the folder that TOCSIN_LAB_PACKAGES names."""
    made = os.environ.get("TOCSIN_LAB_PACKAGES")
    return packages_in(Path(made)) if made else build_packages(tmp_path_factory.mktemp("packages"))
