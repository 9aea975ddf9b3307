"""When due times of a job pass without a run: while it is paused, and in maintenance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo
from typing import Final, NamedTuple

from tocsin.model import JobRow, Pause
from tocsin.pausing import AGENT_SCOPES, pauses_job

from .plain import one_line
from .words import local

_EVER_US: Final = 1 << 62


class Stretch(NamedTuple):
    """From an instant until another, which is not in it."""

    from_us: int
    to_us: int


def of_jobs(pauses: Iterable[Pause]) -> tuple[Pause, ...]:
    """Those of jobs: an agent that is paused lets nothing pass, its runs wait."""
    return tuple(pause for pause in pauses if pause.scope not in AGENT_SCOPES)


def pause_times(row: JobRow, pauses: Iterable[Pause]) -> list[Stretch]:
    """The stretches in which due times of a job are skipped; its own pause is the first."""
    own = [Stretch(-_EVER_US, _ever(row.pause_until_us))] if row.paused else []
    others = (pause for pause in pauses if pauses_job(pause, row.job))
    return [*own, *(Stretch(pause.since_us, _ever(pause.until_us)) for pause in others)]


def passes(at_us: int, times: Iterable[Stretch]) -> bool:
    """Whether an instant is in one of the stretches."""
    return any(time.from_us <= at_us < time.to_us for time in times)


def without(due: Mapping[int, int], times: Sequence[Stretch], column_us: int) -> Mapping[int, int]:
    """Counts by column without those of columns that begin in one of the stretches."""
    if not times:
        return due
    return {column: n for column, n in due.items() if not passes(column * column_us, times)}


def maintenance_words(pause: Pause, zone: tzinfo | None) -> str:
    """Until when it is, by whom and why."""
    until = "" if pause.until_us is None else f" until {local(pause.until_us, zone):%a %d %b %H:%M}"
    by = f" by {one_line(pause.by)}" if pause.by else ""
    reason = f": {one_line(pause.reason)}" if pause.reason else ""
    return f"maintenance{until}{by}{reason}"


def _ever(until_us: int | None) -> int:
    return _EVER_US if until_us is None else until_us
