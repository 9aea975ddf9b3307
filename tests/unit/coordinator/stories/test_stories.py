"""Whole stories as text, beside what they should be.

To accept what they are now: TOCSIN_ACCEPT_GOLDENS=1 pytest tests/unit/coordinator/stories
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tocsin.coordinator.story import tell
from tocsin.messages.client_answers import StepVerdict, Story
from tocsin.model import RunState, SkipReason

from .scenes import SCENES

GOLDENS = Path(__file__).with_name("goldens")


def text_of(story: Story) -> str:
    """A story as lines."""
    lines = [story.verdict]
    lines += [f"{step.verdict:4} {step.kind:11} {step.text}" for step in story.steps]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", list(SCENES))
def test_a_story_in_words(name: str) -> None:
    """It is the stored one, to the letter."""
    text = text_of(tell(SCENES[name]()))
    golden = GOLDENS / f"{name}.txt"
    if os.environ.get("TOCSIN_ACCEPT_GOLDENS"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", list(SCENES))
def test_the_verdict_is_one_sentence_with_its_reason_among_the_steps(name: str) -> None:
    """It ends once; what was stopped has a step that says what stopped it."""
    story = tell(SCENES[name]())

    assert story.verdict.endswith(".")
    assert "\n" not in story.verdict
    if any(run.state is RunState.SKIPPED for run in story.runs):
        assert StepVerdict.NO in {step.verdict for step in story.steps}


def test_every_state_and_every_reason_has_a_story() -> None:
    """A new member of either cannot be forgotten here."""
    runs = [run for make in SCENES.values() for run in make().runs]

    assert {run.state for run in runs} == set(RunState)
    skips = {run.reason for run in runs if run.state is RunState.SKIPPED}
    assert skips == set(SkipReason)


def test_there_is_no_golden_without_a_story() -> None:
    """What is not compared is not kept."""
    assert {path.stem for path in GOLDENS.iterdir()} == set(SCENES)
