"""How long a job usually takes, by its earlier runs that succeeded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from tocsin.instants import SECOND_US
from tocsin.model import Run, RunState

_HIGH: Final = 0.95


class Usual(msgspec.Struct, frozen=True):
    """Spans of runs that succeeded."""

    median_s: float
    high_s: float
    """19 of 20 took at most that."""
    runs: int


def usual(run: Run, others: Iterable[Run]) -> Usual | None:
    """What its job usually took before this run; None while no run of it has succeeded."""
    spans = sorted(
        (other.finished_us - other.started_us) / SECOND_US
        for other in others
        if other.job == run.job
        and other.id < run.id
        and other.state is RunState.SUCCEEDED
        and other.started_us is not None
        and other.finished_us is not None
    )
    if not spans:
        return None
    high = spans[min(int(len(spans) * _HIGH), len(spans) - 1)]
    middle = len(spans) // 2
    median = spans[middle] if len(spans) % 2 else (spans[middle - 1] + spans[middle]) / 2
    return Usual(median, high, len(spans))
