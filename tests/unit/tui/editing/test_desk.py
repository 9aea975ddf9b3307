"""A job written with keys: what is wrong, what follows, what would be saved."""

from __future__ import annotations

import msgspec
import pytest
from rich.cells import cell_len

from tests.tui.fleet import AGENTS, NOW_US, agent, at, job
from tocsin.jobfile import job_to_file
from tocsin.model import (
    Blackout,
    Calendar,
    Description,
    Job,
    JobRow,
    OfferedExecutor,
    Overlap,
    Pool,
    Retry,
    Target,
)
from tocsin.tui.editing.draft import clone_draft, edit_draft
from tocsin.tui.editing.form_rows import told_lines
from tocsin.tui.editing.saving import question, refused_at
from tocsin.tui.editing.side import side_lines

from .desk import ROWS, desk, it_text, judge, keys, lines, type_in


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_a_pasted_script_keeps_its_lines(end: str) -> None:
    """Most terminals paste CR for the end of a line."""
    it = desk()
    it.go_to("shell.command")
    it.paste(end.join(["#!/bin/sh", "echo one", "exit 0", ""]))
    assert it_text(it) == "#!/bin/sh\necho one\nexit 0\n"


def test_new_job_with_keys_only() -> None:
    """A name, a command and a schedule make a job."""
    it = desk()
    keys(it, *"nightly", "tab", *"says hello", "tab", "tab", *"echo hi", "tab", *"30 2 * * *")
    judge(it)
    assert it.checked.job == Job(
        name="nightly",
        description="says hello",
        executor="shell",
        config={"command": "echo hi"},
        schedule=["30 2 * * *"],
    )
    assert it.verdict().text.startswith("valid")


def test_nothing_is_told_before_it_was_written() -> None:
    """The faults of a new job show when its fields were left, and all when it is to be saved."""
    it = desk()
    assert not any("✗" in line for line in lines(it))
    keys(it, "tab")
    assert (
        next(line for line in lines(it) if "✗" in line).strip().startswith('✗ "" cannot name a job')
    )
    it.ask()
    assert sum("✗" in line for line in lines(it)) == 2


def test_wrong_schedule_is_told_beside_its_field() -> None:
    """What `tocsin apply` says of a schedule stands below the schedule, and there is no job."""
    it = desk("billing-sync")
    type_in(it, "schedule", "61 * * * *")
    assert it.checked.job is None
    assert list(it.faults) == ["schedule"]
    told = lines(it, 80)
    where = next(i for i, line in enumerate(told) if "61 * * * *" in line)
    assert "✗" in told[where + 1]
    assert it.verdict().text == "1 thing wrong: Schedule"


def test_each_line_of_a_list_is_an_entry() -> None:
    """Enter makes another line where a field has several; empty ones count for nothing."""
    it = desk("billing-sync")
    it.go_to("schedule")
    keys(it, "enter", *"@hourly", "enter")
    judge(it)
    assert it.checked.job is not None
    assert it.checked.job.schedule == ["*/15 * * * *", "@hourly"]


@pytest.mark.parametrize(
    ("field_id", "text", "said"),
    [
        ("timezone", "Europe/Berln", "Europe/Berlin"),
        ("timeout", "soon", "is not understood"),
        ("target.agents", "0", "out of range"),
        ("env", "FOO", "FOO has no value: write FOO=VALUE"),
        ("blackout", "Fri 18:00", "has no end"),
        ("expect.match", "(", "no regular expression"),
        ("expect.json", "{a", "not YAML"),
        ("retry.limit", "many", "a whole number"),
        ("shell.command", "", "exactly one of command and argv"),
        ("shell.nice", "99", "<= 19"),
        ("after", "billing-sync", "cannot come after itself"),
        ("secrets", "TOKEN=../x", "cannot name a secret"),
    ],
)
def test_what_is_wrong_stands_at_its_field(field_id: str, text: str, said: str) -> None:
    """Each fault belongs to the field that it is about."""
    it = desk("billing-sync")
    type_in(it, field_id, text)
    assert list(it.faults) == [field_id]
    assert said in " ".join(it.faults[field_id])


