"""Plan and apply, against a whole coordinator: what they say, do, refuse and leave behind."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tocsin.instants import SECOND_US
from tocsin.messages.client_link import PutJobs

from .conftest import Desk, Fleet, Said, Tocsin

HELLO = "jobs: {hello: {schedule: 0 9 * * *, timeout: 1m, scripted: {lines: 3}}}"
LATER = HELLO.replace("0 9", "0 10").replace("1m", "2m")
SHARED = """
calendars: {holidays: [2026-01-01 New Year, 2026-01-02]}
pools: {db: 2}
jobs:
  report: {schedule: 0 9 * * *, blackout: [{calendar: holidays}], pool: db, shell: x}
"""

pytestmark = pytest.mark.usefixtures("fleet")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A job file that is not written yet."""
    return tmp_path / "x.yaml"


def planned(tocsin: Tocsin, file: Path, text: str, *options: str) -> Any:
    """The plan of a text, as JSON."""
    file.write_text(text)
    said = tocsin("plan", str(file), "-o", "json", *options)
    assert said.code == 0, said.err
    return json.loads(said.out)


def applied(tocsin: Tocsin, file: Path, text: str, *options: str) -> Said:
    """What applying a text says."""
    file.write_text(text)
    return tocsin("apply", str(file), *options)


def undo_all(tocsin: Tocsin, said: Said) -> None:
    """Run the commands that undo something, in their order."""
    commands = re.findall(r"^undo: tocsin (.*)$", said.out, re.MULTILINE)
    assert commands
    for command in commands:
        assert tocsin(*command.split()).code == 0


def test_a_plan_shows_what_would_change_and_changes_nothing(
    tocsin: Tocsin, desk: Desk, tmp_path: Path, file: Path
) -> None:
    """Keys old and new, due times before and after; every request of it is a rehearsal."""
    applied(tocsin, file, HELLO)
    desk.asked.clear()
    folder = tmp_path / "jobs"
    folder.mkdir()
    (folder / "x.yaml").write_text("jobs: {new: {shell: x}}")
    (folder / "y.yaml").write_text(LATER)
    said = tocsin("plan", str(folder))
    assert said.code == 0
    assert "~ change hello\n" in said.out
    assert "    schedule: 0 9 * * * → 0 10 * * *\n" in said.out
    assert "    timeout: 1m → 2m\n" in said.out
    assert "    next before: 2026-01-01 " in said.out
    assert "+ create new\n    shell.command: x\n    next: none\n    hosts: db1, web1\n" in said.out
    assert re.search(rf"to do it: tocsin apply {folder} --index [0-9a-z]+-[0-9a-f]+\n", said.out)
    plan = json.loads(tocsin("apply", "--dry-run", str(folder / "x.yaml"), "-o", "json").out)
    assert plan["untouched"] == ["hello"]
    (change,) = plan["changes"]
    assert change["changed"] == {"shell.command": {"old": None, "new": "x"}}
    assert all(ask.dry_run for ask in desk.asked if isinstance(ask, PutJobs))


def test_applying_says_what_was_done_and_how_to_undo_it(
    tocsin: Tocsin, desk: Desk, file: Path
) -> None:
    """Only versions that were looked at are replaced; the old definition is kept as a job file."""
    applied(tocsin, file, HELLO)
    desk.asked.clear()
    said = applied(tocsin, file, LATER.replace("}}}", "}}, new: {shell: x}}"))
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0].startswith("changed hello (version 2): next ")
    assert lines[1] == "created new (version 1): runs when asked to"
    assert lines[3] == "undo: tocsin job rm new"
    kept = Path(lines[2].removeprefix("undo: tocsin apply "))
    (put,) = [ask for ask in desk.asked if isinstance(ask, PutJobs)]
    assert put.expected == {"hello": 1, "new": 0}
    undo_all(tocsin, said)
    assert tocsin("plan", str(kept)).out == "= keep hello\nnothing to do\n"


