"""Stories as lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.cells import cell_len

from tests.tui.fleet import BERLIN, JOBS, RUNNING, at
from tests.unit.coordinator.stories.scenes import NOW_US, SCENES
from tocsin.coordinator.story import tell
from tocsin.messages.client_answers import Step, StepKind, StepVerdict, Story
from tocsin.messages.client_link import Explain
from tocsin.tui.actions.action import Flag, Place, Situation
from tocsin.tui.actions.why import question
from tocsin.tui.plain import wrap
from tocsin.tui.story_lines import story_rows, title, verdict_lines

ETL = JOBS[4]


@given(st.text(alphabet="ab -漢é", max_size=60), st.integers(2, 20))
def test_wrapped_lines_fit_and_lose_nothing(text: str, width: int) -> None:
    """Only spaces are lost, and no line is too wide, wide letters included."""
    lines = wrap(text, width)
    assert lines
    assert all(cell_len(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize("width", [39, 79, 99, 199])
@pytest.mark.parametrize("scene", sorted(SCENES))
def test_every_story_fits(scene: str, width: int) -> None:
    """Whatever became of a due time, each line is as wide as the pane, and has its own key."""
    story = tell(SCENES[scene]())
    rows = story_rows(story, NOW_US, BERLIN, width)
    for _, cells in rows:
        assert cell_len("".join(cell.text for cell in cells)) <= width
    assert len({key for key, _ in rows}) == len(rows)
    told = " ".join("".join(cell.text for cell in cells) for _, cells in rows)
    for step in story.steps:
        assert step.text.split()[0] in told
    assert "".join(cells[0].text for cells in verdict_lines(story, width)).replace(" ", "") == (
        story.verdict.replace(" ", "")
    )


def test_marks_times_and_kinds() -> None:
    """What let it on and what stopped it stand apart in glyph and colour; a kind is named once."""
    story = Story("a", None, "UTC", "It did not run.", [
        Step(StepKind.SCHEDULE, StepVerdict.YES, "due", at(0)),
        Step(StepKind.PLACEMENT, StepVerdict.NO, "db1: is\x1b[31m down"),
        Step(StepKind.PLACEMENT, StepVerdict.NO, "db2: is down"),
        Step(StepKind.NEXT, StepVerdict.INFO, "tomorrow"),
    ], [])  # fmt: skip
    rows = story_rows(story, NOW_US, BERLIN, 80)
    lines = ["".join(cell.text for cell in cells).rstrip() for _, cells in rows]
    assert lines == [
        "✓ 14:03:22 schedule     due",
        "✗          placement    db1: is down",
        "✗                       db2: is down",
        "·          next         tomorrow",
    ]
    assert [cells[0].tone for _, cells in rows] == ["good", "bad", "bad", "quiet"]


def test_title_has_both_clocks() -> None:
    """The due time on the clock of the job, and on the user's where that shows another time."""
    story = Story("a", at(0), "UTC", "", [], [])
    assert title(Explain("a"), story, BERLIN) == "a, due Tue 2026-03-24 13:03:22 UTC  (14:03 CET)"
    same = replace(story, timezone="Europe/Berlin", at_us=at(-22))
    assert title(Explain("a"), same, BERLIN) == "a, due Tue 2026-03-24 14:03 CET"
    nothing = replace(story, at_us=None)
    assert title(Explain("a", at(-22)), nothing, BERLIN).startswith(
        "a, at Tue 2026-03-24 13:03 UTC"
    )
    of_run = replace(story, at_us=None, runs=[RUNNING])
    assert title(Explain("a"), of_run, BERLIN) == f"a, run {RUNNING.id[-6:]}"
    assert title(Explain("a", None, RUNNING.id), None, BERLIN) == f"a, run {RUNNING.id[-6:]}"


@pytest.mark.parametrize(
    ("situation", "ask"),
    [
        (Situation(place=Place.RUNS, runs=(RUNNING,)), Explain("etl-orders", None, RUNNING.id)),
        (
            Situation(place=Place.RUN, jobs=(ETL,), runs=(RUNNING,), at_us=5),
            Explain("etl-orders", None, RUNNING.id),
        ),
        (Situation(place=Place.JOBS, jobs=(ETL,), runs=(RUNNING,)), Explain("etl-orders")),
        (Situation(place=Place.OVERVIEW, jobs=(ETL,), at_us=5), Explain("etl-orders", 5)),
        (Situation(place=Place.JOB, jobs=(ETL,), runs=(RUNNING,)), Explain("etl-orders")),
        (
            Situation(
                place=Place.JOB, jobs=(ETL,), runs=(RUNNING,), flags=frozenset({Flag.CHOSEN})
            ),
            Explain("etl-orders", None, RUNNING.id),
        ),
    ],
)
def test_what_is_asked(situation: Situation, ask: Explain) -> None:
    """On a run its story, on a fire that due time, on a job the last one."""
    assert question(situation) == ask
