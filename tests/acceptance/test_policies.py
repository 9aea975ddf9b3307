"""Every policy from outside: real processes, the command line, and what jobs write themselves."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fleet import Fleet, until

HOSTS = ("db1", "db2", "web1")


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A coordinator, and three agents: two with `role=db`, one with `role=web`."""
    fleet = Fleet(tmp_path_factory.mktemp("policies"))
    try:
        fleet.start_coordinator()
        for name in HOSTS:
            fleet.join(name, "--tag", f"role={name[:-1]}")
            fleet.start_agent(name)
        yield fleet
    finally:
        fleet.close()


def over(fleet: Fleet, job: str, count: int = 1) -> list[dict[str, Any]]:
    """All records of a job, oldest first, when there are so many and all are over."""

    def look() -> list[dict[str, Any]]:
        runs = [run for run in fleet.runs("--job", job) if run["finished_at"]]
        return sorted(runs, key=lambda run: run["id"]) if len(runs) >= count else []

    return until(look, f"{count} records of {job}")


def run_now(fleet: Fleet, job: str, *options: str) -> list[dict[str, Any]]:
    """Run a job, and its records when they are over."""
    before = {run["id"] for run in fleet.runs("--job", job)}
    done = fleet.call("job", "run", job, "--wait", *options)
    assert done.returncode in {0, 1}, done.stderr
    return [run for run in fleet.runs("--job", job) if run["id"] not in before]


def test_a_canary_that_fails_stops_the_others(fleet: Fleet, tmp_path: Path) -> None:
    """One host first; it fails, so the other two are left alone, and their records say why."""
    witness = tmp_path / "started"
    fleet.apply(
        "jobs:\n  roll:\n    target: {agents: all, canary: 1}\n"
        f"    shell: echo x >> {witness}; exit 3\n"
    )

    runs = run_now(fleet, "roll")

    assert sorted(run["state"] for run in runs) == ["failed", "skipped", "skipped"]
    assert {run["reason"] for run in runs if run["state"] == "skipped"} == {"stopped"}
    assert witness.read_text() == "x\n"


def test_hosts_are_taken_a_few_at_a_time(fleet: Fleet, tmp_path: Path) -> None:
    """With `max_parallel: 1` no two hosts of a fire run at once."""
    busy = tmp_path / "busy"
    fleet.apply(
        "jobs:\n  rolling:\n    target: {agents: all, max_parallel: 1}\n"
        f"    shell: mkdir {busy} && sleep 0.3 && rmdir {busy}\n"
    )

    runs = run_now(fleet, "rolling")

    assert [run["state"] for run in runs] == ["succeeded"] * 3
    assert {run["agent"] for run in runs} == set(HOSTS)


def test_only_the_failed_hosts_are_run_again(fleet: Fleet, tmp_path: Path) -> None:
    """A rerun of what failed goes to that host alone."""
    broken = tmp_path / "broken"
    broken.touch()
    fleet.apply(
        "jobs:\n  patch:\n    target: {agents: all}\n"
        f'    shell: test "$TOCSIN_AGENT" != db2 || test ! -e {broken}\n'
    )
    first = run_now(fleet, "patch")
    failed = [run for run in first if run["state"] == "failed"]
    assert [run["agent"] for run in failed] == ["db2"]
    broken.unlink()

    done = fleet.call("run", "rerun", failed[0]["group"], "--failed")

    assert done.returncode == 0, done.stderr
    again = [run for run in over(fleet, "patch", 4) if run["trigger"] == "retry"]
    assert [(run["agent"], run["state"]) for run in again] == [("db2", "succeeded")]


def test_a_job_comes_after_others(fleet: Fleet) -> None:
    """It starts when both have ended as it asks, and once."""
    fleet.apply(
        "jobs:\n"
        "  extract: {shell: 'true'}\n  clean: {shell: 'exit 1'}\n"
        "  load:\n    after: [{job: extract}, {job: clean, on: failure}]\n    shell: echo loaded\n"
    )

    run_now(fleet, "extract")
    assert fleet.runs("--job", "load") == []
    run_now(fleet, "clean")

    (loaded,) = over(fleet, "load")
    assert (loaded["state"], loaded["trigger"]) == ("succeeded", "after")


def test_a_circle_of_jobs_is_refused_by_name(fleet: Fleet) -> None:
    """Nothing is changed, and the circle is named."""
    done = fleet.call(
        "apply",
        "-",
        input="jobs:\n"
        "  a: {after: [{job: c}], shell: x}\n"
        "  b: {after: [{job: a}], shell: x}\n"
        "  c: {after: [{job: b}], shell: x}\n",
    )
    assert done.returncode != 0
    assert any(circle in done.stderr for circle in ("a -> ", "a → ")), done.stderr
    assert fleet.call("job", "show", "a").returncode != 0


def test_a_pool_bounds_what_runs_at_once(fleet: Fleet, tmp_path: Path) -> None:
    """Six jobs on three hosts share one slot: none meets another."""
    busy = tmp_path / "busy"
    names = [f"heavy-{number}" for number in range(6)]
    fleet.apply(
        "pools: {heavy: 1}\njobs:\n"
        + "".join(
            f"  {name}:\n    pool: heavy\n    shell: mkdir {busy} && sleep 0.1 && rmdir {busy}\n"
            for name in names
        )
    )
    assert fleet.call("job", "run", *names, "--wait").returncode == 0


