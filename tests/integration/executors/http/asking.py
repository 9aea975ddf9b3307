"""Requests made through a host, and what became of them."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from tests.contract.host_client import DEADLINE_S, Agent, Host, order
from tocsin import clock
from tocsin.execution import Order, Outcome, check_config
from tocsin.executors.http import Http


def unchecked(block: dict[str, Any], **changes: Any) -> Order:
    """The order of a block as it stands."""
    return order("http", clock.new_ulid(), block, **changes)


def asked(**block: Any) -> Order:
    """The order of a request, as its block says after the check at apply."""
    return unchecked(check_config(Http, block))


def ask(agent: Agent, **block: Any) -> Outcome:
    """Make a request."""
    return agent.run(asked(**block)).outcome


def told(agent: Agent, host: Host) -> Any:
    """What the echoing server saw of the last request."""
    return json.loads((host.out / f"{list(agent.ended)[-1]}.out").read_bytes())


def await_output(host: Host, run: Order, size: int) -> None:
    """Wait until so many bytes of an attempt's output are there."""
    path = host.out / f"{run.key}.out"
    end_s = clock.monotonic_s() + DEADLINE_S
    while not path.exists() or path.stat().st_size < size:
        assert clock.monotonic_s() < end_s, f"no output of {size} bytes"
        os.sched_yield()


def forget_peak(pid: int) -> None:
    """Count `peak_memory_bytes` from now on, see proc_pid_clear_refs(5)."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def peak_memory_bytes(pid: int) -> int:
    """The most that a process had in memory, see proc_pid_status(5)."""
    text = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"^VmHWM:\s+(\d+) kB", text, re.MULTILINE)
    assert found
    return int(found[1]) << 10