@pytest.mark.parametrize(
    ("field_id", "text", "key", "value"),
    [
        ("timeout", "5m", "timeout_s", 300.0),
        ("timeout", "90", "timeout_s", 90.0),
        ("target.agents", "all", "target", Target(agents="all")),
        ("target.tags", "name=web-*, db-*\nos=linux", "target",
         Target(tags={"name": ["web-*", "db-*"], "os": "linux"})),
        ("blackout", "Fri 18:00 - Mon 06:00\ncalendar holidays", "blackout",
         [Blackout(start="Fri 18:00", end="Mon 06:00"), Blackout(calendar="holidays")]),
        ("env", "A=b=c\nD= e", "env", {"A": "b=c", "D": " e"}),
        ("params", "day=today", "params", {"day": "today"}),
        ("labels", "team=db", "labels", {"team": "db"}),
        ("priority", "-5", "priority", -5),
        ("run_as", "1000", "run_as", "1000"),
    ],
)  # fmt: skip
def test_values_are_read(field_id: str, text: str, key: str, value: object) -> None:
    """What is written becomes what a job file with it would say."""
    it = desk("billing-sync")
    type_in(it, field_id, text)
    assert not it.faults
    assert getattr(it.checked.job, key) == value


def test_emptied_fields_are_what_holds_without_them() -> None:
    """A key that is emptied is not in the file any more, nor a block that is left empty."""
    row = JobRow(
        id=1, version=2, job=Job(name="x", executor="shell", config={"command": "true"},
                                 retry=Retry(limit=3), overlap=Overlap.QUEUE),
    )  # fmt: skip
    it = desk(draft=edit_draft(row))
    type_in(it, "retry.limit", "")
    it.go_to("overlap")
    keys(it, "backspace")
    judge(it)
    assert it.checked.block == {"shell": {"command": "true"}}
    assert it.changed == {"retry.limit": (3, None), "overlap": ("queue", None)}


def test_choices() -> None:
    """Space and the arrows go through the values, a letter goes to the one it begins."""
    it = desk("billing-sync")
    it.go_to("overlap")
    keys(it, " ")
    assert it_text(it) == "queue"
    keys(it, "right", "right")
    assert it_text(it) == "allow"
    keys(it, "r")
    assert it_text(it) == "replace"
    keys(it, "left", "left", "left", "left")
    assert it_text(it) == "replace"


def test_name_of_a_job_that_is_there_stays() -> None:
    """It cannot be typed in; the help says how one comes to another name."""
    it = desk("billing-sync")
    it.go_to("name")
    keys(it, "x", "backspace")
    assert it.draft.name == "billing-sync"
    assert "clones it" in it.help_lines()[1]


def test_name_that_is_taken() -> None:
    """A new job cannot have the name of another one."""
    it = desk(draft=clone_draft(ROWS["billing-sync"].job, ROWS))
    assert it.draft.name == "billing-sync-copy"
    type_in(it, "name", "reindex")
    assert it.faults["name"] == ["a job of this name is there already"]


def test_another_executor() -> None:
    """Its own fields come, the old block is not saved, and is there again on the way back."""
    it = desk("billing-sync")
    it.go_to("executor")
    while it_text(it) != "http":
        keys(it, "right")
    type_in(it, "http.url", "http://localhost/")
    assert it.checked.block["http"] == {"url": "http://localhost/"}
    assert "shell" not in it.checked.block
    it.go_to("executor")
    keys(it, "s", "s", "s")
    while it_text(it) != "shell":
        keys(it, "left")
    judge(it)
    assert it.checked.job == ROWS["billing-sync"].job
    assert it.changed == {}


def test_fields_of_an_executor_that_is_nowhere_installed() -> None:
    """The schema that agents publish is all that a form needs."""
    schema = {
        "type": "object", "additionalProperties": False, "required": ["statement"],
        "properties": {
            "statement": {"type": "string", "description": "what is asked"},
            "level": {"enum": ["low", "high"], "default": "low"},
            "password": {"type": "string", "x-secret": True},
        },
    }  # fmt: skip
    about = Description(
        name="sql", use="sql", version="1", port=1, summary="asks a database",
        main_key="statement", capabilities=[], schema=schema,
    )  # fmt: skip
    it = desk()
    it.learn([OfferedExecutor(description=about, agents=1, some=["a"], unavailable={},
                              unavailable_agents=0)], [])  # fmt: skip
    it.form = desk(draft=clone_draft(
        Job(name="x", executor="sql", config={"statement": "select 1", "password": "hunter22"}), []
    )).form  # fmt: skip
    judge(it)
    told = lines(it)
    assert any("hunter22" in line for line in told) is False
    assert any("********" in line for line in told)
    assert it.checked.job is not None
    assert "hunter22" not in str(it.changed)
    keys(it, "tab", "tab", "tab")
    assert it.help_lines()[0] == "statement: what is asked"


