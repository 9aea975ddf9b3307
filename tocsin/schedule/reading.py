"""From text to a `Schedule`; everything wrong with it is said here, before it is saved."""

from __future__ import annotations

import re
from functools import lru_cache
from zoneinfo import ZoneInfo

from tocsin.errors import ScheduleError
from tocsin.schedule.at import Never, parse_at
from tocsin.schedule.cron import parse_cron
from tocsin.schedule.every import parse_every
from tocsin.schedule.macros import CRON_OF, check_macro
from tocsin.schedule.oncalendar import parse_calendar, split_zone
from tocsin.schedule.schedule import PatternPlan, Plan, Schedule
from tocsin.schedule.warn import calendar_warnings, cron_warnings
from tocsin.schedule.zones import constant_offset, load_zone

_TEXT_CHARS_MAX = 256
_DST_RULES = ("vixie", "skip", "literal")
_ZONE_PREFIX = re.compile(r"(?:CRON_)?TZ=(\S*)\s+")
_CALENDAR = re.compile(r"@calendar\s+", re.IGNORECASE)
_USES_KEY = re.compile(r"[^@]*(?:\bH\b|~)[^@]*", re.IGNORECASE)


def parse(text: str, timezone: str = "UTC", *, key: str = "", dst: str = "vixie") -> Schedule:
    """The schedule that `text` describes; a `TZ=Zone ` prefix goes before `timezone`.

    `key` (the job's name) is what `H` and `~` are hashed from. `dst` says what becomes of a fixed
    time of day when the clock is changed: `vixie` runs it once in any case, `skip` leaves it out
    when the clock leaps over it, `literal` also runs it twice when the clock shows it twice.
    """
    if len(text) > _TEXT_CHARS_MAX:
        raise ScheduleError(
            f"the schedule has {len(text)} characters: expected at most {_TEXT_CHARS_MAX}"
        )
    return _parse(text, timezone, key if _USES_KEY.fullmatch(text) else "", dst)


def reload_zones() -> None:
    """Forget all zones and parsed schedules, so that new time zone data is read."""
    ZoneInfo.clear_cache()
    _parse.cache_clear()


# A fleet's 100,000 jobs share few expressions.
@lru_cache(maxsize=4096)
def _parse(text: str, timezone: str, key: str, dst: str) -> Schedule:
    body = _checked_text(text)
    if dst not in _DST_RULES:
        raise ScheduleError(f"dst {dst!r} is not known: expected one of {', '.join(_DST_RULES)}")
    prefix = _ZONE_PREFIX.match(body)
    if prefix:
        timezone, body = prefix[1], body[prefix.end() :]
    if event := _CALENDAR.match(body):
        expression, own_zone = split_zone(body[event.end() :])
        body, timezone = f"@calendar {expression}", own_zone or timezone
    zone = load_zone(timezone)
    plan, warnings = _plan(body, zone, key, dst)
    return Schedule(text=text, timezone=timezone, warnings=warnings, plan=plan, zone=zone)


def _checked_text(text: str) -> str:
    body = text.strip(" \t\r\n")
    if not body:
        raise ScheduleError(
            "the schedule is empty: expected five fields, six fields, or a name such as @daily",
            hint="a job without due times is written @manual",
        )
    for char in body:
        if not (" " <= char <= "~" or char == "\t"):
            raise ScheduleError(f"the schedule holds {char!r}: expected plain ASCII on one line")
    return body


def _plan(body: str, zone: ZoneInfo, key: str, dst: str) -> tuple[Plan, tuple[str, ...]]:
    """The plan, and the doubts about it."""
    name, *rest = body.split(maxsplit=1)
    name, argument = name.lower(), "".join(rest)
    if name.startswith("@"):
        check_macro(name, argument)
    if name == "@every":
        return parse_every(argument), ()
    if name == "@at":
        return parse_at(argument, zone, dst), ()
    if name == "@manual":
        return Never(), ()
    if name == "@calendar":
        pattern = parse_calendar(argument)
        warnings = calendar_warnings(pattern)
    else:
        pattern = parse_cron(CRON_OF.get(name) or body.upper(), key)
        warnings = cron_warnings(pattern)
    return PatternPlan(pattern, zone, dst, constant_offset(zone)), warnings
