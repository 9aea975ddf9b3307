"""`tocsin why`: what it asks, and what it prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.coordinator.stories.scenes import SCENES
from tocsin.coordinator.story import tell
from tocsin.instants import from_rfc3339
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

    assert desk.asked == [Explain("hello"), Explain("hello", from_rfc3339("2026-11-01T01:30:00Z"))]


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
