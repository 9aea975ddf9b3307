"""The five time fields of a crontab line, read as cron does and written as Tocsin means it."""

from __future__ import annotations

import re
from typing import Final

import msgspec

_MONTHS: Final = (
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
)
_WEEKDAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_ITEM: Final = re.compile(r"(?:\*|(\w+)(?:-(\w+))?)(?:/(\d+))?", re.ASCII)
_RANDOM: Final = re.compile(r"(\w+)?~(\w+)?", re.ASCII)
_STEP_MAX: Final = 9999
_DAY_HIGH_HASHED: Final = 28


class RefusedError(Exception):
    """Cron refuses this; the message says why."""


class _Kind(msgspec.Struct, frozen=True):
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()


_KINDS: Final = (
    _Kind("minute", 0, 59),
    _Kind("hour", 0, 23),
    _Kind("day of month", 1, 31),
    _Kind("month", 1, 12, _MONTHS),
    _Kind("weekday", 0, 7, _WEEKDAYS),
)
_DAY: Final = _KINDS[2]
_WEEKDAY: Final = _KINDS[4]


class Times(msgspec.Struct, frozen=True):
    """A schedule of Tocsin, with what is worth knowing of it and what is to be checked."""

    schedule: str
    notes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def read_fields(fields: list[str]) -> Times:
    """The schedule of five fields.

    Raises:
        RefusedError: cron would not take the line.
    """
    remarks: list[str] = []
    texts = [_field(text, kind, remarks) for text, kind in zip(fields, _KINDS, strict=True)]
    day, weekday = texts[2], texts[4]
    notes: tuple[str, ...] = ()
    if day != "*" and weekday != "*":
        starred = day.startswith("*") or weekday.startswith("*")
        rule = "match both, as one of them starts with *" if starred else "match either"
        notes = (f"day of month and weekday are both set: due on days that {rule}, as in cron",)
    return Times(" ".join(texts), notes, tuple(remarks))


def _field(text: str, kind: _Kind, remarks: list[str]) -> str:
    return ",".join(_item(item, kind, remarks) for item in text.split(","))


def _item(item: str, kind: _Kind, remarks: list[str]) -> str:
    if random := _RANDOM.fullmatch(item):
        return _random(random, item, kind, remarks)
    found = _ITEM.fullmatch(item)
    if found is None:
        raise RefusedError(f"{kind.name} {item!r} is no number, range or step")
    first, last, step_text = found.groups()
    step = int(step_text) if step_text else 1
    if step == 0:
        raise RefusedError(f"{kind.name} {item!r} has the step 0")
    end = f"/{min(step, _STEP_MAX)}" if step_text else ""
    if first is None:
        return f"*{end}"
    low = _value(first, item, kind)
    if last is None:
        if step_text:
            remarks.append(
                f"{kind.name} {item!r}: Debian's cron is due at {low} alone, cronie refuses it; "
                f"kept as {low}; if every {step} from {low} was meant, write {low}-{kind.high}{end}"
            )
        return str(low)
    high = _value(last, item, kind)
    if high == 0 and low > 0 and kind is _WEEKDAY:
        high = kind.high
        remarks.append(
            f"weekday {item!r}: read as {low}-7, as cronie does; Debian's cron refuses it"
        )
    if low > high:
        raise RefusedError(f"{kind.name} {item!r} runs backwards")
    return f"{low}-{high}{end}"


def _random(found: re.Match[str], item: str, kind: _Kind, remarks: list[str]) -> str:
    low = _value(found[1], item, kind) if found[1] else kind.low
    high = _value(found[2], item, kind) if found[2] else kind.high
    if low > high:
        raise RefusedError(f"{kind.name} {item!r} runs backwards")
    if kind is _DAY and not found[2]:
        high = max(low, _DAY_HIGH_HASHED)  # every month has it
    if kind is _WEEKDAY:
        high = min(high, 6)
    text = f"H({low}-{high})" if low < high else str(low)
    remarks.append(
        f"{kind.name} {item!r}: cronie draws a number each time it reads the file; {text} is made "
        "from the job's name and stays the same"
    )
    return text


def _value(text: str, item: str, kind: _Kind) -> int:
    if text.isdecimal():
        number = int(text[:9])
    elif text.lower() in kind.names:
        number = kind.names.index(text.lower()) + (1 if kind.low == 1 else 0)
    else:
        raise RefusedError(f"{kind.name} {item!r}: {text!r} is neither a number nor a name")
    if not kind.low <= number <= kind.high:
        raise RefusedError(f"{kind.name} {item!r}: {number} is not in {kind.low}-{kind.high}")
    return number
