"""When jobs are due next, as the coordinator will reckon it.

One implementation for all who look ahead: due instants over all schedules of a job and within its
life, what a blackout or a change of the clock does to them, and by how much runs begin later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from tocsin.instants import SECOND_US
from tocsin.model import Blackout, Calendar, Job
from tocsin.schedule import Schedule, parse
from tocsin.schedule.calendars import compile_calendar
from tocsin.schedule.notes import clock_note
from tocsin.schedule.spread import spread_us
from tocsin.schedule.windows import parse_window
from tocsin.schedule.zones import load_zone

Says = Callable[[int], str]
"""What there is to say of a due instant; '' when nothing is."""


class Fire(NamedTuple):
    """A due instant: the blackout that it falls into, and what a change of the clock does to it."""

    at_us: int
    blackout: str = ""
    clock: str = ""


class Due(NamedTuple):
    """A due instant, and the schedule that it is of."""

    at_us: int
    schedule: Schedule


def schedules_of(job: Job) -> list[Schedule]:
    """The schedules of a job that has been checked."""
    return [parse(text, job.timezone, key=job.name, dst=job.dst) for text in job.schedule]


def dues(job: Job, after_us: int) -> Iterator[Due]:
    """The due instants of a job later than `after_us`, in order and within its life."""
    if not job.enabled:
        return
    if job.starts_at_us is not None and after_us < job.starts_at_us:
        after_us = job.starts_at_us - 1
    pending = [(one.next_us(after_us), one) for one in schedules_of(job)]
    while ahead := [Due(at_us, one) for at_us, one in pending if at_us is not None]:
        due = min(ahead, key=lambda each: each.at_us)
        if job.expires_at_us is not None and due.at_us >= job.expires_at_us:
            return
        yield due
        pending = [
            (one.next_us(due.at_us) if at_us == due.at_us else at_us, one) for at_us, one in pending
        ]


def next_fires_us(job: Job, after_us: int, count: int) -> list[int]:
    """The next due instants of a job over all its schedules, within its life."""
    return [due.at_us for due in islice(dues(job, after_us), count)]


def next_fires(
    job: Job, after_us: int, count: int, calendars: Mapping[str, Calendar] | None = None
) -> list[Fire]:
    """The next due instants, with what is to be said of each; blackouts only with `calendars`."""
    blackout = blackout_of(job, calendars) if calendars is not None else _nothing
    found: list[Fire] = []
    for due_us, schedule in islice(dues(job, after_us), count):
        found.append(Fire(due_us, blackout(due_us), clock_note(schedule, due_us, after_us)))
        after_us = due_us
    return found


def blackout_of(job: Job, calendars: Mapping[str, Calendar]) -> Says:
    """The blackout of a job that an instant falls into."""
    if not job.blackout:
        return _nothing
    says = [_of_entry(entry, job.timezone, calendars) for entry in job.blackout]
    return lambda at_us: next((words for say in says if (words := say(at_us))), "")


def jitter_us(job: Job, host: str = "") -> int:
    """By how much the runs of a job begin later than they are due: always the same.

    `host` is the agent's name where a fire has one run on each of several agents that begin
    independently of each other.
    """
    if job.jitter_s <= 0:
        return 0
    key = f"{job.name}@{host}" if host else job.name
    return spread_us(key, round(job.jitter_s * SECOND_US))


def _nothing(_at_us: int) -> str:
    return ""


def _of_entry(entry: Blackout, zone_name: str, calendars: Mapping[str, Calendar]) -> Says:
    zone = load_zone(zone_name)
    if not entry.calendar:
        window = parse_window(entry.start, entry.end)
        words = f"blackout {window.describe()}"
        return lambda at_us: words if window.covers(at_us, zone) else ""
    calendar = calendars.get(entry.calendar)
    days = compile_calendar(calendar.dates if calendar is not None else [])

    def say(at_us: int) -> str:
        day = days.covers(at_us, zone)
        return "" if day is None else f"blackout {entry.calendar}: {day}"

    return say
