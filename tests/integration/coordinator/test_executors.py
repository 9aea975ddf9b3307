"""Executors that only some agents have: offered, described, held against job files, and run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fleet import Fleet, until

PLUGIN = """
from typing import Annotated, ClassVar
import msgspec
from msgspec import Meta
from tocsin.execution import Outcome, Status

class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    volume: Annotated[str, Meta(min_length=2, description="what is backed up")]
    keep: Annotated[int, Meta(ge=1, description="how many are kept")] = 7

class Backup:
    name: ClassVar[str] = "backup"
    summary: ClassVar[str] = "backs up a volume"
    main_key: ClassVar[str] = "volume"
    config: ClassVar[type[msgspec.Struct]] = Config

    async def start(self, order, config, sink):
        sink.write(f"{config.volume} {config.keep}\\n".encode())
        return Done()

class Done:
    async def wait(self):
        return Outcome(Status.SUCCEEDED, 0)
    async def cancel(self, grace_s):
        pass
    def handle(self):
        return None
"""


class PluginFleet(Fleet):
    """Only the agent's host has the plug-in."""

    def daemon_environ(self, who: str) -> dict[str, str]:
        """Its folder of packages."""
        packages = str(self.home / who / "packages")
        return {**self.environ(who), "PYTHONPATH": packages} if who == "db1" else self.environ(who)


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    """A coordinator on a host without the plug-in."""
    made = PluginFleet(tmp_path)
    try:
        made.start_coordinator()
        yield made
    finally:
        made.close()


def _install(fleet: Fleet, code: str = PLUGIN) -> None:
    packages = fleet.home / "db1" / "packages"
    info = packages / "tocsin_backup-2.1.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (packages / "tocsin_backup.py").write_text(code)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tocsin-backup\nVersion: 2.1\n")
    (info / "entry_points.txt").write_text("[tocsin.executors]\nbackup = tocsin_backup:Backup\n")


def _agent(fleet: Fleet, settings: str = "") -> None:
    fleet.join("db1")
    with (fleet.home / "db1" / "config" / "agent.toml").open("a") as file:
        file.write(settings)
    fleet.start_agent("db1")


def _offered(fleet: Fleet, name: str) -> dict[str, Any]:
    """The row of an executor, once its agent has told of it."""
    rows = until(
        lambda: [row for row in fleet.json("executor", "list") if row["name"] == name], name
    )
    (row,) = rows
    return dict(row)


def test_a_plug_in_needs_to_be_on_the_agent_alone(fleet: Fleet) -> None:
    """Its schema comes from there: a wrong block is refused by its place, a right one runs."""
    _install(fleet)
    _agent(fleet)
    row = _offered(fleet, "backup")
    assert row["version"] == "tocsin-backup 2.1"
    assert row["some_agents"] == ["db1"]
    shown = fleet.call("executor", "show", "backup").stdout
    assert "how many are kept" in shown
    assert "must be given" in shown

    wrong = {"jobs": {"n": {"backup": {"volume": "srv", "keep": 0, "kep": 1}}}}
    done = fleet.call("apply", "-", input=json.dumps(wrong))
    assert done.returncode == 2
    assert "jobs.n.backup.keep" in done.stderr
    assert 'did you mean "keep"' in done.stderr

    fleet.apply(json.dumps({"jobs": {"n": {"backup": "srv"}}}))
    (run,) = fleet.json("job", "run", "n")
    assert fleet.json("run", "wait", run["id"])[0]["state"] == "succeeded"
    assert fleet.call("run", "logs", run["id"]).stdout == "srv 7\n"
    exported = fleet.call("export").stdout
    assert "keep" not in exported


def test_settings_of_an_agent_make_executors(fleet: Fleet) -> None:
    """One under another name, with keys filled in; one switched off; a wrong name says so."""
    settings = """
[executor.nightly]
use = "backup"
config = {volume = "nightly", keep = 3}
[executor.scripted]
enabled = false
[executor.typo]
use = "bakcup"
"""
    _install(fleet)
    _agent(fleet, settings)
    row = _offered(fleet, "nightly")
    assert row["defaults"] == {"keep": 3, "volume": "nightly"}
    (agent,) = fleet.json("agent", "list")
    assert "scripted" not in agent["executors"]
    assert "typo" not in agent["executors"]
    health = {one["name"]: one for one in agent["executor_health"]}
    assert "no executor is called 'bakcup'" in health["typo"]["message"]
    assert "bakcup" in fleet.call("agent", "show", "db1").stdout

    fleet.apply(json.dumps({"jobs": {"n": {"nightly": {}}, "m": {"nightly": {"keep": 9}}}}))
    for job, said in (("n", "nightly 3\n"), ("m", "nightly 9\n")):
        (run,) = fleet.json("job", "run", job)
        assert fleet.json("run", "wait", run["id"])[0]["state"] == "succeeded"
        assert fleet.call("run", "logs", run["id"]).stdout == said


def test_a_plug_in_that_does_not_import_hurts_nobody(fleet: Fleet) -> None:
    """The agent is up, its other executors run, and it is said what is wrong."""
    _install(fleet, "import os\nos.kill(os.getpid(), 9)\n")
    _agent(fleet)

    def broken() -> str:
        (agent,) = fleet.json("agent", "list")
        found = {one["name"]: one["message"] for one in agent["executor_health"]}
        return found.get("backup") or ""

    assert "signal 9" in until(broken, "the finding")
    fleet.apply(json.dumps({"jobs": {"n": {"shell": "echo fine"}}}))
    (run,) = fleet.json("job", "run", "n")
    assert fleet.json("run", "wait", run["id"])[0]["state"] == "succeeded"
