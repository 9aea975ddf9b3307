"""A story as lines of a given width."""

from __future__ import annotations

from datetime import tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from tocsin.instants import SECOND_US
from tocsin.messages.client_answers import Step, StepVerdict, Story
from tocsin.messages.client_link import Explain

from .job_panes import Row, run_rows
from .plain import fit, one_line, rule, wrap
from .widgets.columns import Cell
from .words import local, run_tail

MARK: Final = {StepVerdict.YES: "✓", StepVerdict.NO: "✗", StepVerdict.INFO: "·"}
_TONE: Final = {StepVerdict.YES: "good", StepVerdict.NO: "bad", StepVerdict.INFO: "quiet"}
_KIND_CELLS: Final = 12
_TIME_CELLS: Final = 9
_TEXT_LEAST: Final = 24


def title(ask: Explain, story: Story | None, zone: tzinfo | None) -> str:
    """Which due time or run this is about; on the clock of the job, and on the user's too."""
    due_us = None if story is None else story.at_us
    about_us = ask.at_us if due_us is None else due_us
    if about_us is not None:
        there = local(about_us, zone if story is None else ZoneInfo(story.timezone))
        here = local(about_us, zone)
        seconds = ":%S" if about_us // SECOND_US % 60 else ""
        also = f"  ({here:%H:%M %Z})" if here.utcoffset() != there.utcoffset() else ""
        word = "at" if story is not None and due_us is None else "due"
        return f"{ask.job}, {word} {there:%a %Y-%m-%d} {there:%H:%M{seconds} %Z}{also}"
    if ask.run:
        return f"{ask.job}, run {run_tail(ask.run)}"
    if story is not None and story.runs:
        return f"{ask.job}, run {run_tail(story.runs[0].id)}"
    return ask.job


def verdict_lines(story: Story, width: int) -> list[tuple[Cell, ...]]:
    """The sentence that answers."""
    return [(Cell(line, "strong"),) for line in wrap(one_line(story.verdict), width)]


def story_rows(story: Story, now_us: int, zone: tzinfo | None, width: int) -> list[Row]:
    """Each step with its mark and its time; then the runs."""
    timed = any(step.at_us is not None for step in story.steps)
    rows: list[Row] = []
    kind = ""
    for number, step in enumerate(story.steps):
        rows += _step_rows(number, step, "" if step.kind == kind else step.kind, zone, width,
                           timed=timed)  # fmt: skip
        kind = step.kind
    if story.runs:
        rows.append(
            ("runs", (Cell(rule(f"Runs {len(story.runs)}", "enter opens", width), "quiet"),))
        )
        rows += run_rows(story.runs, now_us, zone, width)
    return rows


def _step_rows(
    number: int, step: Step, kind: str, zone: tzinfo | None, width: int, *, timed: bool
) -> list[Row]:
    time = "" if step.at_us is None else f"{local(step.at_us, zone):%H:%M:%S}"
    head = f" {fit(kind, _KIND_CELLS)}"
    if timed:
        head = f" {fit(time, _TIME_CELLS)}{fit(kind, _KIND_CELLS)}"
    room = width - len(head) - 2
    if room < _TEXT_LEAST:
        head, room = "", width - 2
    colour = _TONE[step.verdict]
    rows: list[Row] = []
    for part, text in enumerate(wrap(one_line(step.text), room)):
        cells = (
            Cell(MARK[step.verdict] if part == 0 else " ", colour),
            Cell(head if part == 0 else " " * len(head), "quiet"),
            Cell(f" {text}", "bad" if step.verdict is StepVerdict.NO else ""),
        )
        rows.append((f"step {number} {part}", cells))
    return rows
