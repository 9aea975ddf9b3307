"""What stands in an agent's settings is read by its user alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tocsin.agent.config import ExecutorConfig

from .coordinator import Coordinator, order
from .process import AgentProcess

CANARY = "canary-Zt4kQ9"
WITNESS = """
import sys
from pathlib import Path
from tocsin.executors.scripted import Scripted

def command_lines():
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield path.read_bytes()
        except OSError:
            pass

class Witness(Scripted):
    name = "witness"

with open({seen!r}, "ab") as seen:
    seen.write(b"\\n".join(command_lines()) + b"\\n")
"""
"""An executor that writes down the command lines of all processes, from a probe and from a host."""


@pytest.fixture
def seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the witness writes to."""
    folder = tmp_path / "packages"
    folder.mkdir()
    path = tmp_path / "seen"
    (folder / "witness.py").write_text(WITNESS.format(seen=str(path)))
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return path


def test_no_command_line_shows_a_setting(
    agent: AgentProcess, coordinator: Coordinator, seen: Path
) -> None:
    """Of the agent, of what looks at executors, of a host, and of one found by a later agent."""
    settings = ExecutorConfig(use="witness:Witness", config={"line": CANARY, "lines": 1})
    agent.start(executors=["api"], executor={"api": settings})
    coordinator.until(lambda: coordinator.beats)
    first, second = order("FIRST", "api", run_for=1.0), order("SECOND", "api")
    coordinator.dispatch(first)
    coordinator.until(lambda: coordinator.runs[first.key].started_us)
    host_pid = agent.host_pid("api")
    agent.kill()
    agent.start()
    coordinator.until_over()
    coordinator.dispatch(second)
    coordinator.until_over()

    assert agent.host_pid("api") == host_pid
    assert coordinator.stdout(first.key) == coordinator.stdout(second.key) == f"{CANARY}\n".encode()
    shown = seen.read_bytes() + b"".join(
        Path(f"/proc/{pid}/cmdline").read_bytes() for pid in (agent.pid, host_pid)
    )
    for module in ("tocsin.agent.process", "tocsin.executors.describe", "tocsin.executors.host"):
        assert module.encode() in shown
    assert CANARY.encode() not in shown
