"""How busy an agent was in the last hour, as far as its runs are known."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from tocsin.instants import SECOND_US
from tocsin.model import TERMINAL, Run

from .durations import BROKEN

COLUMNS: Final = 30
COLUMN_US: Final = 120 * SECOND_US
HOUR_US: Final = COLUMNS * COLUMN_US
_BLOCKS: Final = " ▁▂▃▄▅▆▇█"


class AgentHour(msgspec.Struct, frozen=True):
    """The hour before an instant."""

    taken: tuple[float, ...]
    """How many slots were taken on average in each column."""
    ended: int
    """How many runs ended."""
    failed: int
    """How many of them did not succeed."""


def agent_hour(runs: Iterable[Run], agent: str, now_us: int) -> AgentHour:
    """The hour of an agent; a run takes its slot from when it was sent there to its end."""
    from_us = now_us - HOUR_US
    spent_us = [0] * COLUMNS
    ended = failed = 0
    for run in runs:
        if run.agent != agent:
            continue
        begin_us = run.dispatched_us or run.started_us
        is_over = run.state in TERMINAL
        end_us = run.finished_us if is_over else now_us
        if begin_us is None or end_us is None or end_us <= from_us or begin_us >= now_us:
            continue
        if is_over:
            ended += 1
            failed += run.state in BROKEN
        _spend(spent_us, max(begin_us - from_us, 0), min(end_us, now_us) - from_us)
    return AgentHour(tuple(us / COLUMN_US for us in spent_us), ended, failed)


def _spend(spent_us: list[int], begin_us: int, end_us: int) -> None:
    """Pour a stretch of the hour into its columns."""
    while begin_us < end_us:
        column = begin_us // COLUMN_US
        until_us = min((column + 1) * COLUMN_US, end_us)
        spent_us[column] += until_us - begin_us
        begin_us = until_us


def strip(hour: AgentHour, slots: int) -> str:
    """The columns as blocks, each as high as its share of the slots; any use is seen."""
    top = len(_BLOCKS) - 1
    heights = (-int(-taken * top // max(slots, 1)) for taken in hour.taken)
    return "".join(_BLOCKS[min(height, top)] for height in heights)


def share(hour: AgentHour, slots: int) -> float:
    """Which part of the slots was taken, over the hour."""
    return min(sum(hour.taken) / (COLUMNS * slots), 1.0) if slots else 0.0
