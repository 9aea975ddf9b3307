"""Executors that do their worst, on a real agent: they hurt their own runs, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.fleet import Fleet, until

MODULE = """
import asyncio, ctypes, msgspec, os, signal, sys, time
from tocsin.errors import ExecutorError
from tocsin.execution import Outcome, Status

GOOD = Outcome(Status.SUCCEEDED)
class Config(msgspec.Struct, forbid_unknown_fields=True):
    text: str = ""
class Executor:
    summary, main_key, config = "does its worst", "text", Config
    async def start(self, order, config, sink):
        return self
    async def wait(self):
        return GOOD
    async def cancel(self, grace_s):
        pass
    def handle(self):
        return None

def nested(depth):
    facts = {}
    for _ in range(depth):
        facts = {"in": facts}
    return facts
"""


class Deed(NamedTuple):
    """What an executor does, and what becomes of its run."""

    method: str
    """Of the class: `start`, `wait`, `cancel`, or `""` for the body of the class."""
    code: str
    state: str
    """Empty: whatever, as long as it ends."""
    reason: str = ""


DEEDS = {
    "raises": Deed("wait", "1 / 0", "failed", "ZeroDivisionError: division by zero"),
    "exits": Deed("start", "sys.exit(3)", "failed", "SystemExit: 3"),
    "interrupts": Deed("wait", "raise KeyboardInterrupt", "failed", "KeyboardInterrupt"),
    "cancels-itself": Deed("wait", "raise asyncio.CancelledError", "failed", "CancelledError"),
    "hangs-at-start": Deed("start", "await asyncio.Event().wait()", "timed_out"),
    "stumbles-at-cancel": Deed(
        "wait",
        "await asyncio.Event().wait()\n    async def cancel(self, grace_s): sys.exit(9)",
        "timed_out",
    ),
    "crashes": Deed("wait", "ctypes.string_at(0)", "lost", "signal 11"),
    "leaves": Deed("wait", "os._exit(5)", "lost", "exit code 5"),
    "aborts": Deed("start", "os.abort()", "lost", "signal 6"),
    "says-nothing": Deed("wait", "return None", "failed", "gave NoneType in place of"),
    "says-anything": Deed("wait", "return Outcome('fine')", "failed", "makes no sense"),
    "tells-objects": Deed(
        "wait", "return Outcome(Status.SUCCEEDED, facts={1: object()})", "failed"
    ),
    "tells-depths": Deed("wait", "return Outcome(Status.SUCCEEDED, facts=nested(900))", ""),
    "tells-much": Deed(
        "wait", "return Outcome(Status.SUCCEEDED, 1 << 62, 'x\\n' * 99999)", "succeeded"
    ),
    "tells-too-much": Deed("wait", "return Outcome(Status.SUCCEEDED, 1 << 63)", "failed"),
    "tells-surrogates": Deed("start", "raise ExecutorError('no \\udcff')", "failed", "no ?"),
    "closes-streams": Deed(
        "wait", "sys.stderr.close(); os.close(0); os.close(1); raise ValueError", "failed"
    ),
    "closes-all": Deed("wait", "os.closerange(3, 4096); return GOOD", "lost"),
    "takes-signals": Deed(
        "wait",
        "[signal.signal(n, signal.SIG_IGN) for n in (signal.SIGTERM, signal.SIGCHLD)]; return GOOD",
        "succeeded",
    ),
    "blocks": Deed("wait", "time.sleep(1); return GOOD", "succeeded"),
    "chdirs": Deed("wait", "os.chdir('/'); os.umask(0o777); return GOOD", "succeeded"),
}


class HostileFleet(Fleet):
    """Its agent has all of them installed."""

    def environ(self, who: str) -> dict[str, str]:
        """The environment, with their packages on the path."""
        return {**super().environ(who), "PYTHONPATH": str(self.home / "site")}


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[HostileFleet]:
    """A fleet with one agent, on which they are installed."""
    info = tmp_path / "site" / "hostile-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: hostile\nVersion: 1.0\n")
    points = [f"{name} = hostile:{name.replace('-', '_')}" for name in DEEDS]
    points += ["missing = hostile_missing:It", "absent = hostile:Absent"]
    (info / "entry_points.txt").write_text("\n".join(["[tocsin.executors]", *points]))
    classes = [
        f"class {name.replace('-', '_')}(Executor):\n    name = {name!r}\n"
        f"    async def {deed.method}(self, *_):\n        {deed.code}\n"
        for name, deed in DEEDS.items()
    ]
    (tmp_path / "site" / "hostile.py").write_text(MODULE + "\n".join(classes))
    made = HostileFleet(tmp_path)
    try:
        made.start_coordinator()
        made.join("one")
        made.start_agent("one")
        yield made
    finally:
        made.close()


def over(fleet: Fleet, jobs: int) -> list[dict[str, Any]]:
    """All runs, when all are over."""
    ends = {"succeeded", "failed", "timed_out", "cancelled", "lost", "skipped"}
    rows = fleet.runs()
    done = len(rows) == jobs and all(row["state"] in ends for row in rows)
    return rows if done else []


def test_they_hurt_nobody_else(fleet: HostileFleet) -> None:
    """Each run ends as it should, the agent never does, and runs of others go on beside them."""
    until(lambda: "crashes" in fleet.call("executor", "list").stdout, "the executors on offer")
    blocks = "".join(f"  {name}: {{{name}: x, timeout: 3s, kill_after: 1s}}\n" for name in DEEDS)
    fleet.apply(f"jobs:\n{blocks}  beside: {{shell: sleep 3; echo well}}\n")
    names = [*DEEDS, "beside"]
    assert fleet.call("job", "run", *names).returncode == 0

    rows = {row["job"]: row for row in until(lambda: over(fleet, len(names)), "all to end")}
    for name, deed in DEEDS.items():
        assert rows[name]["state"] == deed.state or not deed.state, rows[name]
        assert deed.reason in (rows[name]["reason"] or ""), rows[name]
    assert rows["beside"]["state"] == "succeeded"
    assert fleet.processes["one"].poll() is None
    assert fleet.processes["coordinator"].poll() is None

    # Those that do not import are said not to, and what crashed has a new host.
    health = {it["name"]: it for it in fleet.json("agent", "show", "one")["executor_health"]}
    assert "No module named 'hostile_missing'" in health["missing"]["message"]
    assert "Absent" in health["absent"]["message"]
    again = ["beside", "crashes", "raises"]
    assert fleet.call("job", "run", *again).returncode == 0
    rows = {
        row["job"]: row
        for row in until(lambda: over(fleet, len(names) + len(again)), "all to end again")
        if row["id"] not in {earlier["id"] for earlier in rows.values()}
    }
    states = {name: row["state"] for name, row in rows.items()}
    assert states == {"beside": "succeeded", "crashes": "lost", "raises": "failed"}
