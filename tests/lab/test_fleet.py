"""A coordinator and an agent under systemd, as their packages install them."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Final

import pytest

from tests.fleet import until

from .machine import Machine

RUNS: Final = 50
HOST: Final = "tocsin.executors.host shell"


class Fleet:
    """The coordinator and the agent `lab` on one machine."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        said = machine.run("tocsin", "init", "coordinator", "--host", "localhost", "-o", "json")
        settings = machine.path("/etc/tocsin/agent.toml")
        settings.write_text("# what a package brings\ndrain_s = 1\n", encoding="ascii")
        word = json.loads(said.stdout)["join"]
        machine.run("tocsin", "agent", "join", word, "--name", "lab", "--slots", str(RUNS))
        until(lambda: self.tell("agent", "list")[0]["state"] == "up", "the agent")

    def call(self, *arguments: str, text: str | None = None) -> str:
        """What a command prints."""
        return self.machine.run("tocsin", *arguments, text=text).stdout

    def tell(self, *arguments: str) -> Any:
        """What a command prints with `-o json`."""
        return json.loads(self.call(*arguments, "-o", "json"))

    def apply(self, name: str, **keys: Any) -> None:
        """Apply a job that runs when it is asked to."""
        job = {"schedule": "@manual", "overlap": "allow", **keys}
        assert name in self.call("apply", "-", text=json.dumps({"jobs": {name: job}}))

    def runs(self, job: str) -> list[dict[str, Any]]:
        """The runs of a job."""
        return [run for run in self.tell("run", "list", "-n", "1000") if run["job"] == job]

    def states(self, job: str) -> Counter[str]:
        """How many runs of a job are in which state."""
        return Counter(run["state"] for run in self.runs(job))

    def run(self, job: str) -> dict[str, Any]:
        """Run a job, and wait for its end."""
        self.call("job", "run", job)
        until(lambda: set(self.states(job)) <= {"succeeded", "failed"}, f"{job} to end")
        shown: dict[str, Any] = self.tell("run", "show", self.runs(job)[0]["id"])
        return shown


@pytest.fixture(scope="session")
def fleet(machine: Machine) -> Fleet:
    """The fleet of a machine."""
    return Fleet(machine)


def test_fifty_runs_outlive_everybody(fleet: Fleet) -> None:
    """Fifty in flight: the agent is restarted and killed, its host too, systemd begins anew.

    Each run happens once, and ends as it would have without all that; none is lost.
    """
    witness = fleet.machine.path("/root/witness")
    line = "echo $TOCSIN_RUN_ID >> /root/witness; sleep 25; echo done $TOCSIN_RUN_ID"
    fleet.apply("long", shell={"command": line, "unit": True})
    fleet.machine.run(
        "sh",
        "-c",
        f"for n in $(seq {RUNS}); do tocsin job run long & done; wait",
    )
    until(lambda: fleet.states("long")["running"] == RUNS, "all of them")
    run = fleet.machine.run
    run("systemctl", "restart", "tocsin-agent")
    run("systemctl", "daemon-reload")
    run("systemctl", "kill", "--signal=KILL", "--kill-who=main", "tocsin-agent")
    run("systemctl", "daemon-reexec")
    until(lambda: fleet.tell("agent", "list")[0]["state"] == "up", "the agent")
    run("pkill", "-KILL", "-f", HOST)
    until(lambda: fleet.states("long") == {"succeeded": RUNS}, "all runs to end", 120)
    ids = [one["id"] for one in fleet.runs("long")]
    assert sorted(witness.read_text(encoding="ascii").split()) == sorted(ids)
    assert {fleet.call("run", "logs", it) for it in ids[::5]} == {f"done {it}\n" for it in ids[::5]}
    left = "systemctl list-units --all --no-legend 'tocsin-run-*'"
    until(lambda: run("sh", "-c", left).stdout == "", "the units to be forgotten")


def test_a_job_of_another_user_within_limits(fleet: Fleet) -> None:
    """`run_as` and `limits` of a job reach its process, and its record says what holds."""
    fleet.apply(
        "other",
        run_as="nobody:daemon",
        limits={"memory": "64M", "cpu": "50%", "tasks": 32},
        shell='id -un; id -gn; systemctl show "$(ps -o unit= $$)" --property=MemoryMax,TasksMax',
    )
    shown = fleet.run("other")
    assert shown["state"] == "succeeded"
    said = fleet.call("run", "logs", shown["id"]).split()
    assert said == ["nobody", "daemon", "MemoryMax=67108864", "TasksMax=32"]


def test_a_gigabyte_of_output(fleet: Fleet) -> None:
    """The job is not held up, and its beginning and its end are kept."""
    fleet.apply(
        "flood", shell="echo begin; head -c 1G /dev/zero; echo end", output={"keep": "64KiB"}
    )
    shown = fleet.run("flood")
    assert shown["state"] == "succeeded"
    said = fleet.call("run", "logs", shown["id"])
    assert said.startswith("begin\n\0")
    assert said.endswith("\0end\n")
    assert len(said) == shown["output_bytes"] == 64 << 10
