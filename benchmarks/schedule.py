"""What the next due time costs: random schedules of every kind, in all zones, 1970 to 2037."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from random import Random
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from tocsin.errors import ScheduleError
from tocsin.instants import SECOND_US
from tocsin.schedule import Schedule, parse, reload_zones
from tocsin.schedule.cron import parse_cron
from tocsin.schedule.days import parse_days
from tocsin.schedule.oncalendar import parse_calendar

from .harness import Size
from .report import Goal, Result, spread

_NOT_ZONES: Final = ("right/", "posix/", "localtime", "posixrules", "Factory")
_LAST_S: Final = 2_145_916_800
_AGAIN_US: Final = 50
"""What took longer is measured again: the kernel may have run something else."""
_AGAIN_PARSED_US: Final = 500
_TIMES: Final = 7
_BAD_DAYS: Final = (
    "30 2 29 2 */7",
    "0 0 29 2 MON",
    "0 0 31 12 *",
    "59 59 23 31 12 *",
    "* * 29 2 *",
)


def run(size: Size) -> Result:
    """Every schedule is parsed once and asked once; then those that are due no more, or rarely."""
    chance = Random(20261124)
    zones = sorted(name for name in available_timezones() if not name.startswith(_NOT_ZONES))
    next_us: list[float] = []
    parse_us: list[float] = []
    bare_us: list[float] = []
    for _ in range(size.pick(300, 20_000, 100_000)):
        zone, text = ZoneInfo(chance.choice(zones)), _schedule(chance)
        at = chance.randrange(_LAST_S)
        parsed, took_us = _parsed(text, zone.key, chance.choice(["vixie", "skip", "literal"]))
        parse_us.append(took_us if took_us < _AGAIN_PARSED_US else _parsed_anew_us(text))
        if parsed is not None:
            next_us.append(_took_us(partial(parsed.next, datetime.fromtimestamp(at, UTC))))
            bare_us.append(_took_us(partial(_bare, at, zone)))
    fruitless_us = [_took_us(search) for search in _fruitless(chance)]
    longest_us = [_parsed_anew_us(text) for text in _longest(chance)]
    ours, limit = spread(next_us), spread(bare_us)
    return Result(
        {
            "next": ours,
            "fruitless": spread(fruitless_us),
            "parse": spread(parse_us),
            "parse_256": spread(longest_us),
        },
        {"next": limit, "what": "zoneinfo: an instant to a wall time and back"},
        {"next_p50": ours["p50"] / limit["p50"]},
        [
            Goal("next due time of a schedule, p50 µs", ours["p50"], 10),
            Goal("next due time of a schedule, worst ms", ours["max"] / 1e3, 1),
            Goal("a search that finds nothing or seldom, worst ms", max(fruitless_us) / 1e3, 1),
            Goal("parsing 256 characters, worst ms", max(longest_us) / 1e3, 5),
        ],
        "µs",
    )


def _bare(at: int, zone: ZoneInfo) -> float:
    """The least that a due time in a zone takes."""
    shown = datetime.fromtimestamp(at, zone)
    return shown.replace(second=0).timestamp()


def _took_us(call: Callable[[], object]) -> float:
    best_us = _once_us(call)
    for _ in range(_TIMES if best_us > _AGAIN_US else 0):
        best_us = min(best_us, _once_us(call))
    return best_us


def _once_us(call: Callable[[], object]) -> float:
    began_ns = time.perf_counter_ns()
    call()
    return (time.perf_counter_ns() - began_ns) / 1e3


def _parsed(text: str, zone: str, dst: str) -> tuple[Schedule | None, float]:
    """The schedule, None when it is refused, and how long that took."""
    parsed: Schedule | None = None
    began_ns = time.perf_counter_ns()
    with contextlib.suppress(ScheduleError):
        parsed = parse(text, zone, key="job", dst=dst)
    return parsed, (time.perf_counter_ns() - began_ns) / 1e3


def _parsed_anew_us(text: str) -> float:
    """How long it takes when no cache has seen any part of it, the best of a few."""
    best_us = float("inf")
    for _ in range(_TIMES):
        reload_zones()
        for cached in (parse_cron, parse_days, parse_calendar):
            cached.cache_clear()
        best_us = min(best_us, _parsed(text, "UTC", "vixie")[1])
    return best_us


def _schedule(chance: Random) -> str:
    match chance.randrange(10):
        case 0:
            return f"@every {chance.randint(1, 90_000)}s"
        case 1:
            return f"@at 20{chance.randint(10, 37)}-0{chance.randint(1, 9)}-11T03:30"
        case 2 | 3:
            fields = [_field(chance, *bounds) for bounds in ((1, 12), (1, 28), (0, 23), (0, 59))]
            month, day, hour, minute = (text.replace("-", "..") for text in fields)
            return f"@calendar *-{month}{chance.choice('--~')}{day} {hour}:{minute}".replace(
                "*/", "0/"
            )
        case kind:
            bounds = [(0, 59)] * (kind > 7) + [(0, 59), (0, 23), (1, 31), (1, 12), (0, 6)]
            return " ".join(_field(chance, low, high) for low, high in bounds)


def _field(chance: Random, low: int, high: int) -> str:
    first = chance.randint(low, high)
    match chance.randrange(9):
        case 0 | 1 | 2 | 3:
            return "*"
        case 4:
            return f"*/{chance.randint(1, high)}"
        case 5:
            return f"{first}-{chance.randint(first, high)}"
        case 6:
            return ",".join(str(chance.randint(low, high)) for _ in range(5))
        case _:
            return str(first)


def _fruitless(chance: Random) -> list[Callable[[], object]]:
    """Searches that go through many years, or find that nothing is left."""
    asked: list[tuple[Schedule, int]] = []
    for zone in ("UTC", "Europe/Berlin", "Asia/Tehran", "America/Santiago"):
        for text in _BAD_DAYS:
            for dst in ("vixie", "skip", "literal"):
                schedule = parse(text, zone, dst=dst)
                years = (1970, 2020, 2095, 9990, 9996, 9997)
                asked += [(schedule, (year - 1970) * 31_556_952 + 5_184_000) for year in years]
        gone = parse("@calendar Mon 1970..2150-02~27 03:30", zone)
        asked += [(gone, chance.randrange(_LAST_S)) for _ in range(10)]
        asked += [(gone, 7_000_000_000), (parse("@at 1999-12-31T23:59", zone), _LAST_S)]
    return [partial(schedule.next_us, at * SECOND_US) for schedule, at in asked]


def _longest(chance: Random) -> list[str]:
    """Expressions of 256 characters: long lists, long ranges, and what is no expression."""
    lists = [",".join(str(chance.randint(0, 59)) for _ in range(85))[:240] for _ in range(20)]
    return [
        *(f"{text.rstrip(',')} 1 1 1 1"[:256] for text in lists),
        *(f"@calendar *:{text.rstrip(',')}"[:256] for text in lists),
        *(f"@calendar 1970..2199-02-30,{text.rstrip(',')}"[:256] for text in lists[:2]),
        "0-59," * 48 + "0 * * * *",
        "~" * 256,
        "H," * 123 + "H * * * *",
        "0 0 " + "LW," * 80 + "L * *",
        "0 0 * * " + "1#1," * 61 + "1",
        "@calendar " + "Mon..Sun," * 27,
        "@every " + "1" * 249,
        "TZ=" + "A/" * 126,
        "CRON_TZ=" * 32,
    ]