def test_nothing_to_do_is_said_and_can_be_told_by_the_exit_code(tocsin: Tocsin, file: Path) -> None:
    """A script that does not ask gets 0 either way."""
    applied(tocsin, file, HELLO)
    same = tocsin("plan", str(file), "--exit-code")
    file.write_text(LATER)
    other = tocsin("plan", str(file), "--exit-code")

    assert (same.code, same.out) == (0, "= keep hello\nnothing to do\n")
    assert (other.code, tocsin("plan", str(file)).code) == (5, 0)


def test_calendars_and_pools_are_planned_and_their_days_are_marked(
    tocsin: Tocsin, file: Path
) -> None:
    """What they would hold, who uses them, and the due times that they would stop."""
    plan = planned(tocsin, file, SHARED)
    said = tocsin("plan", str(file)).out

    assert [(s["kind"], s["name"], s["action"], s["used_by"]) for s in plan["shared"]] == [
        ("calendar", "holidays", "create", ["report"]),
        ("pool", "db", "create", ["report"]),
    ]
    (change,) = plan["changes"]
    assert change["blackouts_after"][:3] == [
        "blackout holidays: New Year",
        "blackout holidays: 2026-01-02",
        None,
    ]
    assert "(blackout holidays: New Year)" in said
    assert "+ create pool db\n    slots: 2\n    used by: report\n" in said


def test_calendars_and_pools_are_applied_and_undone(tocsin: Tocsin, file: Path) -> None:
    """Made with the jobs that need them, changed by themselves, and taken back."""
    first = applied(tocsin, file, SHARED)
    second = applied(tocsin, file, SHARED.replace("db: 2", "db: 3"))
    pools = json.loads(tocsin("pool", "list", "-o", "json").out)
    undo_all(tocsin, second)
    again = tocsin("plan", str(file)).out
    undo_all(tocsin, first)

    assert "created pool db\n" in first.out
    assert "changed pool db\nkept 1 job as before\n" in second.out
    assert pools == [{"name": "db", "slots": 3, "used_by": ["report"]}]
    assert "    slots: 2 → 3\n" in again
    for kind in ("job", "calendar", "pool"):
        assert tocsin(kind, "list", "-o", "json").out == "[]\n"


def test_a_job_may_use_what_the_coordinator_has_and_nothing_else(
    tocsin: Tocsin, file: Path
) -> None:
    """A plan says so as well as an apply."""
    applied(tocsin, file, "pools: {db: 2}")
    known = applied(tocsin, file, "jobs: {a: {pool: db, shell: x}}")
    file.write_text("jobs: {b: {pool: dbs, shell: x}}")
    plan, apply = tocsin("plan", str(file)), tocsin("apply", str(file))

    assert known.code == 0
    assert (plan.code, apply.code) == (1, 1)
    assert plan.err == apply.err
    assert plan.err.startswith("tocsin: job b: there is no pool 'dbs'\n")


@pytest.mark.parametrize(
    ("keys", "hosts", "warning"),
    [
        ("shell: x", ["db1", "web1"], "2 of 3 agents offer executor shell"),
        ("scripted: {}, target: {tags: {role: db}}", ["db1", "db2"], ""),
        ("shell: x, target: {tags: {role: db}}", ["db1"], "1 of 2 agents offers executor shell"),
        ("shell: x, target: {tags: {name: db2}}", [], "none of 1 agent that match offers executor"),
        ("shell: x, target: {tags: {role: mail}}", [], "no agent matches its target"),
        ("scripted: {}, target: {agents: 5}", ["db1", "db2", "web1"], "it asks for 5 agents, and"),
        ("scripted: {}, schedule: '@at 2020-01-01T00:00:00Z'", None, "never due again"),
        ("scripted: {}, schedule: 0 0 1 * 1", None, "a day that matches either"),
        (
            "scripted: {}, schedule: '@every 1m', jitter: 10m",
            None,
            "its jitter of 10m is longer than the 1m between its due times",
        ),
        (
            "scripted: {}, schedule: 0 9 * * *, blackout: [{from: '08:00', to: '10:00'}]",
            None,
            "the next 5 due times are all in a blackout",
        ),
    ],
)
def test_hosts_and_oddities_are_said_beforehand(
    tocsin: Tocsin, file: Path, keys: str, hosts: list[str] | None, warning: str
) -> None:
    """By name, revoked hosts left out; the warning also stands on the terminal."""
    (change,) = planned(tocsin, file, f"jobs: {{a: {{{keys}}}}}")["changes"]

    if hosts is not None:
        assert change["hosts_after"] == {"count": len(hosts), "names": hosts}
    assert len(change["warnings"]) == bool(warning)
    assert warning in "".join(change["warnings"])
    assert "".join(change["warnings"]) in tocsin("plan", str(file)).out


