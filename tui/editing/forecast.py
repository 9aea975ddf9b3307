"""What would follow from a job: its next fires, how often it is due in a week, who would run it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, tzinfo
from itertools import takewhile
from typing import Final, NamedTuple

import msgspec

from tocsin.doubts import doubts_of, hosts_of
from tocsin.errors import ScheduleError
from tocsin.fires import Fire, blackout_of, dues, next_fires, schedules_of
from tocsin.instants import SECOND_US
from tocsin.model import Agent, Calendar, Job
from tocsin.schedule import parse
from tocsin.schedule.density import QUARTER_S, count_quarters
from tocsin.schedule.zones import change_between, load_zone, offset_at

FIRES_SHOWN: Final = 5
_QUARTER_US: Final = QUARTER_S * SECOND_US
_WEEK: Final = timedelta(days=7)
DAY_S: Final = 86_400
_DAYS_AHEAD: Final = 22
_AROUND_MAX: Final = 300
_NOTES_MAX: Final = 2
_WALKED_MAX: Final = 2_000
"""Fires of a job with several schedules that are walked through, so that none counts twice."""


class Week(NamedTuple):
    """The next seven days."""

    hours: tuple[tuple[int, ...], ...]
    """Fires in each hour of the clock of the job's zone: from Monday, 24 for each day."""
    blackout: int
    """Due times beside these that get no run."""

    @property
    def fires(self) -> int:
        """All of them."""
        return sum(map(sum, self.hours))


class ClockChange(NamedTuple):
    """The next change between summer and winter time, where one is near."""

    at_us: int = 0
    """0: none is."""
    notes: tuple[str, ...] = ()
    """What it does to due times around it."""


class Forecast(msgspec.Struct, frozen=True):
    """What follows from a job, as things stand."""

    fires: list[Fire]
    zone: tzinfo
    clock_change: ClockChange
    week: Week
    hosts: list[str]
    doubts: list[str]


def forecast(
    job: Job, now_us: int, calendars: Mapping[str, Calendar], agents: Iterable[Agent]
) -> Forecast:
    """What follows from a job that has been checked."""
    known = list(agents)
    fires = next_fires(job, now_us, FIRES_SHOWN, calendars)
    return Forecast(
        fires=fires,
        zone=load_zone(job.timezone),
        clock_change=clock_change(job, now_us),
        week=week_of(job, now_us, calendars),
        hosts=hosts_of(job, known),
        doubts=doubts_of(job, fires, known),
    )


def week_of(job: Job, now_us: int, calendars: Mapping[str, Calendar]) -> Week:
    """How often a job is due in each hour of the week that begins with this quarter of an hour."""
    zone = load_zone(job.timezone)
    first = now_us // _QUARTER_US
    counts = _counts(job, first, _quarters(first, zone))
    blackout = blackout_of(job, calendars)
    hours = [[0] * 24 for _ in range(7)]
    lost = 0
    for number, count in enumerate(counts):
        if not count:
            continue
        begin_us = (first + number) * _QUARTER_US
        end_us = begin_us + _QUARTER_US
        edges = bool(blackout(begin_us)), bool(blackout(end_us - SECOND_US))
        kept = 0 if all(edges) else count
        if any(edges) and not all(edges):
            within = takewhile(lambda due: due.at_us < end_us, dues(job, begin_us - SECOND_US))  # noqa: B023 - used up in this turn
            kept = sum(not blackout(due.at_us) for due in within)
        lost += count - kept
        shown = datetime.fromtimestamp(begin_us // SECOND_US, zone)
        hours[shown.weekday()][shown.hour] += kept
    return Week(tuple(tuple(day) for day in hours), lost)


def clock_change(job: Job, now_us: int) -> ClockChange:
    """The next change of the clock of the job's zone, and what it does to the job."""
    zone, now = load_zone(job.timezone), now_us // SECOND_US
    offset = offset_at(now, zone)
    ahead = next(
        (n for n in range(1, _DAYS_AHEAD) if offset_at(now + n * DAY_S, zone) != offset), 0
    )
    if not ahead or not job.schedule:
        return ClockChange()
    at = change_between(now + (ahead - 1) * DAY_S, now + ahead * DAY_S, zone)
    around = next_fires(job, max(at - DAY_S, now) * SECOND_US, _AROUND_MAX)
    notes = [fire.clock for fire in around if fire.clock and fire.at_us < (at + DAY_S) * SECOND_US]
    return ClockChange(at * SECOND_US, tuple(dict.fromkeys(notes))[:_NOTES_MAX])


def _quarters(first: int, zone: tzinfo) -> int:
    """How many there are until the clock shows the same hour a week later, changed or not."""
    begin = datetime.fromtimestamp(first * QUARTER_S, zone)
    return round((begin + _WEEK).timestamp() / QUARTER_S) - first


def _counts(job: Job, first: int, count: int) -> list[int]:
    """Due times in each quarter, within the job's life."""
    counts = [0] * count
    if not job.enabled:
        return counts
    for schedule in schedules_of(job):
        added = count_quarters(schedule, first, count)
        counts = [one + other for one, other in zip(counts, added, strict=True)]
    ends = (job.starts_at_us, job.expires_at_us)
    if (len(job.schedule) > 1 or ends != (None, None)) and sum(counts) <= _WALKED_MAX:
        return _walked(job, first, count)
    starts_us, expires_us = ends
    for number in range(count):
        begin_us = (first + number) * _QUARTER_US
        if starts_us is not None and begin_us < starts_us:
            counts[number] = 0
        if expires_us is not None and begin_us >= expires_us:
            counts[number] = 0
    return counts


def _walked(job: Job, first: int, count: int) -> list[int]:
    counts = [0] * count
    for due in dues(job, first * _QUARTER_US - 1):
        number = due.at_us // _QUARTER_US - first
        if number >= count:
            break
        counts[number] += 1
    return counts


def in_english(texts: Iterable[str], zone: str, name: str, dst: str) -> list[str]:
    """Each schedule in plain English; "" for one that cannot be understood, for that is said."""
    said = []
    for text in texts:
        try:
            said.append(parse(text, zone, key=name, dst=dst).describe())
        except ScheduleError:
            said.append("")
    return said
