"""The days of an iCalendar file (RFC 5545), as items of a calendar.

Public calendars of holidays hold one event a day, with DTSTART;VALUE=DATE, or one that comes
every year. Whatever else an event says of its days is an error that names the event, so that no
day is left out unseen. Events with times of day count as the whole days that they touch, by the
clock that they are written in: their own zone, or X-WR-TIMEZONE where they are in UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import msgspec

from tocsin.errors import ScheduleError
from tocsin.schedule.zones import load_zone

_LINE = re.compile(r"([A-Za-z0-9-]+)(?:;[A-Za-z0-9-]+=(?:\"[^\"]*\"|[^\";:])*)*:(.*)", re.DOTALL)
_STAMP = re.compile(r"([0-9]{8})(?:T([0-9]{6})(Z?))?")
_DURATION = re.compile(
    r"\+?P(?:([0-9]{1,6})W)?(?:([0-9]{1,6})D)?"
    r"(?:T(?:([0-9]{1,6})H)?(?:([0-9]{1,6})M)?(?:([0-9]{1,6})S)?)?"
)
_ESCAPED = re.compile(r"\\(.)")
_DAY = timedelta(days=1)
_YEAR_DAYS = 366
# More is meant to have no end.
_REPEATS_MAX = 200
# UNTIL is in UTC, where the day of a local time may be the one before.
_OFFSET_MAX = timedelta(hours=14)
_LAST_YEAR = 9998
_WHOLE = "it goes from BEGIN:VCALENDAR to END:VCALENDAR: export or download it again"
_INSTEAD = "list the days under dates, or export the calendar with a date for each year"


class _Event(msgspec.Struct):
    """The properties of one VEVENT by name; `zone` is what times in UTC are to be read in."""

    line: int
    zone: str = ""
    properties: dict[str, list[str]] = {}

    def text(self, name: str) -> str:
        """The value of a property that stands once, or ""."""
        found = self.properties.get(name)
        return found[0].strip() if found else ""

    @property
    def label(self) -> str:
        """The summary on one line."""
        text = _ESCAPED.sub(
            lambda found: " " if found[1] in "nN" else found[1], self.text("SUMMARY")
        )
        return " ".join(text.split())

    def error(self, cause: str, hint: str = _INSTEAD) -> ScheduleError:
        """What is wrong with this event."""
        name = self.label or self.text("UID") or "without a name"
        return ScheduleError(f"event {name!r} (line {self.line}): {cause}", hint=hint)

    def moments(self, name: str) -> list[datetime | date]:
        """The dates, or local dates with times, of a property."""
        return [
            self.moment(name, stamp)
            for value in self.properties.get(name, [])
            for stamp in value.strip().split(",")
        ]

    def moment(self, name: str, stamp: str) -> datetime | date:
        """One date, or local date with a time, of a property."""
        found = _STAMP.fullmatch(stamp)
        try:
            if found and found[2] is None:
                return datetime.strptime(found[1], "%Y%m%d").replace(tzinfo=UTC).date()
            if found:
                moment = datetime.strptime(found[1] + found[2], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
                if found[3] and self.zone:
                    moment = moment.astimezone(load_zone(self.zone))
                return moment.replace(tzinfo=None)
        except ValueError as error:
            raise self.error(f"{name} {stamp!r}: {error}") from error
        raise self.error(f"{name} {stamp!r} is no date and no date with a time")


def read_ics(text: str) -> list[str]:
    """The days of all events that are not cancelled: items of a calendar, in order of the file.

    Raises:
        ScheduleError: This is no iCalendar file, or an event repeats in a way that dates and
            `12-25` cannot say.
    """
    events = _events(text)
    moved: dict[str, set[date]] = {}
    for event in events:
        moved.setdefault(event.text("UID"), set()).update(map(_day, event.moments("RECURRENCE-ID")))
    items: dict[str, None] = {}
    for event in events:
        if event.text("STATUS").upper() != "CANCELLED":
            of_others = set() if event.text("RECURRENCE-ID") else moved[event.text("UID")]
            try:
                items.update(dict.fromkeys(_items(event, of_others)))
            except OverflowError as error:
                raise event.error("it lies beyond the year 9999") from error
    return list(items)


def _items(event: _Event, moved: set[date]) -> Iterator[str]:
    first, last = _span(event)
    length = last - first
    label = f" {event.label}" if event.label else ""
    left_out = moved | set(map(_day, event.moments("EXDATE")))
    starts = _repeats(event, first)
    if starts is None:
        if left_out:
            raise event.error("it comes every year without end, and some years are left out")
        if length.days + 1 >= _YEAR_DAYS:
            raise event.error("it comes every year and lasts a year")
        span = f"{first:%m-%d}..{last:%m-%d}" if length else f"{first:%m-%d}"
        yield span + label
        starts = []
    for start in sorted({*starts, *map(_day, event.moments("RDATE"))} - left_out):
        span = f"{start}..{start + length}" if length else f"{start}"
        yield span + label


def _span(event: _Event) -> tuple[date, date]:
    """The first and the last day of an event."""
    starts, ends = event.moments("DTSTART"), event.moments("DTEND")
    if not starts:
        raise event.error("it has no DTSTART")
    start = starts[0]
    end = ends[0] if ends else start + _duration(event)
    if isinstance(start, datetime) is not isinstance(end, datetime):
        raise event.error("one of DTSTART and DTEND has a time of day, and the other has none")
    if end < start:
        raise event.error("it ends before it begins")
    if isinstance(end, datetime):
        end -= timedelta(seconds=1)
    else:
        end -= _DAY
    return _day(start), max(_day(start), _day(end))


def _duration(event: _Event) -> timedelta:
    text = event.text("DURATION")
    if not text:
        return timedelta()
    found = _DURATION.fullmatch(text)
    if not found:
        raise event.error(f"DURATION {text!r} is not understood")
    weeks, days, hours, minutes, seconds = (int(number or 0) for number in found.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)


def _repeats(event: _Event, first: date) -> list[date] | None:
    """The days on which an event begins; None when it begins on that day of every year."""
    rules = event.properties.get("RRULE", [])
    if not rules:
        return [first]
    if len(rules) > 1 or "EXRULE" in event.properties:
        raise event.error("it repeats by several rules")
    parts = dict(part.upper().split("=", 1) for part in rules[0].strip().split(";") if "=" in part)
    until, count = parts.pop("UNTIL", ""), parts.pop("COUNT", "")
    parts.pop("WKST", "")
    # Parts that only say once more what the first day says.
    said = {
        "FREQ": "YEARLY",
        "INTERVAL": "1",
        "BYMONTH": str(first.month),
        "BYMONTHDAY": str(first.day),
    }
    others = [f"{name}={value}" for name, value in parts.items() if said.get(name) != value]
    if others or "FREQ" not in parts:
        raise event.error(f"it repeats by {';'.join(others) or 'a rule without FREQ'}")
    if not until and not count:
        return None
    return _limited(event, first, until, count)


def _limited(event: _Event, first: date, until: str, count: str) -> list[date]:
    """The same day of each year, as often as COUNT or as long as UNTIL says."""
    last = event.moment("UNTIL", until) if until else None
    if isinstance(last, datetime):
        last = (last + _OFFSET_MAX).date()
    if count and not re.fullmatch("0*[1-9][0-9]{0,4}", count):
        raise event.error(f"COUNT {count!r} is no number of times")
    found: list[date] = []
    for year in range(first.year, _LAST_YEAR):
        try:
            day = first.replace(year=year)
        except ValueError:
            continue
        if (last and day > last) or (count and len(found) == int(count)):
            return found
        if len(found) == _REPEATS_MAX:
            break
        found.append(day)
    raise event.error(f"it comes more than {_REPEATS_MAX} times", "leave UNTIL and COUNT out")


def _events(text: str) -> list[_Event]:
    """The VEVENTs; what stands in components within or beside them is no part of them."""
    events: list[_Event] = []
    zone = ""
    for number, place, name, value in _properties(text):
        if place == ["VCALENDAR"] and name == "X-WR-TIMEZONE":
            zone = value.strip()
        elif place == ["VCALENDAR", "VEVENT"] and name == "BEGIN":
            events.append(_Event(number))
        elif place == ["VCALENDAR", "VEVENT"]:
            events[-1].properties.setdefault(name, []).append(value)
    for event in events:
        event.zone = zone
    return events


def _properties(text: str) -> Iterator[tuple[int, list[str], str, str]]:
    """Line, the components that are open, name and value; BEGIN is told inside its own."""
    place: list[str] = []
    number = 0
    for number, line in _unfolded(text):
        found = _LINE.fullmatch(line)
        name, value = (found[1].upper(), found[2]) if found else ("", "")
        component = value.strip().upper()
        if name == "BEGIN":
            place.append(component)
        elif name == "END" and place[-1:] == [component]:
            place.pop()
            continue
        elif name in {"", "END"} or not place:
            raise ScheduleError(
                f"line {number} of the iCalendar file: {line[:40]!r} has no place there",
                hint=_WHOLE,
            )
        yield number, place, name, value
    if place or not number:
        raise ScheduleError(
            f"the iCalendar file ends {'within ' + place[-1] if place else 'before it begins'}",
            hint=_WHOLE,
        )


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """Lines with their numbers; one that begins with a blank goes on with the one before."""
    whole, start = "", 0
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff")), 1):
        if line[:1] in {" ", "\t"} and whole:
            whole += line[1:]
            continue
        if whole.strip():
            yield start, whole
        whole, start = line, number
    if whole.strip():
        yield start, whole


def _day(moment: datetime | date) -> date:
    return moment.date() if isinstance(moment, datetime) else moment
