"""Hosts and bells that end with their test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .host_client import Agent, Bell, Host, name_runs_anew

Boot = Callable[..., Host]


@pytest.fixture(autouse=True)
def own_run_ids() -> None:
    """No test meets the runs of another."""
    name_runs_anew()


@pytest.fixture
def boot(tmp_path: Path) -> Iterator[Boot]:
    """Start a host of an executor; it ends with the test."""
    hosts: list[Host] = []

    def start(name: str, folder: Path | None = None, idle_s: float = 600, **options: Any) -> Host:
        hosts.append(Host(name, folder or tmp_path / "run", idle_s, **options))
        return hosts[-1]

    yield start
    for host in hosts:
        host.end()


@pytest.fixture
def bell(tmp_path: Path) -> Iterator[Bell]:
    """A named pipe to wait at."""
    made = Bell(tmp_path / "bell")
    yield made
    made.close()


@pytest.fixture
def shell(boot: Boot) -> Host:
    """A host of the shell executor."""
    return boot("shell")


@pytest.fixture
def agent(shell: Host) -> Agent:
    """An agent of the shell executor's host."""
    return shell.connect()
