"""History, revert, export and the audit, against a whole coordinator."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tocsin.instants import SECOND_US
from tocsin.messages.client_answers import AuditPage
from tocsin.messages.client_link import WalkAudit
from tocsin.model import AuditEntry

from .conftest import Desk, Fleet, Tocsin

FIRST = "jobs: {hello: {schedule: 0 9 * * *, scripted: {lines: 3}}}"
SECOND = FIRST.replace("0 9", "0 10")
FULL = """
calendars: {holidays: {description: closed, dates: [2026-12-25 Christmas]}, spare: []}
pools: {db: 2, other: 1}
jobs:
  a: {schedule: "@daily", pool: db, blackout: [{calendar: holidays}], shell: x, env: {A: "1"}}
  b: {after: [{job: a}], scripted: {}}
"""


@pytest.fixture
def history(tocsin: Tocsin, fleet: Fleet, tmp_path: Path) -> Path:
    """A job that ann made, bob changed, ann removed, and bob made again."""
    path = tmp_path / "x.yaml"
    for by, text in (("ann", FIRST), ("bob", SECOND), ("ann", None), ("bob", FIRST)):
        fleet.by = by
        fleet.now_us += 60 * SECOND_US
        if text is None:
            assert tocsin("job", "rm", "hello").code == 0
        else:
            path.write_text(text)
            assert tocsin("apply", str(path)).code == 0
    fleet.by = "ann"
    return path


@pytest.mark.usefixtures("history")
def test_the_history_of_a_name_is_one_line_of_versions(tocsin: Tocsin) -> None:
    """Changes with their keys, removals, and jobs that were made again."""
    shapes = json.loads(tocsin("job", "history", "hello", "-o", "json").out)
    shown = tocsin("job", "history", "hello", "-n", "3").out

    assert [(s["version"], s["by"], s["action"]) for s in shapes] == [
        (4, "bob", "created"),
        (3, "ann", "removed"),
        (2, "bob", "changed"),
        (1, "ann", "created"),
    ]
    assert shapes[2]["changed"] == {"schedule": {"old": ["0 9 * * *"], "new": ["0 10 * * *"]}}
    assert shapes[0]["at"] == "2026-01-01T00:04:00.000000Z"
    assert "changed  schedule: 0 9 * * * → 0 10 * * *\n" in shown
    assert len(shown.splitlines()) == 4


@pytest.mark.usefixtures("history")
def test_a_job_goes_back_to_what_it_was(tocsin: Tocsin) -> None:
    """By default to what it was before; it is a new version, and the undo is one too."""
    chosen = tocsin("job", "revert", "hello", "2")
    back = tocsin("job", "revert", "hello")
    same = tocsin("job", "revert", "hello", "6")
    shown = json.loads(tocsin("job", "show", "hello", "-o", "json").out)

    assert chosen.out.startswith(
        "reverted hello (version 5)\n    schedule: 0 9 * * * → 0 10 * * *\n    next: 20"
    )
    assert chosen.out.endswith("undo: tocsin job revert hello 4\n")
    assert "schedule: 0 10 * * * → 0 9 * * *" in back.out
    assert same.out == "hello is so already (version 6)\n"
    assert (shown["version"], shown["schedule"]) == (6, ["0 9 * * *"])


@pytest.mark.usefixtures("history")
def test_a_removed_job_comes_back(tocsin: Tocsin) -> None:
    """With the definition that it had last, and its history goes on."""
    tocsin("job", "rm", "hello")

    said = tocsin("job", "revert", "hello", "-o", "json")
    gone = json.loads(tocsin("job", "history", "hello", "-o", "json").out)

    shape = json.loads(said.out)
    assert (shape["action"], shape["version"]) == ("create", 6)
    assert shape["undo"] == ["tocsin job rm hello"]
    assert [s["action"] for s in gone[:2]] == ["created", "removed"]


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["job", "revert", "hello", "9"], 4, "job hello has no version 9"),
        (["job", "revert", "hello", "3"], 1, "version 3 of job hello is its removal"),
        (["job", "revert", "hallo"], 4, "there never was a job hallo"),
        (["job", "history", "hallo"], 4, "there never was a job hallo"),
    ],
)
def test_a_version_that_is_not_there_is_refused(
    tocsin: Tocsin, arguments: list[str], code: int, message: str
) -> None:
    """With the next step."""
    said = tocsin(*arguments)

    assert said.code == code
    assert said.err.startswith(f"tocsin: {message}\n  ")


@pytest.mark.usefixtures("fleet")
def test_the_first_version_has_none_before_it(tocsin: Tocsin, tmp_path: Path) -> None:
    """So there is nothing to go back to."""
    (tmp_path / "x.yaml").write_text(FIRST)
    tocsin("apply", str(tmp_path / "x.yaml"))

    said = tocsin("job", "revert", "hello")

    assert (said.code, "no version before this one" in said.err) == (4, True)


# Export.


@pytest.mark.usefixtures("fleet")
@pytest.mark.parametrize("kind", ["yaml", "json"])
def test_an_export_plans_as_nothing_to_do(tocsin: Tocsin, tmp_path: Path, kind: str) -> None:
    """With everything in it, and even with pruning."""
    (tmp_path / "x.yaml").write_text(FULL)
    tocsin("apply", str(tmp_path / "x.yaml"))
    out = tmp_path / f"out.{kind}"

    out.write_text(tocsin("export", "-o", kind).out)
    said = tocsin("plan", str(out), "--prune", "--exit-code")

    assert (said.code, said.out.splitlines()[-1]) == (0, "nothing to do")
    assert len(said.out.splitlines()) == 7


@pytest.mark.usefixtures("fleet")
def test_an_export_of_some_jobs_has_what_they_use(tocsin: Tocsin, tmp_path: Path) -> None:
    """And no more."""
    (tmp_path / "x.yaml").write_text(FULL)
    tocsin("apply", str(tmp_path / "x.yaml"))

    some = json.loads(tocsin("export", "a", "-o", "json").out)
    none = tocsin("export", "zz")

    assert (list(some["jobs"]), list(some["calendars"]), list(some["pools"])) == (
        ["a"], ["holidays"], ["db"],
    )  # fmt: skip
    assert none.code == 4


@pytest.mark.usefixtures("fleet")
def test_calendars_and_pools_are_listed_and_removed(tocsin: Tocsin, tmp_path: Path) -> None:
    """What a job uses is not; the rest comes back by its undo."""
    (tmp_path / "x.yaml").write_text(FULL)
    tocsin("apply", str(tmp_path / "x.yaml"))

    listed = tocsin("calendar", "list").out
    shown = tocsin("calendar", "show", "holidays").out
    used = tocsin("calendar", "rm", "holidays")
    gone = json.loads(tocsin("pool", "rm", "other", "-o", "json").out)

    assert "holidays  1      a        closed\n" in listed
    assert shown.endswith("\n2026-12-25 Christmas\n")
    assert (used.code, "calendar holidays is used by job a" in used.err) == (1, True)
    assert gone["names"] == ["other"]
    assert tocsin(*gone["undo"][0].split()[1:]).code == 0
    assert "other" in tocsin("pool", "list").out
    near = tocsin("pool", "rm", "othr")
    assert (near.code, 'did you mean "other"?' in near.err) == (4, True)


# The audit.


@pytest.mark.usefixtures("history")
def test_the_audit_is_listed_by_subject_and_time(tocsin: Tocsin, fleet: Fleet) -> None:
    """Newest first, with who and what."""
    tocsin("job", "pause", "hello", "--reason", "disks")
    everything = json.loads(tocsin("audit", "list", "-o", "json").out)
    since = json.loads(tocsin("audit", "list", "--since", "2026-01-01T00:03:00Z", "-o", "json").out)
    other = tocsin("audit", "list", "--subject", "other")
    shown = tocsin("audit", "list", "-n", "1").out

    assert fleet.by == "ann"
    assert [(e["number"], e["by"], e["act"], e["subject"]) for e in everything] == [
        (5, "ann", "pause job", "hello"),
        (4, "bob", "create job", "hello"),
        (3, "ann", "remove job", "hello"),
        (2, "bob", "change job", "hello"),
        (1, "ann", "create job", "hello"),
    ]
    assert [e["number"] for e in since] == [5, 4, 3]
    assert other.out == "nothing was done\n"
    assert shown.splitlines()[1].endswith("pause job  hello    reason=disks")


@pytest.mark.usefixtures("history")
def test_the_chain_is_followed_and_its_head_is_told(tocsin: Tocsin) -> None:
    """The head can be noted, and held against the audit later."""
    said = json.loads(tocsin("audit", "verify", "-o", "json").out)
    tocsin("job", "pause", "hello")
    later = tocsin("audit", "verify", "--head", said["head"])
    wrong = tocsin("audit", "verify", "--head", "2:00000000")
    beyond = tocsin("audit", "verify", "--head", "99:00000000")

    assert said["entries"] == 4
    assert (later.code, later.out.startswith("5 entries, each follows")) == (0, True)
    assert (wrong.code, "entry 2 is another one" in wrong.err) == (1, True)
    assert (beyond.code, "entry 99 is not there" in beyond.err) == (1, True)
    assert tocsin("audit", "verify", "--head", "x").code == 2


def test_the_first_entry_that_breaks_the_chain_is_named(tocsin: Tocsin, desk: Desk) -> None:
    """The digests are reckoned here, whatever the coordinator says."""
    bad = AuditEntry(number=1, at_us=5, by="ann", act="a b", subject="c", digest="00")
    desk.answer = lambda ask: AuditPage([bad]) if isinstance(ask, WalkAudit) else None

    said = tocsin("audit", "verify")

    assert (said.code, said.out) == (1, "")
    assert "the audit is broken: entry 1 does not follow from the one before it" in said.err
