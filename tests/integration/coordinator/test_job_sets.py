"""Job files, their plans and the audit, with real processes and over kills."""

from __future__ import annotations

import json
import sqlite3

from tests.fleet import Fleet
from tests.integration.coordinator.test_outage import database


def jobs(prefix: str, count: int, pools: dict[str, int] | None = None, **others: object) -> str:
    """A job file of many jobs."""
    some = {f"{prefix}{number:04}": {"shell": "true"} for number in range(count)}
    return json.dumps({"pools": pools or {}, "jobs": {**some, **others}})


def test_a_change_in_many_messages_is_made_whole_and_survives_a_kill(fleet: Fleet) -> None:
    """A wrong job in its last message stops all of it; what was acknowledged is there."""
    good = fleet.call("apply", "-", "-o", "json", input=jobs("a", 1200))
    wrong = fleet.call("apply", "-", input=jobs("b", 1200, zzz={"shell": "x", "pool": "none"}))
    fleet.kill("coordinator")
    fleet.start_coordinator()

    assert good.returncode == 0, good.stderr
    assert (wrong.returncode, "there is no pool 'none'" in wrong.stderr) == (1, True)
    assert len(fleet.json("job", "list")) == 1200
    assert fleet.json("audit", "verify")["entries"] >= 1200


def test_what_is_pruned_is_exported_reverted_and_audited(fleet: Fleet) -> None:
    """From a file to another one, back by the history, and every act is on record."""
    fleet.apply(jobs("a", 2, {"db": 2}, b={"shell": "true", "pool": "db"}))
    before = fleet.call("export").stdout
    index = json.loads(fleet.call("plan", "-", "--prune", "-o", "json", input=jobs("a", 1)).stdout)[
        "index"
    ]
    pruned = fleet.call("apply", "-", "--prune", "--index", index, input=jobs("a", 1))
    late = fleet.call("apply", "-", "--prune", "--index", index, input=jobs("a", 1))
    fleet.kill("coordinator")
    fleet.start_coordinator()
    reverted = fleet.call("job", "revert", "a0001")
    fleet.apply(before)
    same = fleet.call("plan", "-", "--prune", "--exit-code", input=before)

    assert "removed b: its runs stay on record\n" in pruned.stdout
    assert (late.returncode, " was removed by " in late.stderr) == (1, True)
    assert reverted.stdout.startswith("reverted a0001 (version 3)\n")
    assert (same.returncode, same.stdout.splitlines()[-1]) == (0, "nothing to do")
    acts = [(e["act"], e["subject"]) for e in fleet.json("audit", "list", "-n", "1000")]
    assert set(acts[:2]) == {("create job", "b"), ("create pool", "db")}
    assert ("remove job", "a0001") in acts


def test_an_audit_that_was_changed_behind_the_coordinator_is_found(fleet: Fleet) -> None:
    """The first entry that does not follow is named, and the exit code says so."""
    fleet.apply(jobs("a", 3))
    sound = fleet.call("audit", "verify")
    with sqlite3.connect(database(fleet)) as connection:
        connection.execute("UPDATE audit SET by_whom = 'nobody' WHERE number = 2")
    connection.close()
    broken = fleet.call("audit", "verify")

    assert sound.returncode == 0
    assert (broken.returncode, "entry 2 does not follow" in broken.stderr) == (1, True)
