"""Several hosts with real processes: roll-outs, restarts in the middle, and orders of people."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

from tests.fleet import Fleet, until


def hosts(fleet: Fleet, *names: str) -> Fleet:
    """Hosts that are let in and up."""
    for name in names:
        fleet.join(name)
        fleet.start_agent(name)
    return fleet


def job(script: str, **fields: Any) -> str:
    """A job file of one job, `work`, that goes to all hosts unless it says otherwise."""
    target = {"agents": "all", **fields.pop("target", {})}
    return json.dumps({"jobs": {"work": {"shell": script, "target": target, **fields}}})


def by_host(fleet: Fleet) -> dict[str, str]:
    """How the newest fire stands on each host."""
    rows = fleet.runs("--job", "work")
    return {r["agent"]: r["state"] for r in reversed(rows) if r["group"] == rows[0]["group"]}


def all_over(fleet: Fleet) -> bool:
    """Whether no run is under way."""
    return all(run["finished_at"] for run in fleet.runs())


def test_a_roll_out_goes_on_after_its_coordinator_was_killed(fleet: Fleet) -> None:
    """The canary ends while nobody looks; then the others follow, one at a time."""
    hosts(fleet, "a", "b", "c")
    fleet.apply(job("sleep 5", target={"canary": 1, "max_parallel": 1}))
    fleet.json("job", "run", "work")
    alone = {"a": "running", "b": "queued", "c": "queued"}
    until(lambda: by_host(fleet) == alone, "the canary alone")

    fleet.kill("coordinator")
    fleet.start_coordinator()
    until(lambda: all_over(fleet), "the roll-out")

    assert by_host(fleet) == {"a": "succeeded", "b": "succeeded", "c": "succeeded"}
    spans = sorted((r["started_at"], r["finished_at"]) for r in fleet.runs())
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


def test_a_failing_canary_stops_the_others(fleet: Fleet) -> None:
    """Their records say who failed."""
    hosts(fleet, "a", "b")
    fleet.apply(job("exit 3", target={"canary": 1}))
    fleet.call("job", "run", "work")
    until(lambda: all_over(fleet), "the end")

    (skip,) = [run for run in fleet.runs() if run["state"] == "skipped"]
    assert (skip["agent"], skip["reason"]) == ("b", "stopped")
    assert skip["facts"]["failed"] == ["a"]


def test_a_fire_while_hosts_are_restarted_loses_none(fleet: Fleet) -> None:
    """Coordinator and agent are killed; the fire comes before the agent is back."""
    hosts(fleet, "a", "b")
    fleet.apply(job("true"))
    fleet.kill("a")
    fleet.kill("coordinator")
    fleet.start_coordinator()

    fleet.call("job", "run", "work")
    fleet.start_agent("a")
    until(lambda: all_over(fleet), "both hosts")

    assert by_host(fleet) == {"a": "succeeded", "b": "succeeded"}


def test_a_cordoned_host_gets_nothing_also_after_restarts(fleet: Fleet) -> None:
    """Its record says why; drained with a deadline, what it runs is cancelled."""
    hosts(fleet, "a", "b")
    fleet.apply(job("sleep 60", target={"tags": {"name": "a"}}))
    fleet.call("job", "run", "work")
    until(lambda: by_host(fleet) == {"a": "running"}, "a run on a")
    drained = fleet.call(
        "agent", "drain", "a", "--reason", "new disks", "--deadline", "1s", "--wait"
    )
    assert (drained.returncode, drained.stdout.splitlines()[-1]) == (0, "all at rest")
    assert by_host(fleet) == {"a": "cancelled"}
    fleet.kill("coordinator")
    fleet.kill("a")
    fleet.start_coordinator()
    fleet.start("a", "agent")
    fleet.until_agent("a", "draining")
    fleet.until_agent("b", "up")

    fleet.apply(job("true"))
    fleet.call("job", "run", "work")
    until(lambda: all_over(fleet), "the end")

    assert by_host(fleet) == {"a": "skipped", "b": "succeeded"}
    (skip,) = [run for run in fleet.runs() if run["state"] == "skipped"]
    assert skip["facts"] == {"because": "host a is draining: new disks"}
    assert fleet.call("agent", "undrain", "a").returncode == 0
    fleet.until_agent("a", "up")


def test_a_revoked_host_is_not_heard_any_more_and_may_join_again(fleet: Fleet) -> None:
    """Its run is lost, its name stays on record and is free for a host that is let in anew."""
    hosts(fleet, "a")
    fleet.apply(job("sleep 60"))
    fleet.call("job", "run", "work")
    until(lambda: by_host(fleet) == {"a": "running"}, "a run on a")

    revoked = fleet.call("agent", "revoke", "a", "--lost-now", "--reason", "stolen")
    fleet.call("job", "run", "work")
    fleet.kill("a")
    fleet.start("a", "agent")

    assert revoked.returncode == 0, revoked.stderr
    assert [agent["state"] for agent in fleet.json("agent", "list")] == ["revoked"]
    assert fleet.json("status")["agents"] == 0
    assert [(r["state"], r["agent"]) for r in fleet.runs()][-1] == ("lost", "a")
    fleet.kill("a")
    (fleet.home / "a").rename(fleet.home / "old")
    fleet.join("a")
    fleet.start_agent("a")
    fleet.apply(job("true"))
    fleet.call("job", "run", "work")
    until(lambda: by_host(fleet) == {"a": "succeeded"}, "a run on the new host")