def test_parameters_reach_the_job(fleet: Fleet) -> None:
    """A given one, a default, and a wrong one that is refused with the nearest."""
    fleet.apply(
        "jobs:\n  report:\n    params: {days: '7', region: eu}\n"
        "    shell: echo $TOCSIN_PARAM_DAYS $TOCSIN_PARAM_REGION\n"
    )
    (run,) = run_now(fleet, "report", "--param", "days=3")
    assert fleet.call("run", "logs", run["id"]).stdout == "3 eu\n"

    wrong = fleet.call("job", "run", "report", "--param", "dais=3")
    assert wrong.returncode != 0
    assert "days" in wrong.stderr


def test_an_ephemeral_job_goes_when_it_has_succeeded(fleet: Fleet) -> None:
    """Its runs stay on record."""
    fleet.apply("jobs:\n  once: {ephemeral: true, shell: 'true'}\n")
    fleet.call("job", "run", "once")
    until(lambda: fleet.call("job", "show", "once").returncode != 0, "the job to go")
    assert [run["state"] for run in over(fleet, "once")] == ["succeeded"]


def test_maintenance_of_hosts_keeps_runs_away(fleet: Fleet) -> None:
    """Runs go to the host that is left, and come back when the maintenance ends."""
    started = json.loads(
        fleet.call(
            "maintenance", "start", "--tag", "role=db", "--reason", "disks", "-o", "json"
        ).stdout
    )
    fleet.apply("jobs:\n  anywhere: {overlap: allow, shell: 'true'}\n")
    for _ in range(2):
        (run,) = run_now(fleet, "anywhere")
        assert run["agent"] == "web1"
    listed = fleet.json("maintenance", "list")
    assert [pause["reason"] for pause in listed] == ["disks"]
    assert fleet.call("maintenance", "end", *started["names"]).returncode == 0
    agents = {run_now(fleet, "anywhere")[0]["agent"] for _ in range(4)}
    assert agents & {"db1", "db2"}


def test_a_blackout_is_a_reason(fleet: Fleet) -> None:
    """A due time inside gets a record that says so, and `why` tells it."""
    fleet.apply(
        "calendars: {always: ['01-01..12-31']}\njobs:\n  quiet:\n    schedule: '* * * * * *'\n"
        "    blackout: [{calendar: always}]\n    shell: 'true'\n"
    )
    records = over(fleet, "quiet", 2)
    assert {run["reason"] for run in records} == {"blackout"}
    story = fleet.call("why", "quiet", "--at", records[0]["due"])
    assert story.returncode == 0, story.stderr
    assert "always" in story.stdout
    assert fleet.call("job", "rm", "quiet").returncode == 0


def test_a_plan_is_bound_to_what_it_was_made_of(fleet: Fleet) -> None:
    """An apply with the plan's index refuses when somebody changed a job in between."""
    text = "jobs:\n  shared: {shell: 'true'}\n"
    fleet.apply(text)
    changed = text.replace("'true'", "'echo 2'")
    index = json.loads(fleet.call("plan", "-", "-o", "json", input=changed).stdout)["index"]
    fleet.apply(text.replace("'true'", "'echo other'"))

    done = fleet.call("apply", "-", "--index", index, input=changed)

    assert done.returncode != 0
    assert "shared" in done.stderr
    assert fleet.json("job", "show", "shared")["version"] == 2


def test_history_is_kept_and_can_be_gone_back_to(fleet: Fleet) -> None:
    """A changed job and a removed one come back."""
    fleet.apply("jobs:\n  told: {shell: 'echo 1'}\n")
    fleet.apply("jobs:\n  told: {shell: 'echo 2'}\n")
    assert fleet.call("job", "revert", "told").returncode == 0
    (run,) = run_now(fleet, "told")
    assert fleet.call("run", "logs", run["id"]).stdout == "1\n"
    assert fleet.call("job", "rm", "told").returncode == 0
    versions = fleet.json("job", "history", "told")
    assert len(versions) >= 4
    assert fleet.call("job", "revert", "told").returncode == 0
    assert fleet.call("job", "show", "told").returncode == 0


def test_what_is_exported_changes_nothing(fleet: Fleet, tmp_path: Path) -> None:
    """The whole job set, written and read back, plans as nothing to do."""
    exported = fleet.call("export")
    assert exported.returncode == 0, exported.stderr
    file = tmp_path / "all.yaml"
    file.write_text(exported.stdout)
    planned = fleet.json("plan", str(file), "--prune")
    assert {change["action"] for change in planned["changes"]} <= {"keep"}


def test_a_host_that_restarts_with_the_coordinator_loses_no_fire(fleet: Fleet) -> None:
    """Due times that fall on the start of a coordinator wait for hosts that were up before."""
    fleet.apply(
        "jobs:\n  everywhere:\n    schedule: '* * * * * *'\n    target: {agents: all}\n"
        "    overlap: allow\n    missed: {policy: all, limit: 1000}\n    shell: 'true'\n"
    )
    over(fleet, "everywhere", 3)
    for _ in range(3):
        fleet.kill("coordinator")
        time.sleep(0.7)  # due times pass meanwhile
        fleet.start_coordinator()
    assert fleet.call("job", "pause", "everywhere").returncode == 0
    until(
        lambda: all(run["finished_at"] for run in fleet.runs("--job", "everywhere")),
        "the runs to end",
    )
    runs = [run for run in fleet.runs("--job", "everywhere") if run["reason"] != "paused"]
    by_due: dict[str, list[str]] = {}
    for run in runs:
        by_due.setdefault(run["due"], []).append(run["agent"])
    assert {tuple(sorted(agents)) for agents in by_due.values()} == {tuple(sorted(HOSTS))}


def test_who_did_what_is_on_record(fleet: Fleet) -> None:
    """The audit trail names the act, and its chain is whole."""
    entries = fleet.json("audit", "list", "-n", "1000")
    assert any("told" in entry["subject"] for entry in entries)
    verified = fleet.call("audit", "verify")
    assert verified.returncode == 0, verified.stderr
