"""Instants as people write them: `02:30`, `yesterday 02:30`, `2026-11-01 02:30`, RFC 3339."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from tocsin.errors import ConfigError
from tocsin.instants import SECOND_US, to_datetime, to_us
from tocsin.schedule.zones import change_between, offset_at, offsets_of

EXAMPLES: Final = "02:30, yesterday 02:30, 2026-11-01 02:30 or 2026-11-01T01:30:00Z"
_WORDS: Final = {"yesterday": -1, "today": 0, "tomorrow": 1}
_TIME_OF_DAY: Final = re.compile(r"(?:(yesterday|today|tomorrow)\s+)?(\d{1,2}:\d{2}(?::\d{2})?)")


def parse_moment(text: str, zone: ZoneInfo, now_us: int) -> int:
    """The instant that a text means; without an offset, on the clock of `zone`.

    A time of day alone is the last one that there was. One that the clock shows twice is its first
    pass, and one that it leaps over is the end of the leap.

    Raises:
        ConfigError: it is no time.
    """
    body = text.strip().lower()
    try:
        if found := _TIME_OF_DAY.fullmatch(body):
            return _time_of_day(found[1], found[2], zone, now_us)
        moment = datetime.fromisoformat(body.upper())
    except ValueError as error:
        raise ConfigError(f"{text!r} is no time", f"write it as {EXAMPLES}") from error
    return to_us(moment) if moment.tzinfo else _on_clock(moment, zone)


def is_absolute(text: str) -> bool:
    """Whether a text names an instant without any zone."""
    try:
        return datetime.fromisoformat(text.strip().upper()).tzinfo is not None
    except ValueError:
        return False


def _time_of_day(word: str | None, text: str, zone: ZoneInfo, now_us: int) -> int:
    shown = time.fromisoformat(text.zfill(5 if text.count(":") == 1 else 8))
    today = to_datetime(now_us).astimezone(zone).date()
    if word is not None:
        return _at(today + timedelta(days=_WORDS[word]), shown, zone)
    instant_us = _at(today, shown, zone)
    return instant_us if instant_us <= now_us else _at(today - timedelta(days=1), shown, zone)


def _at(day: date, shown: time, zone: ZoneInfo) -> int:
    return _on_clock(datetime.combine(day, shown), zone)


def _on_clock(shown: datetime, zone: ZoneInfo) -> int:
    """The instant at which the clock of a zone first shows, or leaps over, a time."""
    wall = round((shown - datetime(1970, 1, 1)).total_seconds())  # noqa: DTZ001 - a clock's face
    first, second = offsets_of(wall, zone)
    if first < second:
        return change_between(wall - second, wall - first, zone) * SECOND_US
    instant = wall - first
    assert offset_at(instant, zone) == first
    return instant * SECOND_US