def test_a_changed_target_shows_the_hosts_before_and_after(tocsin: Tocsin, file: Path) -> None:
    """And a paused job is said to be paused."""
    text = "jobs: {a: {scripted: {}, target: {tags: {role: db}}}}"
    applied(tocsin, file, text)
    tocsin("job", "pause", "a")
    file.write_text(text.replace("db}", "web}"))
    said = tocsin("plan", str(file)).out

    assert "    hosts before: db1, db2\n    hosts after:  web1\n" in said
    assert "    warning: it is paused: " in said


# Pruning.

THREE = """
pools: {db: 2, spare: 1}
jobs:
  a: {shell: x, labels: {team: data}}
  b: {shell: x, labels: {team: data}}
  c: {shell: x, pool: db}
"""


def test_pruning_removes_what_the_files_do_not_have(tocsin: Tocsin, file: Path) -> None:
    """Jobs, calendars and pools; the plan says so before, and the undo brings them back."""
    applied(tocsin, file, THREE)
    text = "jobs: {a: {shell: x, labels: {team: data}}}"
    plan = planned(tocsin, file, text, "--prune")
    shown = tocsin("plan", str(file), "--prune").out
    said = applied(tocsin, file, text, "--prune")
    left = tocsin("job", "list", "-o", "json").out
    undo_all(tocsin, said)
    file.write_text(THREE)

    assert [(c["name"], c["action"]) for c in plan["changes"]] == [
        ("a", "keep"), ("b", "remove"), ("c", "remove"),
    ]  # fmt: skip
    assert plan["untouched"] == []
    assert "- remove pool spare\n" in shown
    assert "- remove b\n" in shown
    assert "removed c: its runs stay on record\n" in said.out
    assert [job["name"] for job in json.loads(left)] == ["a"]
    assert tocsin("plan", str(file)).out.endswith("nothing to do\n")


