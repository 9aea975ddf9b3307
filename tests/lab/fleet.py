"""A coordinator and an agent on one machine, set up as a person sets them up."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Final

from tests.fleet import until

from .machine import Machine

RUNS: Final = 50


class Fleet:
    """The coordinator and the agent `lab` on one machine."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        said = machine.run("tocsin", "init", "coordinator", "--host", "localhost", "-o", "json")
        settings = machine.path("/etc/tocsin/agent.toml")
        with settings.open("a", encoding="ascii") as file:
            file.write("# what somebody wrote\ndrain_s = 1\n")
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
