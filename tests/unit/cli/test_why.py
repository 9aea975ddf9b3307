"""`tocsin why`: what it asks, and what it prints."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.unit.coordinator.stories.scenes import SCENES
from tocsin.cli.moments import is_absolute, parse_moment
from tocsin.coordinator.story import tell
from tocsin.errors import ConfigError
from tocsin.instants import to_us
from tocsin.messages.client_answers import (
    Answer,
    Declined,
    JobsPage,
    Step,
    StepKind,
    StepVerdict,
    Story,
)
from tocsin.messages.client_link import Ask, Explain, GetJobs, ListJobs

from .conftest import Desk, Tocsin
from .test_shapes import AT_US, JOB, RUN

BERLIN = ZoneInfo("Europe/Berlin")
STORY = Story(
    "hello",
    AT_US,
    "Europe/Berlin",
    "It was skipped: run 01H was under way.",
    [
        Step(StepKind.SCHEDULE, StepVerdict.YES, "due 2026-01-01 01:00 CET"),
        Step(StepKind.PLACEMENT, StepVerdict.NO, "db1: is\x1b[31m down"),
        Step(StepKind.PLACEMENT, StepVerdict.NO, "db2: is down"),
        Step(StepKind.NEXT, StepVerdict.INFO, "due next 2026-01-02 01:00 CET"),
    ],
    [RUN],
)


def berlin(text: str, fold: int = 0) -> int:
    """An instant on the clock of Berlin."""
    return to_us(datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=fold))


NOW_US = berlin("2026-11-24 01:00")


@pytest.mark.parametrize(
    ("text", "instant_us"),
    [
        ("2026-11-01T01:30:00Z", berlin("2026-11-01 02:30")),
        ("2026-11-01t01:30:00z", berlin("2026-11-01 02:30")),
        ("2026-11-01 02:30", berlin("2026-11-01 02:30")),
        ("2026-11-01 02:30:15", berlin("2026-11-01 02:30:15")),
        ("2026-11-01", berlin("2026-11-01 00:00")),
        ("00:30", berlin("2026-11-24 00:30")),
        ("01:00", berlin("2026-11-24 01:00")),
        ("2:30", berlin("2026-11-23 02:30")),
        ("today 02:30", berlin("2026-11-24 02:30")),
        ("Yesterday  02:30:05", berlin("2026-11-23 02:30:05")),
        ("tomorrow 02:30", berlin("2026-11-25 02:30")),
        ("2026-10-25 02:30", berlin("2026-10-25 02:30", fold=0)),
        ("2027-03-28 02:30", berlin("2027-03-28 03:00")),
    ],
)
def test_a_time_as_people_write_it(text: str, instant_us: int) -> None:
    """On the job's clock; twice shown is the first pass, leapt over is the end of the leap."""
    assert parse_moment(text, BERLIN, NOW_US) == instant_us


@pytest.mark.parametrize("text", ["", "noon", "25:00", "yesterday", "2026-13-01", "yesterday 2"])
def test_what_is_no_time_is_said_with_examples(text: str) -> None:
    """The hint shows how to write it."""
    with pytest.raises(ConfigError, match="is no time") as refused:
        parse_moment(text, BERLIN, NOW_US)

    assert "yesterday 02:30" in refused.value.hint


def test_only_a_time_with_an_offset_needs_no_zone() -> None:
    """The others are asked of the coordinator, for it knows the job's zone."""
    assert is_absolute("2026-11-01T01:30:00+01:00")
    assert not is_absolute("2026-11-01T01:30:00")
    assert not is_absolute("02:30")


def test_a_story_as_lines(tocsin: Tocsin, desk: Desk) -> None:
    """The sentence, then the steps; a kind is named once, and nothing can dress up the terminal."""
    desk.answer = lambda _ask: STORY

    said = tocsin("why", "hello")

    assert said.code == 0
    assert said.out.splitlines() == [
        "hello, due Thu 2026-01-01 01:00 CET",
        "It was skipped: run 01H was under way.",
        "",
        "  ✓ schedule   due 2026-01-01 01:00 CET",
        "  ✗ placement  db1: is\N{REPLACEMENT CHARACTER}[31m down",
        "  ✗            db2: is down",
        "  · next       due next 2026-01-02 01:00 CET",
    ]


@pytest.mark.parametrize(
    ("page", "scene"),
    [
        ("README.md", "missed-too-old"),
        ("docs/why.md", "missed-too-old"),
        ("docs/why.md", "queued"),
        ("docs/why.md", "near-failed"),
    ],
)
def test_the_examples_of_the_documentation_are_what_it_prints(
    tocsin: Tocsin, desk: Desk, page: str, scene: str
) -> None:
    """To the letter."""
    story = tell(SCENES[scene]())
    desk.answer = lambda _ask: story

    printed = tocsin("why", "nightly-backup").out

    text = (Path(__file__).parents[3] / page).read_text(encoding="utf-8")
    assert printed in text, printed


def test_a_story_as_json(tocsin: Tocsin, desk: Desk) -> None:
    """The same in a shape that stays."""
    desk.answer = lambda _ask: STORY

    told = json.loads(tocsin("why", "hello", "-o", "json").out)

    assert told["at"] == "2026-01-01T00:00:00.000000Z"
    assert [step["verdict"] for step in told["steps"]] == ["yes", "no", "no", "info"]


def test_a_time_without_an_offset_is_of_the_clock_of_the_job(tocsin: Tocsin, desk: Desk) -> None:
    """The zone comes from the coordinator, also for a job that is removed."""
    desk.answer = lambda _ask: STORY

    tocsin("why", "hello", "--at", "2026-11-01 02:30")

    assert desk.asked == [Explain("hello"), Explain("hello", berlin("2026-11-01 02:30"))]


def test_one_run_is_asked_for_by_its_id(tocsin: Tocsin, desk: Desk) -> None:
    """Small letters are as good."""
    desk.answer = lambda _ask: STORY

    tocsin("why", "hello", "--run", "01m85q")

    assert desk.asked == [Explain("hello", None, "01M85Q")]


def test_a_time_and_a_run_exclude_each_other(tocsin: Tocsin) -> None:
    """It is one question or the other."""
    said = tocsin("why", "hello", "--at", "02:30", "--run", "01H")

    assert said.code == 2
    assert "exclude each other" in said.err


def test_an_unknown_job_is_answered_with_the_nearest(tocsin: Tocsin, desk: Desk) -> None:
    """Exit code 1: there is nothing to explain."""

    def answer(ask: Ask) -> Answer:
        match ask:
            case GetJobs():
                return JobsPage([])
            case ListJobs():
                return JobsPage([JOB])
            case _:
                return Declined("there is no job helo", "see what there is: tocsin job list")

    desk.answer = answer

    said = tocsin("why", "helo")

    assert said.code == 1
    assert "there is no job helo" in said.err
    assert 'did you mean "hello"?' in said.err