def test_pruning_by_label_removes_jobs_with_that_label_alone(tocsin: Tocsin, file: Path) -> None:
    """Others stay, and so do calendars and pools; a job that the label will not find is named."""
    applied(tocsin, file, THREE)
    text = "jobs: {a: {shell: x}}"
    options = ("--prune", "--label", "team=data")
    plan = planned(tocsin, file, text, *options)
    said = applied(tocsin, file, text, *options)

    assert [(c["name"], c["action"]) for c in plan["changes"]] == [("a", "change"), ("b", "remove")]
    assert plan["untouched"] == ["c"]
    assert (
        "it has not the label team=data: pruning will not see it" in plan["changes"][0]["warnings"]
    )
    assert said.code == 0
    assert [p["name"] for p in json.loads(tocsin("pool", "list", "-o", "json").out)] == [
        "db", "spare",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "options", "code", "message"),
    [
        ("jobs: {}", ["--prune"], 1, "these files hold no job, so --prune would remove every job"),
        ("pools: {p: 1}", ["--prune"], 1, "these files hold no job"),
        (HELLO, ["--label", "a=b"], 2, "--label says what to prune"),
        (HELLO, ["--index", "nonsense"], 2, "'nonsense' is no index of a plan"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    tocsin: Tocsin, file: Path, text: str, options: list[str], code: int, message: str
) -> None:
    """Before anything is done."""
    applied(tocsin, file, THREE)

    said = applied(tocsin, file, text, *options)

    assert said.code == code
    assert said.err.startswith(f"tocsin: {message}")


# The index of a plan.


def test_the_index_of_a_plan_holds_as_long_as_nothing_it_saw_has_changed(
    tocsin: Tocsin, file: Path
) -> None:
    """What it did not look at may change."""
    applied(tocsin, file, HELLO)
    index = planned(tocsin, file, LATER)["index"]
    other = file.with_name("other.yaml")
    applied(tocsin, other, "jobs: {other: {shell: x}}")

    said = applied(tocsin, file, LATER, "--index", index)

    assert said.code == 0
    assert "changed hello (version 2)" in said.out


@pytest.mark.parametrize(
    ("meanwhile", "options", "named"),
    [
        (HELLO.replace("1m", "5m"), [], "job hello was changed by bob at 2026-01-01 "),
        ("pools: {db: 9}\njobs: {}", [], "pool db was changed by bob at 2026-01-01 "),
        ("jobs: {other: {shell: x}}", ["--prune"], "job other was created by bob at 2026-01-01 "),
        (None, [], "job hello was removed by bob at 2026-01-01 "),
    ],
)
def test_an_index_that_is_out_of_date_is_refused(
    tocsin: Tocsin,
    fleet: Fleet,
    file: Path,
    meanwhile: str | None,
    options: list[str],
    named: str,
) -> None:
    """The refusal names what changed since, and by whom, however long before it was planned."""
    applied(tocsin, file, HELLO + "\npools: {db: 2}")
    fleet.now_us += 3600 * SECOND_US
    index = planned(tocsin, file, LATER + "\npools: {db: 3}", *options)["index"]
    fleet.by = "bob"
    fleet.now_us += 60 * SECOND_US
    if meanwhile is None:
        tocsin("job", "rm", "hello")
    else:
        applied(tocsin, file.with_name("his.yaml"), meanwhile)

    said = applied(tocsin, file, LATER + "\npools: {db: 3}", "--index", index, *options)

    assert said.code == 1
    assert said.err.startswith(f"tocsin: since the plan {index}: {named}")
    assert said.err.count(" by ") == 1


def test_an_index_is_for_the_options_it_was_planned_with(
    tocsin: Tocsin, fleet: Fleet, file: Path
) -> None:
    """A plan without pruning approves none."""
    applied(tocsin, file, THREE)
    fleet.now_us += SECOND_US
    index = planned(tocsin, file, HELLO)["index"]

    said = applied(tocsin, file, HELLO, "--index", index, "--prune")

    assert said.code == 1
    assert "other files, options or jobs are compared" in said.err


# Size.


def test_many_jobs_are_applied_together(tocsin: Tocsin, desk: Desk, file: Path) -> None:
    """In as many requests as it takes; when one job is wrong, none is there."""
    jobs: dict[str, Any] = {f"j{n:04}": {"scripted": {}} for n in range(1100)}
    file.write_text(json.dumps({"jobs": jobs}))
    whole = tocsin("apply", str(file), "-o", "json")
    puts = [ask for ask in desk.asked if isinstance(ask, PutJobs)]
    jobs = {f"k{n:04}": {"scripted": {}} for n in range(1100)} | {
        "last": {"shell": "x", "pool": "p"}
    }
    file.write_text(json.dumps({"jobs": jobs}))
    refused = tocsin("apply", str(file))

    assert len(json.loads(whole.out)["changes"]) == 1100
    assert [(put.part, put.more) for put in puts] == [(0, True), (1, True), (2, False)]
    assert refused.code == 1
    (back,) = json.loads(whole.out)["undo"]
    assert len(json.loads(tocsin("job", "list", "-o", "json").out)) == 1100
    assert tocsin(*back.split()[1:]).code == 0
    assert tocsin("job", "list", "-o", "json").out == "[]\n"
    assert tocsin("job", "rm").code == 2
