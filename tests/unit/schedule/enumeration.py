"""Due instants by looking at every single minute or second: slow, short and plainly right.

It shares no code with the engine: expressions are drawn as text together with the set of values
that the text means, and a window of instants is looked at one by one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

_HALF_DAY_S = 43_200


@dataclass(frozen=True)
class Field:
    """The text of one field and the values it means."""

    text: str
    values: frozenset[int]


@dataclass(frozen=True)
class Expression:
    """Six fields; the text leaves out the seconds when they are just 0."""

    second: Field
    minute: Field
    hour: Field
    day: Field
    month: Field
    weekday: Field

    @property
    def text(self) -> str:
        fields = [self.minute, self.hour, self.day, self.month, self.weekday]
        if self.second.text != "0":
            fields.insert(0, self.second)
        return " ".join(field.text for field in fields)

    @property
    def fixed(self) -> bool:
        return self.minute.text[0] != "*" and self.hour.text[0] != "*"

    @property
    def as_event(self) -> str | None:
        """The same as a calendar event, where there is one."""
        fields = (self.second, self.minute, self.hour, self.day, self.month, self.weekday)
        if self.weekday.text != "*" or any(re.match("[0-9]+/", field.text) for field in fields):
            return None
        if any(len(field.values) == 1 and "/" in field.text for field in fields):
            return None
        second, minute, hour, day, month, _ = (
            field.text.replace("-", "..").replace("*/", f"{min(field.values)}/") for field in fields
        )
        return f"*-{month}-{day} {hour}:{minute}:{second}"

    def matches(self, face: Face) -> bool:
        """Whether a clock that shows this shows a due time."""
        second, minute, hour, day, month, weekday = face
        if not (
            minute in self.minute.values
            and hour in self.hour.values
            and second in self.second.values
            and month in self.month.values
        ):
            return False
        by_day, by_weekday = day in self.day.values, weekday in self.weekday.values
        if "*" in {self.day.text[0], self.weekday.text[0]}:
            return by_day and by_weekday
        return by_day or by_weekday


Face = tuple[int, int, int, int, int, int]
"""Second, minute, hour, day, month, weekday from Sunday as 0."""


@dataclass(frozen=True)
class Window:
    """Instants, one by one, and what the clock shows at each of them."""

    instants: range
    walls: tuple[int, ...]

    @cached_property
    def first_wall(self) -> int:
        """The earliest that the clock shows."""
        return min(self.walls)

    @cached_property
    def faces(self) -> list[Face]:
        """All from the earliest to the latest, those too that are leapt over."""
        walls = range(self.first_wall, max(self.walls) + 1, self.instants.step)
        shown = (datetime.fromtimestamp(wall, UTC) for wall in walls)
        return [(s.second, s.minute, s.hour, s.day, s.month, s.isoweekday() % 7) for s in shown]

    @lru_cache(maxsize=64)  # noqa: B019 - a window is small and lives as long as its test
    def due(self, expression: Expression) -> dict[str, list[int]]:
        """What is due under each rule for changes of the clock."""
        matching = [expression.matches(face) for face in self.faces]
        elapsed = self._due_elapsed(matching)
        if not expression.fixed:
            return {"vixie": elapsed, "skip": elapsed, "literal": elapsed}
        return {
            "vixie": self._due_once(matching, run_leapt=True),
            "skip": self._due_once(matching, run_leapt=False),
            "literal": elapsed,
        }

    def _due_elapsed(self, matching: list[bool]) -> list[int]:
        """Every instant at which the clock shows a due time."""
        step, first = self.instants.step, self.first_wall
        shown = zip(self.instants, self.walls, strict=True)
        return [instant for instant, wall in shown if matching[(wall - first) // step]]

    def _due_once(self, matching: list[bool], *, run_leapt: bool) -> list[int]:
        """Every instant at which the clock first shows, or leaps past, a due time."""
        step, first = self.instants.step, self.first_wall
        due, highest = [], self.walls[0] - step
        for instant, wall in zip(self.instants, self.walls, strict=True):
            if wall > highest:
                passed = highest + step if run_leapt else wall
                if any(matching[(passed - first) // step : (wall - first) // step + 1]):
                    due.append(instant)
                highest = wall
        return due


@lru_cache(maxsize=512)
def look(zone: ZoneInfo, start: int, stop: int, step: int) -> Window:
    """What the clock shows in a window of instants."""
    instants = range(start, stop, step)
    return _window(instants, tuple(instant + offset_at(zone, instant) for instant in instants))


# Zones whose clocks show the same share what is found.
_window = lru_cache(maxsize=8)(Window)


@lru_cache(maxsize=64)
def changes(name: str, first_year: int, last_year: int) -> tuple[int, ...]:
    """The instants at which a zone's offset changes, found by bisection."""
    return tuple(_changes(ZoneInfo(name), _year(first_year), _year(last_year + 1)))


def _changes(zone: ZoneInfo, start: int, stop: int) -> Iterator[int]:
    for before in range(start, stop, _HALF_DAY_S):
        low, high = before, before + _HALF_DAY_S
        old = offset_at(zone, low)
        if old == offset_at(zone, high):
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset_at(zone, middle) == old else (low, middle)
        yield high


def _year(year: int) -> int:
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp())


def offset_at(zone: ZoneInfo, instant: int) -> int:
    """The offset in seconds that zoneinfo tells."""
    offset = datetime.fromtimestamp(instant, zone).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


@st.composite
def fields(draw: st.DrawFn, low: int, high: int, star: int = 3) -> Field:
    """One field of values from `low` to `high`; `star` in eight of them are `*`."""
    shape = draw(st.integers(0, 7))
    if shape < star:
        return Field("*", frozenset(range(low, high + 1)))
    first = draw(st.integers(low, high))
    step = draw(st.integers(1, high - low + 2))
    match shape:
        case 3:
            return Field(f"*/{step}", frozenset(range(low, high + 1, step)))
        case 4:
            return Field(f"{first}/{step}", frozenset(range(first, high + 1, step)))
        case 5:
            last = draw(st.integers(first, high))
            return Field(f"{first}-{last}", frozenset(range(first, last + 1)))
        case 6:
            more = draw(st.lists(st.integers(low, high), max_size=4))
            text = ",".join(map(str, [first, *more]))
            return Field(text, frozenset([first, *more]))
        case _:
            return Field(str(first), frozenset([first]))


def _expressions(second: st.SearchStrategy[Field]) -> st.SearchStrategy[Expression]:
    return st.builds(
        Expression,
        second=second,
        minute=fields(0, 59),
        # Clocks are changed at night.
        hour=st.one_of(fields(0, 23), fields(0, 4, star=0).filter(_bounded)),
        day=fields(1, 31, star=7),
        month=st.just(Field("*", frozenset(range(1, 13)))),
        weekday=fields(0, 6, star=6),
    )


def _bounded(field: Field) -> bool:
    """Whether the text names its own end, so that it means the same in a wider field."""
    return "/" not in field.text


def minutely() -> st.SearchStrategy[Expression]:
    """Expressions of five fields."""
    return _expressions(st.just(Field("0", frozenset([0]))))


def secondly() -> st.SearchStrategy[Expression]:
    """Expressions of six fields."""
    return _expressions(fields(0, 59, star=2))
