"""When jobs are due next, as the coordinator will reckon it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from tocsin.instants import to_rfc3339
from tocsin.model import Blackout, Calendar, DependencyOn, Job
from tocsin.schedule import Schedule, parse
from tocsin.schedule.calendars import compile_calendar
from tocsin.schedule.notes import clock_note
from tocsin.schedule.windows import parse_window
from tocsin.schedule.zones import load_zone

Says = Callable[[int], str]
"""What there is to say of a due instant; '' when nothing is."""


class Fire(NamedTuple):
    """A due instant: the blackout that it falls into, and what a change of the clock does to it."""

    at_us: int
    blackout: str = ""
    clock: str = ""


def schedules_of(job: Job) -> list[Schedule]:
    """The schedules of a job that has been checked."""
    return [parse(text, job.timezone, key=job.name, dst=job.dst) for text in job.schedule]


def begun_by(job: Job) -> str:
    """What begins a job, in words: its schedules, the jobs that it comes after, or requests."""
    others = [
        it.job if it.on is DependencyOn.SUCCESS else f"{it.job} ({it.on})" for it in job.after
    ]
    after = [f"after {', '.join(others)}"] if others else []
    return "; ".join([*job.schedule, *after]) or "@manual"


def next_fires_us(job: Job, after_us: int, count: int) -> list[int]:
    """The next due instants of a job over all its schedules, within its life."""
    return [fire.at_us for fire in next_fires(job, after_us, count)]


def next_fires(
    job: Job, after_us: int, count: int, calendars: Mapping[str, Calendar] | None = None
) -> list[Fire]:
    """The next due instants, with what is to be said of each; blackouts only with `calendars`."""
    if not job.enabled:
        return []
    if job.starts_at_us is not None and after_us < job.starts_at_us:
        after_us = job.starts_at_us - 1
    blackout = _blackout(job, calendars) if calendars is not None else _nothing
    found: list[Fire] = []
    schedules = schedules_of(job)
    while len(found) < count:
        dues = [(due, one) for one in schedules if (due := one.next_us(after_us)) is not None]
        if not dues:
            break
        due_us, schedule = min(dues, key=lambda pair: pair[0])
        if job.expires_at_us is not None and due_us >= job.expires_at_us:
            break
        found.append(Fire(due_us, blackout(due_us), clock_note(schedule, due_us, after_us)))
        after_us = due_us
    return found


def _nothing(_at_us: int) -> str:
    return ""


def _blackout(job: Job, calendars: Mapping[str, Calendar]) -> Says:
    """The blackout of a job that an instant falls into."""
    if not job.blackout:
        return _nothing
    says = [_of_entry(entry, job.timezone, calendars) for entry in job.blackout]
    return lambda at_us: next((words for say in says if (words := say(at_us))), "")


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


def as_text(instants_us: Iterable[int]) -> list[str]:
    """Instants for JSON."""
    return [to_rfc3339(instant_us) for instant_us in instants_us]
