"""The grammar of one cron field: text in, a bit mask of its values out.

The grammar is written here rather than taken from croniter, for three reasons. croniter lacks
`L-n` and `LW`, puts seconds last and has its own day rule, so that every expression would have to
be rewritten before and after it. Its releases have changed what an expression means (7.0.0:
`59/15`). Its errors do not say what was expected. The tests hold this grammar against croniter.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

import msgspec

from tocsin.errors import ScheduleError

_HASHED = re.compile(r"H(?:\((.*)\))?")
_SPREAD = re.compile(r"([^~]*)~([^~]*)")
_NUMBER_DIGITS_MAX = 4
_SUNDAY_AGAIN = 7


class Kind(msgspec.Struct, frozen=True, eq=False):
    """One place in a cron expression: its name, its range and the names of its values.

    `high` ends an open range (`5/2`, `*`), `top` is the greatest number that may be written, and
    `hash_high` ends the range that a bare `H` or `~` chooses from.
    """

    name: str
    low: int
    high: int
    top: int
    hash_high: int
    names: tuple[str, ...] = ()

    @property
    def expected(self) -> str:
        """What a value of this field looks like, for error messages."""
        numbers = f"a number from {self.low} to {self.top}"
        if not self.names:
            return numbers
        return f"{numbers} or a name from {self.names[0]} to {self.names[-1]}"


_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")

SECOND = Kind("second", 0, 59, 59, 59)
MINUTE = Kind("minute", 0, 59, 59, 59)
HOUR = Kind("hour", 0, 23, 23, 23)
# A hashed day stops at 28, so that every month has it.
DAY = Kind("day of month", 1, 31, 31, 28)
MONTH = Kind("month", 1, 12, 12, 12, _MONTHS)
WEEKDAY = Kind("weekday", 0, 6, _SUNDAY_AGAIN, 6, _WEEKDAYS)


def key_for(text: str, key: str) -> str:
    """The key where a text may depend on it, else none, so that it is read once for all keys."""
    return key if "H" in text or "~" in text else ""


def field_mask(text: str, kind: Kind, key: str) -> int:
    """The values of a whole field as bits: bit 5 is set when 5 is meant."""
    return _field_mask(text, kind, key_for(text, key))


# Jobs that are spread by their names differ in one field; the others are few.
@lru_cache(maxsize=1024)
def _field_mask(text: str, kind: Kind, key: str) -> int:
    mask = 0
    for item in split_items(text, kind):
        mask |= item_mask(item, kind, key)
    return mask


def split_items(text: str, kind: Kind) -> list[str]:
    """The items of a list, none of which may be empty."""
    items = text.split(",")
    if "" in items:
        raise ScheduleError(
            f"{kind.name} {text!r}: an item of the list is empty",
            hint="write a value on both sides of every comma",
        )
    return items


def item_mask(item: str, kind: Kind, key: str) -> int:
    """The bits of one list item: `*`, a value, a range, `H` or `~`, with or without a step."""
    base, slash, step_text = item.partition("/")
    step = _step(step_text, item, kind) if slash else 1
    hashed = _HASHED.fullmatch(base)
    if hashed:
        return _hashed_mask(hashed[1], step if slash else 0, item, kind, key)
    if base == "~" and not slash:
        return 1 << _dkron_number(item, kind, key)
    if spread := _SPREAD.fullmatch(base):
        bounds = _spread_bounds(spread[1], spread[2], item, kind)
        return _hashed_bits(*bounds, step if slash else 0, item, kind, key)
    if base == "*":
        low, high = kind.low, kind.high
    elif "-" in base:
        low, high = _range(base, item, kind)
    else:
        low = value(base, item, kind)
        high = max(kind.high, low) if slash else low
    return fold_sunday(_bits(low, high, step), kind)


def value(text: str, item: str, kind: Kind) -> int:
    """One number or name of a field."""
    if text in kind.names:
        return kind.names.index(text) + kind.low
    if text.isdecimal() and len(text) <= _NUMBER_DIGITS_MAX:
        number = int(text)
        if kind.low <= number <= kind.top:
            return number
        raise ScheduleError(f"{kind.name} {item!r}: {number} is not {kind.expected}")
    raise ScheduleError(
        f"{kind.name} {item!r}: {text!r} is not {kind.expected}", hint=_value_hint(text, kind)
    )


def fold_sunday(mask: int, kind: Kind) -> int:
    """The mask with weekday 7 moved to 0: both are Sunday."""
    if kind is WEEKDAY and mask >> _SUNDAY_AGAIN & 1:
        return mask & ~(1 << _SUNDAY_AGAIN) | 1
    return mask


def hashed(key: str, kind: Kind, span: int) -> int:
    """The number below `span` that `H` stands for; it never changes for a key and a field."""
    digest = hashlib.sha256(f"{key}\0{kind.name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % span


def _hashed_mask(bounds: str | None, step: int, item: str, kind: Kind, key: str) -> int:
    low, high = kind.low, kind.hash_high
    if bounds is not None:
        low, high = _range(bounds, item, kind)
    return _hashed_bits(low, high, step, item, kind, key)


def _hashed_bits(low: int, high: int, step: int, item: str, kind: Kind, key: str) -> int:
    """One hashed value of a range, or every `step` from one of the first `step` values."""
    _require_key(item, kind, key)
    span = high - low + 1
    first = low + hashed(key, kind, min(step, span) if step else span)
    return fold_sunday(_bits(first, high if step else first, step or 1), kind)


def _spread_bounds(low_text: str, high_text: str, item: str, kind: Kind) -> tuple[int, int]:
    """The range of `a~b`, either end of which may be left out."""
    low, high = _range(f"{low_text or kind.low}-{high_text or kind.hash_high}", item, kind)
    if kind is DAY:
        high = min(high, kind.hash_high)
        if low > high:
            raise ScheduleError(
                f"{kind.name} {item!r}: jobs are spread over days that every month has, 1 to "
                f"{kind.hash_high}",
                hint="L-2, L-1 and L are the last days of any month",
            )
    return low, high


def _dkron_number(item: str, kind: Kind, key: str) -> int:
    """What `~` alone stands for: Dkron's sum of the name's code points, so that due times stay."""
    _require_key(item, kind, key)
    return kind.low + sum(map(ord, key)) % (kind.hash_high - kind.low + 1)


def _require_key(item: str, kind: Kind, key: str) -> None:
    if not key:
        raise ScheduleError(
            f"{kind.name} {item!r}: {'~' if '~' in item else 'H'} spreads jobs by their name, and "
            "there is none here",
            hint="give the job's name as key, or write a number",
        )


def _range(text: str, item: str, kind: Kind) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    if not dash:
        raise ScheduleError(f"{kind.name} {item!r}: {text!r} is not a range such as 1-5")
    low, high = value(first, item, kind), value(last, item, kind)
    if last == "SUN" and low > high:
        high = _SUNDAY_AGAIN
    if low > high:
        raise ScheduleError(
            f"{kind.name} {item!r}: the range runs backwards",
            hint=f"to wrap around, write {first}-{kind.high},{kind.low}-{last}",
        )
    return low, high


def _step(text: str, item: str, kind: Kind) -> int:
    if text.isdecimal() and len(text) <= _NUMBER_DIGITS_MAX and int(text):
        return int(text)
    raise ScheduleError(
        f"{kind.name} {item!r}: the step {text!r} is not a whole number from 1 to 9999"
    )


def _bits(low: int, high: int, step: int) -> int:
    return sum(1 << number for number in range(low, high + 1, step))


def _value_hint(text: str, kind: Kind) -> str:
    if "~" in text:
        return "a range to spread jobs over is written 0~30"
    if text == "?":
        return "? stands only for a day of month or a weekday; write *"
    from difflib import get_close_matches

    near = [name for name in kind.names if text.startswith(name)]
    near = near or get_close_matches(text, kind.names, n=1)
    return f"did you mean {near[0]}?" if near else ""
