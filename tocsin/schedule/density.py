"""How often a schedule is due in each quarter of an hour, without walking through its due times.

Every offset from UTC in force today is a multiple of a quarter of an hour, so within one a pattern
matches the same seconds on any clock. Quarters are counted from 1970-01-01T00:00Z.
"""

from __future__ import annotations

from datetime import date

from tocsin.schedule.every import Every
from tocsin.schedule.pattern import FIRST_YEAR, Pattern
from tocsin.schedule.schedule import PatternPlan, Plan, Schedule
from tocsin.schedule.zones import change_between, offset_at

QUARTER_S = 900
_QUARTERS_A_DAY = 96
_DAY_S = 86_400
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_MINUTES_OF_QUARTER = (1 << 15) - 1


def count_quarters(schedule: Schedule, first: int, count: int) -> list[int]:
    """How often a schedule is due in each of `count` quarters from the quarter `first` on."""
    plan = schedule.plan
    if isinstance(plan, Every):
        edges = [(quarter * QUARTER_S - 1) // plan.interval_s
                 for quarter in range(first, first + count + 1)]  # fmt: skip
        return [edges[i + 1] - edges[i] for i in range(count)]
    counts = [0] * count
    if not isinstance(plan, PatternPlan):
        _walk(plan, first, counts, 0, count)
        return counts
    by_quarter = _of_day(plan.pattern)
    for begin, end, offset in _stretches(plan, first, first + count):
        if offset % QUARTER_S:
            _walk(plan, first, counts, begin - first, end - first)
        else:
            _add(plan.pattern, by_quarter, counts, (begin, end), first, offset // QUARTER_S)
    return counts


def _of_day(pattern: Pattern) -> list[tuple[int, int]]:
    """The quarters of a matching day in which a pattern is due, and how often in each."""
    seconds = pattern.seconds.bit_count()
    found = []
    for part in range(4):
        times = (pattern.minutes >> 15 * part & _MINUTES_OF_QUARTER).bit_count() * seconds
        if times:
            found += [(hour * 4 + part, times) for hour in range(24) if pattern.hours >> hour & 1]
    return found


def _stretches(plan: PatternPlan, first: int, end: int) -> list[tuple[int, int, int]]:
    """Quarters under one offset each: first, end, offset in seconds.

    What a change of the clock touches of fixed times has an offset that no clock has (1): it must
    be walked through.
    """
    if plan.offset is not None:
        return [(first, end, plan.offset)]
    found = []
    begin = first - _QUARTERS_A_DAY  # what a change touches may lie behind it
    while begin < end:
        offset = offset_at(begin * QUARTER_S, plan.zone)
        stop = min(begin + _QUARTERS_A_DAY, end)
        if offset_at(stop * QUARTER_S, plan.zone) != offset:
            change = change_between(begin * QUARTER_S, stop * QUARTER_S, plan.zone)
            stop = change // QUARTER_S
            shift = abs(offset_at(change, plan.zone) - offset)
            touched = min(stop + max(-(-shift // QUARTER_S), 1), end)
            if stop > begin:
                found.append((begin, stop, offset))
            is_once = plan.pattern.fixed and plan.dst != "literal"
            after = offset_at(change, plan.zone)
            found.append((stop, touched, 1 if is_once or change % QUARTER_S else after))
            stop = touched
        else:
            found.append((begin, stop, offset))
        begin = stop
    return [(max(begin, first), stop, kind) for begin, stop, kind in found if stop > first]


def _add(
    pattern: Pattern,
    by_quarter: list[tuple[int, int]],
    counts: list[int],
    span: tuple[int, int],
    first: int,
    shift: int,
) -> None:
    """Count the quarters of `span` on a clock that is `shift` quarters ahead."""
    begin, end = span[0] + shift, span[1] + shift
    for day in range(begin // _QUARTERS_A_DAY, (end - 1) // _QUARTERS_A_DAY + 1):
        if not _has_day(pattern, day):
            continue
        at = day * _QUARTERS_A_DAY
        base = at - shift - first
        if begin <= at and at + _QUARTERS_A_DAY <= end:
            for quarter, times in by_quarter:
                counts[base + quarter] += times
        else:
            for quarter, times in by_quarter:
                if begin <= at + quarter < end:
                    counts[base + quarter] += times


def _has_day(pattern: Pattern, day: int) -> bool:
    shown = date.fromordinal(day + _EPOCH_DAY)
    if pattern.years and not pattern.years >> shown.year - FIRST_YEAR & 1:
        return False
    if not pattern.months >> shown.month & 1:
        return False
    return bool(pattern.days.mask(shown.year, shown.month) >> shown.day & 1)


def _walk(plan: Plan, first: int, counts: list[int], begin: int, end: int) -> None:
    due = plan.next_s((first + begin) * QUARTER_S - 1)
    while due is not None and due < (first + end) * QUARTER_S:
        counts[due // QUARTER_S - first] += 1
        due = plan.next_s(due)
