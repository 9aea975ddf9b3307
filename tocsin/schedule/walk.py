"""From wall time to instants: what a schedule means where the clock is changed.

`once`: a schedule is due when its wall time is first reached *or passed*. A time that the clock
leaps over is due at the end of the leap (and several there are one), a time that is shown twice is
due on the first pass. `elapsed`: a schedule is due whenever the clock shows its time, so it skips
what is never shown and comes twice when the clock goes back.

Both hold for an offset change of any size and kind, because they look at no rule, only at the
offsets around the wall time in question.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from tocsin.schedule.pattern import Pattern
from tocsin.schedule.zones import change_between, offset_at, offsets_of, seconds_of

# A zone that leaps over the same wall time on every date of a schedule must not hang the search.
_LEAPS_MAX = 24
# No clock is put back by more, nor forward again before that is over.
_SHIFT_MAX_S = 86_400


def next_once(pattern: Pattern, zone: ZoneInfo, after: int, *, run_leapt: bool) -> int | None:
    """The first due instant later than `after`, each wall time counting once.

    `run_leapt` makes wall times that the clock leaps over due at the end of the leap; without it
    they are skipped.
    """
    shown = datetime.fromtimestamp(after, zone)
    offset = seconds_of(shown)
    wall = (after + offset if not shown.fold else _highest_shown(after, zone)) + 1
    for _ in range(_LEAPS_MAX):
        due = pattern.first_from(wall)
        if due is None:
            return None
        if _shows_first(due, due - offset, zone):
            return due - offset
        earlier, later = offsets_of(due, zone)
        if earlier >= later:
            return due - earlier
        leap_end = change_between(due - later, due - earlier, zone)
        if run_leapt:
            return leap_end
        wall = leap_end + later
    return None


def next_elapsed(pattern: Pattern, zone: ZoneInfo, after: int) -> int | None:
    """The first instant later than `after` at which the clock shows a due wall time."""
    start = after + 1
    for _ in range(_LEAPS_MAX):
        shown = datetime.fromtimestamp(start, zone)
        offset = seconds_of(shown)
        due = pattern.first_from(start + offset)
        turn = _turn_back(start, offset, shown, zone)
        if turn is not None and (due is None or due - offset >= turn):
            # On the first of two passes: what lies before `start` on the clock comes again.
            start = turn
            continue
        if due is None:
            return None
        if _shows_first(due, due - offset, zone):
            return due - offset
        earlier, later = offsets_of(due, zone)
        if earlier >= later:
            return due - earlier if due - earlier >= start else due - later
        start = change_between(due - later, due - earlier, zone)
    return None


def _turn_back(start: int, offset: int, shown: datetime, zone: ZoneInfo) -> int | None:
    """When the clock is put back behind what it shows at `start`; None when it is not."""
    if offset_at(start + _SHIFT_MAX_S, zone) >= offset:
        return None
    second_offset = offset if shown.fold else seconds_of(shown.replace(fold=1))
    if second_offset >= offset:
        return None
    return change_between(start, start + offset - second_offset, zone)


def _shows_first(wall: int, instant: int, zone: ZoneInfo) -> bool:
    """Whether the clock shows a wall time at an instant, and has not shown it before."""
    shown = datetime.fromtimestamp(instant, zone)
    return not shown.fold and seconds_of(shown) == wall - instant


def _highest_shown(instant: int, zone: ZoneInfo) -> int:
    """The latest wall second that the clock has shown up to an instant of a second pass."""
    shown = datetime.fromtimestamp(instant, zone)
    offset = seconds_of(shown)
    first_offset = seconds_of(shown.replace(fold=0))
    turn = change_between(instant - (first_offset - offset), instant, zone)
    return turn - 1 + offset_at(turn - 1, zone)