def test_a_schedule_is_shown_and_not_only_told_of() -> None:
    """Below the form stands what schedules look like."""
    it = desk("billing-sync")
    it.go_to("schedule")
    assert it.help_lines()[1] == "*/5 9-17 * * mon-fri, @daily, @every 90s; enter: new line"


def test_what_is_told_of_a_field_takes_three_lines() -> None:
    """How it is written is always there; what it means is cut only where three are too few."""
    told = told_lines("what it means " * 9, "as it is written", 60, 3)
    assert [line.text.strip() for line in told] == [
        "what it means what it means what it means what it means what",
        "it means what it means what it means what it means what it …",
        "as it is written",
    ]
    assert [line.text for line in told_lines("short", "", 60, 3)] == [" short", "", ""]


def test_what_follows() -> None:
    """Below the schedule stands what it means; beside the form the next fires and the week."""
    it = desk("billing-sync")
    type_in(it, "schedule", "*/15 8-19 * * 1-5")
    type_in(it, "timezone", "Europe/Berlin")
    told = "\n".join(lines(it, 80))
    assert "= every 15 minutes" in told
    assert "next Tue 24 Mar 14:15:00 CET, in 11m" in told
    assert "matches 0" not in told
    side = "\n".join(
        line.text.rstrip() for line in side_lines(it.effect, it.changed, NOW_US, None, 41)
    )
    assert " Mon ········444444444444····" in side
    assert "672 → 240 fires a week" in side
    assert "~ timezone" in side or "+ timezone: Europe/Berlin" in side


def test_blackouts_are_counted() -> None:
    """Due times in a blackout are no fires of the week, to the minute."""
    it = desk("billing-sync")
    it.learn([], [Calendar(name="holidays", dates=["2026-03-25"])])
    type_in(it, "schedule", "*/10 * * * *")
    type_in(it, "blackout", "calendar holidays\n00:05 - 01:00")
    assert it.effect is not None
    week = it.effect.forecast.week
    assert week.blackout == 144 + 6 * 5
    assert week.hours[0][0] == 1
    assert week.hours[2] == (0,) * 24
    assert week.fires + week.blackout == 1008


def test_who_would_run_it() -> None:
    """The agents that match are named; that none does is a warning."""
    it = desk("billing-sync")
    judge(it, agents=AGENTS)
    assert it.effect is not None
    assert "none of 3 agents that match offers executor shell" in it.effect.forecast.doubts
    assert it.verdict().text.startswith("valid, unchanged, ")
    assert it.effect.forecast.doubts[0] in it.verdict().text
    assert it.verdict().tone == "warn"
    able = [msgspec.structs.replace(agent("db-1"), executors=["shell"])]
    judge(it, agents=able)
    assert "matches 1: db-1" in "\n".join(lines(it))


def test_rebase_keeps_what_i_typed() -> None:
    """My change goes onto theirs; what only they changed is theirs."""
    it = desk("billing-sync")
    type_in(it, "timeout", "5m")
    mine = it.checked.job
    assert mine is not None
    theirs = job(2, "billing-sync", "0 * * * *", priority=5)
    it.rebase(mine, JobRow(id=2, job=theirs.job, version=7))
    judge(it)
    assert it.checked.job is not None
    assert it.checked.job.timeout_s == 300
    assert it.checked.job.priority == 5
    assert it.draft.version == 7
    assert it.changed == {"timeout": (None, "5m")}
    it.rebase(mine, None)
    judge(it, jobs={})
    assert it.draft.is_new
    assert it.checked.block == job_to_file(mine)


