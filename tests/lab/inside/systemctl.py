"""Looks at systemd as an administrator does."""

from __future__ import annotations

import subprocess

from tests.contract.host_client import DEADLINE_S
from tocsin.execution import Order, split_key


def systemctl(*arguments: str) -> str:
    """What systemctl prints."""
    done = subprocess.run(
        ["systemctl", "--no-pager", *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=DEADLINE_S,
    )
    return done.stdout


def unit_of(order: Order) -> str:
    """The name of a run's unit."""
    run_id, number = split_key(order.key)
    return f"tocsin-run-{run_id}-{number}.service"


def properties(order: Order, *names: str) -> list[str]:
    """Properties of a run's unit."""
    asked = systemctl("show", unit_of(order), f"--property={','.join(names)}")
    found = dict(line.split("=", 1) for line in asked.splitlines())
    return [found[name] for name in names]


def is_loaded(order: Order) -> bool:
    """Whether systemd knows a run's unit."""
    return properties(order, "LoadState") == ["loaded"]
