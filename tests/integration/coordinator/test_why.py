"""`tocsin why` with real processes: each of the usual reasons for a call at night."""

from __future__ import annotations

from typing import Any

from tests.fleet import Fleet, until
from tocsin.clock import now_us
from tocsin.instants import SECOND_US


def why(fleet: Fleet, *arguments: str) -> str:
    """What the command prints."""
    done = fleet.call("why", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def record(fleet: Fleet, job: str, **wanted: Any) -> dict[str, Any]:
    """Wait for a record of a job; the newest of that kind."""

    def found() -> list[dict[str, Any]]:
        rows = fleet.runs("--job", job)
        return [row for row in rows if all(row[key] == value for key, value in wanted.items())]

    return until(found, f"a run of {job} with {wanted}")[0]


def test_why_a_job_without_a_host_a_paused_one_and_a_failing_one_did_not_do_their_work(
    fleet: Fleet,
) -> None:
    """Each answer names the cause: the host's tags, who paused it and why, each attempt."""
    fleet.join("one", "--tag", "role=web")
    fleet.start_agent("one")
    fleet.apply(
        "jobs:\n"
        "  homeless:\n"
        '    schedule: "* * * * * *"\n'
        "    target: {tags: {role: db}}\n"
        "    shell: 'true'\n"
        "  resting:\n"
        '    schedule: "* * * * * *"\n'
        "    shell: 'true'\n"
        "  broken:\n"
        "    retry: {limit: 1, delay: 100ms}\n"
        "    shell: 'exit 3'\n"
    )
    assert fleet.call("job", "pause", "resting", "--reason", "new disk").returncode == 0
    (run,) = fleet.json("job", "run", "broken")
    assert fleet.call("run", "wait", run["id"]).returncode == 1
    paused = record(fleet, "resting", reason="paused")
    waiting = record(fleet, "homeless", state="queued")

    homeless = why(fleet, "homeless", "--at", waiting["due"])
    resting = why(fleet, "resting", "--at", paused["due"])
    broken = why(fleet, "broken")
    by_id = why(fleet, "broken", "--run", run["id"])

    assert "It has been waiting for an agent since" in homeless
    assert 'one: tagged role="web", not "db"' in homeless
    assert "It was skipped: the job was paused by admin: new disk." in resting
    assert "It ran on one and failed at attempt 2" in broken
    assert "attempt 1 on one failed" in broken
    assert "not tried again: retry.limit is 1, and used up" in broken
    assert by_id == broken
    shown = fleet.call("run", "show", run["id"]).stdout
    assert f"tocsin why broken --run {run['id']}" in shown


def test_why_a_job_did_not_run_while_the_coordinator_was_down(fleet: Fleet) -> None:
    """The due times of the gap have their reason, and can be asked for one by one."""
    fleet.join("one")
    fleet.start_agent("one")
    fleet.apply(
        "jobs:\n"
        "  tick:\n"
        '    schedule: "* * * * * *"\n'
        "    overlap: allow\n"
        "    missed: {policy: latest, within: 1h}\n"
        "    shell: 'true'\n"
    )
    record(fleet, "tick", state="succeeded")
    before = fleet.json("status")["now"]
    fleet.stop("coordinator")
    gone_us = now_us()
    until(lambda: now_us() > gone_us + 3 * SECOND_US, "some due times to pass")
    fleet.start_coordinator()
    missed = record(fleet, "tick", reason="missed")

    told = why(fleet, "tick", "--at", missed["due"])
    story = fleet.json("why", "tick", "--at", missed["due"])

    assert missed["due"] > before
    assert "It was skipped: the coordinator was down" in told
    assert "only the latest due time is caught up (missed: latest within 1h)" in told
    assert story["at"] == missed["due"]
    assert [run["id"] for run in story["runs"]] == [missed["id"]]
    assert {"coordinator", "missed"} <= {
        step["kind"] for step in story["steps"] if step["verdict"] == "no"
    }
