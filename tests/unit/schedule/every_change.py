"""Every change of every clock from 1970 to 2037, against a look at every minute around it.

`python -m tests.unit.schedule.every_change` goes through all zones, some 30,000 changes, in a
quarter of an hour or so, and prints what differs; `test_every_change.py` takes a sample.

Nothing of the engine is used to find what is due: `zoneinfo` says what the clock shows at each
minute, or at each second where an expression or an offset has seconds, and an expression is drawn
as text together with the values that the text means.
"""

from __future__ import annotations

import argparse
import fnmatch
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from random import Random  # noqa: TID251 - seeded: a difference comes again
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from tests.unit.schedule.enumeration import Expression, Field, Window, changes, look, offset_at
from tocsin.schedule import Schedule, parse

_FIRST_YEAR: Final = 1970
_LAST_YEAR: Final = 2037
_HOUR_S: Final = 3600
_DAY_S: Final = 86_400
_SECOND_US: Final = 1_000_000
_NOT_ZONES: Final = ("right/", "posix/", "localtime", "posixrules", "Factory")
_ALL: Final = {
    "second": range(60),
    "minute": range(60),
    "hour": range(24),
    "day": range(1, 32),
    "month": range(1, 13),
    "weekday": range(7),
}


def zones() -> list[str]:
    """The names of all zones that a schedule may have."""
    return sorted(name for name in available_timezones() if not name.startswith(_NOT_ZONES))


def changes_of(name: str) -> tuple[int, ...]:
    """The instants at which the offset of a zone changes."""
    return changes(name, _FIRST_YEAR, _LAST_YEAR)


def _kind(change_of: tuple[str, int]) -> tuple[int, int, int]:
    """Changes of one kind are looked at together, because they share what is found."""
    name, change = change_of
    zone = ZoneInfo(name)
    return change, offset_at(zone, change - 1), offset_at(zone, change)


def differences(name: str, change: int, count: int, seed: int = 1) -> Iterator[str]:
    """Whatever the engine says otherwise than a look at every minute, and at every second."""
    zone = ZoneInfo(name)
    before, after = offset_at(zone, change - 1), offset_at(zone, change)
    # The same expressions for all zones that make this change.
    chance = Random(f"{seed} {change} {before} {after}")
    wide = abs(after - before) > 3 * _HOUR_S
    if before % 60 == after % 60 == change % 60 == 0:
        reach_s = 4 * _DAY_S if wide else 3 * _DAY_S // 2
        window = look(zone, change - reach_s, change + reach_s, 60)
        for _ in range(count):
            walls = change + before, change + after
            yield from _compare(name, window, _draw(chance, walls, seconds=False), chance)
    if not wide:
        window = look(zone, change - 5 * _HOUR_S // 4, change + 3 * _HOUR_S // 2, 1)
        for _ in range(max(count // 8, 1)):
            walls = change + before, change + after
            yield from _compare(name, window, _draw(chance, walls, seconds=True), chance)


def _compare(name: str, window: Window, expression: Expression, chance: Random) -> Iterator[str]:
    texts = [expression.text]
    if event := expression.as_event:
        texts.append(f"@calendar {event}")
    for dst, expected in window.due(expression).items():
        for text in texts:
            schedule = parse(text, name, dst=dst)
            found = list(_walk(schedule, window.instants))
            where = f"{name} {text!r} {dst} from {window.instants.start}"
            if found != expected:
                yield f"{where}: {sorted(set(found) ^ set(expected))[:4]}"
            after = chance.choice(window.instants)
            due = next((due for due in expected if due > after), None)
            if due is not None and schedule.next_us(after * _SECOND_US) != due * _SECOND_US:
                yield f"{where}: after {after} not {due}"


def _walk(schedule: Schedule, instants: range) -> Iterator[int]:
    due_us = schedule.next_us(instants.start * _SECOND_US - 1)
    while due_us is not None and due_us < instants.stop * _SECOND_US:
        yield due_us // _SECOND_US
        due_us = schedule.next_us(due_us)


def _draw(chance: Random, walls: tuple[int, int], *, seconds: bool) -> Expression:
    """An expression that is due somewhere near what the clock shows at the change."""
    low, high = sorted(walls)
    near = datetime.fromtimestamp(chance.randrange(low - 5400, high + 5400), UTC)
    plain = Field("*", frozenset(range(60)))
    return Expression(
        second=_field(chance, "second", near.second) if seconds else Field("0", frozenset([0])),
        minute=_field(chance, "minute", chance.choice([0, 30, near.minute])),
        hour=_field(chance, "hour", near.hour),
        day=_field(chance, "day", near.day) if chance.random() < 0.2 else plain,
        month=plain,
        weekday=_field(chance, "weekday", near.isoweekday() % 7)
        if chance.random() < 0.15
        else plain,
    )


def _field(chance: Random, name: str, near: int) -> Field:
    values = _ALL[name]
    match chance.randrange(8):
        case 0:
            return Field("*", frozenset(values))
        case 1:
            step = chance.choice([2, 3, 5, 15, 7])
            return Field(f"*/{step}", frozenset(values[::step]))
        case 2:
            last = chance.randint(near, values[-1])
            return Field(f"{near}-{last}", frozenset(range(near, last + 1)))
        case 3:
            step = chance.choice([1, 2, 7, 20])
            return Field(f"{near}/{step}", frozenset(range(near, values[-1] + 1, step)))
        case 4:
            several = [near, *(chance.choice(values) for _ in range(chance.randint(1, 3)))]
            return Field(",".join(map(str, several)), frozenset(several))
        case _:
            return Field(str(near), frozenset([near]))


def main(arguments: list[str]) -> int:
    """Go through all changes, or those of some zones; the exit code says whether any differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.unit.schedule.every_change")
    parser.add_argument("--expressions", type=int, default=8, help="for each change")
    parser.add_argument("--zones", default="*", metavar="GLOB")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    names = fnmatch.filter(zones(), options.zones)
    every = [(name, change) for name in names for change in changes_of(name)]
    failed = 0
    for name, change in sorted(every, key=_kind):
        found = differences(name, change, options.expressions, options.seed)
        for difference in islice(found, 5):
            failed += 1
            sys.stdout.write(f"{difference}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{len(names)} zones, {len(every)} changes, {failed} differences\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
