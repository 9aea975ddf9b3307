"""What the next change between summer and winter time does to the due times of jobs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from tocsin.fires import schedules_of
from tocsin.instants import SECOND_US
from tocsin.model import JobRow
from tocsin.schedule import Schedule
from tocsin.schedule.notes import clock_note
from tocsin.schedule.schedule import PatternPlan
from tocsin.schedule.zones import change_between, offset_at

from .words import local

AHEAD_S: Final = 7 * 86_400
_AROUND_US: Final = 3 * 3600 * SECOND_US
_DUES_MAX: Final = 60


class ClockNote(msgspec.Struct, frozen=True):
    """What a change of the clock does to a job."""

    job: str
    at_us: int
    """The due time that it befalls."""
    text: str


def next_change_us(zone: ZoneInfo, now_us: int) -> int | None:
    """The first change of a zone's clock within a week; None when there is none."""
    now = now_us // SECOND_US
    if offset_at(now, zone) == offset_at(now + AHEAD_S, zone):
        return None
    return change_between(now, now + AHEAD_S, zone) * SECOND_US


class ClockNotes:
    """The notes of all jobs, reckoned once for each version of a job and each change."""

    def __init__(self) -> None:
        self.found: dict[str, ClockNote] = {}
        self._seen: dict[str, tuple[int, int]] = {}
        self._changes: dict[str, int | None] = {}
        self._day = 0

    def steps(self, jobs: Mapping[str, JobRow], now_us: int) -> Iterator[None]:
        """Reckon what is new, one job a step."""
        day = now_us // (86_400 * SECOND_US)
        if day != self._day:
            self._day = day
            self._seen.clear()
            self._changes.clear()
        for name in [name for name in self._seen if name not in jobs]:
            del self._seen[name]
            self.found.pop(name, None)
        for name, row in jobs.items():
            if self._seen.get(name) == (row.id, row.version):
                continue
            self._seen[name] = row.id, row.version
            self.found.pop(name, None)
            note = self._note(row, now_us)
            if note is not None:
                self.found[name] = note
            yield

    def _note(self, row: JobRow, now_us: int) -> ClockNote | None:
        if not row.job.enabled or not row.job.schedule:
            return None
        for schedule in schedules_of(row.job):
            key = schedule.zone.key
            if key not in self._changes:
                self._changes[key] = next_change_us(schedule.zone, now_us)
            change_us = self._changes[key]
            if change_us is not None:
                note = note_at(row.job.name, schedule, change_us)
                if note is not None:
                    return note
        return None


def note_at(job: str, schedule: Schedule, change_us: int) -> ClockNote | None:
    """What a change of the clock does to a job that names times of day; None: nothing."""
    plan = schedule.plan
    if not isinstance(plan, PatternPlan) or plan.offset is not None or not plan.pattern.fixed:
        return None
    after_us = change_us - _AROUND_US
    for _ in range(_DUES_MAX):
        due_us = schedule.next_us(after_us)
        if due_us is None:
            return None
        text = clock_note(schedule, due_us, after_us)
        if text:
            day = local(change_us, plan.zone)
            return ClockNote(job, due_us, f"{day:%a} {day.day} {day:%b}: {text}")
        if due_us > change_us + _AROUND_US:
            return None
        after_us = due_us
    return None