def test_question_before_saving() -> None:
    """It names each change and what follows from it."""
    it = desk("billing-sync")
    type_in(it, "schedule", "@hourly")
    assert it.checked.job is not None
    assert it.effect is not None
    text = question(it.draft, it.checked.job, it.changed, it.effect)
    assert text.startswith("Save billing-sync, version 1 → 2?")
    assert "~ schedule: */15 * * * * → @hourly" in text
    assert "672 → 168 fires a week" in text


@pytest.mark.parametrize(
    ("message", "field_id", "said"),
    [
        ("job x: after[0].job: there is no job y", "after", "there is no job y"),
        ("job x: params.DAY: must be given", "params", "must be given"),
        ("job x: there is no pool 'db'", "pool", "there is no pool 'db'"),
        ("job x: there is no calendar 'h'", "blackout", "there is no calendar 'h'"),
        ("the store cannot be written", "", "the store cannot be written"),
        ("job x: shell.nice: is odd", "shell.nice", "is odd"),
    ],
)
def test_refusals_stand_at_their_fields(message: str, field_id: str, said: str) -> None:
    """What the coordinator declines is told where it can be put right."""
    it = desk("billing-sync")
    assert refused_at(message, "x", it.fields) == (field_id, said)


@pytest.mark.parametrize("width", [40, 55, 79, 140])
@pytest.mark.parametrize("opened", [False, True])
def test_no_line_is_wider_than_the_form(width: int, opened: bool) -> None:  # noqa: FBT001 - one of two cases
    """Whatever stands in the fields, lines have the width of the form."""
    it = desk("etl-orders")
    if opened:
        it.open_all()
    type_in(it, "shell.command", "echo 日本語 " + "x" * 200 + "\n\tsecond")
    type_in(it, "schedule", "61 " + "* " * 60)
    for row in it.rows(at(0), width):
        assert sum(cell_len(cell.text) for cell in row.cells) <= width
        assert row.caret is None or row.caret < width


def test_week_of_a_job_with_two_schedules_counts_no_instant_twice() -> None:
    """Two schedules that are due at the same instant are one fire."""
    it = desk("billing-sync")
    type_in(it, "schedule", "0 * * * *\n*/30 * * * *")
    assert it.effect is not None
    assert it.effect.forecast.week.fires == 336


def test_changes_of_the_clock_are_told_of() -> None:
    """The next change of the clock says what becomes of the job, or that it does nothing to it."""
    it = desk("billing-sync")
    type_in(it, "schedule", "30 2 * * *")
    type_in(it, "timezone", "Europe/Berlin")
    side = " ".join(line.text.strip() for line in side_lines(it.effect, {}, NOW_US, None, 60))
    assert "! clock change Sun 29 Mar: stands for 02:30: the clock leaps" in side
    type_in(it, "schedule", "30 12 * * *")
    side = " ".join(line.text.strip() for line in side_lines(it.effect, {}, NOW_US, None, 60))
    assert "● clock change Sun 29 Mar: no effect" in side


def test_fires_are_known_before_all_else_is_right() -> None:
    """A new job shows what its schedule does while it has neither name nor command."""
    it = desk()
    type_in(it, "schedule", "@hourly")
    assert it.checked.job is None
    assert it.effect is not None
    assert it.effect.forecast.week.fires == 168
    type_in(it, "schedule", "@hourl")
    assert it.effect is None


def test_names_that_are_known_are_offered() -> None:
    """Right, behind what was begun, takes the first of them."""
    it = desk("billing-sync")
    it.learn([], [Calendar(name="holidays", dates=[])], [Pool(name="db-heavy", slots=2)])
    judge(it)
    it.go_to("timezone")
    it.paste("berl")
    assert it.help_lines()[1] == "right: Europe/Berlin"
    keys(it, "right")
    assert it_text(it) == "Europe/Berlin"
    assert it.suggestions() == []
    type_in(it, "blackout", "22:00 - 06:00\ncal")
    keys(it, "right")
    assert it_text(it) == "22:00 - 06:00\ncalendar holidays"
    it.go_to("after")
    it.paste("back")
    keys(it, "right", "enter")
    it.paste("reind")
    keys(it, "right")
    assert it_text(it) == "backup-db\nreindex"
    it.go_to("pool")
    it.paste("heavy")
    keys(it, "right")
    judge(it)
    assert it.checked.job is not None
    assert it.checked.job.pool == "db-heavy"
