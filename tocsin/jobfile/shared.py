"""What the jobs of a file may share: its blocks `calendars` and `pools`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from tocsin.blocks import Faults, KeyPath, Reader, shown
from tocsin.errors import ScheduleError
from tocsin.jobfile.job import check_name
from tocsin.model import Calendar, Pool
from tocsin.schedule.calendars import compile_calendar
from tocsin.schedule.ical import read_ics

CALENDAR_BYTES_MAX: Final = 256 << 10
"""The most that one calendar may come to on the wire."""
SLOTS_MAX: Final = 100_000

ReadBeside = Callable[[str], str]
"""The text of a file that is named relative to the job file; ValueError says why not."""


class _CalendarBlock(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of one calendar in a file."""

    description: str = ""
    dates: list[str] = []
    ics: str = ""


def read_calendar(
    name: str, block: object, path: KeyPath, faults: Faults, beside: ReadBeside
) -> Calendar | None:
    """A calendar: a block of keys, or a list of its dates; None when there are faults."""
    before = len(faults)
    check_name(name, path, faults, "a calendar")
    if isinstance(block, list):
        block, dates_path = {"dates": block}, path
    else:
        dates_path = (*path, "dates")
    if not isinstance(block, dict):
        faults.add(path, shown(block), expected="dates: and ics:, or a list of dates")
        return None
    given = Reader(faults).fields(_CalendarBlock, block, path, elsewhere=())
    dates = given.get("dates", [])
    if len(faults) == before:
        _check_dates(dates, dates_path, faults)
        dates = dates + _from_ics(given.get("ics", ""), (*path, "ics"), faults, beside)
    if len(faults) > before:
        return None
    description = given.get("description", "")
    calendar = Calendar(name=name, description=description, dates=list(dict.fromkeys(dates)))
    return calendar if _fits(calendar, path, faults) else None


def _check_dates(dates: list[str], path: KeyPath, faults: Faults) -> None:
    for i, item in enumerate(dates):
        try:
            compile_calendar([item])
        except ScheduleError as error:
            wrong, _, expected = error.message.partition(": expected ")
            faults.add((*path, i), wrong, expected=expected, hint=error.hint)


def _from_ics(file: str, path: KeyPath, faults: Faults, beside: ReadBeside) -> list[str]:
    if not file:
        return []
    try:
        return read_ics(beside(file))
    except ValueError as error:
        faults.add(path, f"{file}: {error}")
    except ScheduleError as error:
        faults.add(path, f"{file}: {error.message}", hint=error.hint)
    return []


def _fits(calendar: Calendar, path: KeyPath, faults: Faults) -> bool:
    size = len(msgspec.msgpack.encode(calendar))
    if size > CALENDAR_BYTES_MAX:
        wrong = f"the calendar comes to {size} bytes"
        faults.add(path, wrong, expected=f"at most {CALENDAR_BYTES_MAX}")
    return size <= CALENDAR_BYTES_MAX


def read_pool(name: str, slots: object, path: KeyPath, faults: Faults) -> Pool | None:
    """A pool: the number of its slots; None when there are faults."""
    before = len(faults)
    check_name(name, path, faults, "a pool")
    if not isinstance(slots, int) or isinstance(slots, bool):
        faults.add(path, shown(slots), expected="the number of its slots")
    elif not 1 <= slots <= SLOTS_MAX:
        faults.add(path, f"{slots} is out of range", expected=f"1 to {SLOTS_MAX}")
    else:
        return None if len(faults) > before else Pool(name=name, slots=slots)
    return None
