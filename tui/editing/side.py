"""What stands beside the form: next fires, the week, what is odd, what was changed."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from datetime import tzinfo
from typing import Any, Final

import msgspec

from tocsin.fires import Fire
from tocsin.jobfile.differing import block_differences
from tocsin.tui.plain import fit, one_line, rule
from tocsin.tui.widgets.columns import Cell
from tocsin.tui.words import local, until

from .forecast import ClockChange, Forecast, Week

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DIGITS_MAX: Final = 9
_SHOWN: Final = 120
SIDE_WIDTH: Final = 42


class Effect(msgspec.Struct, frozen=True):
    """What is known of the job that is written; where it is wrong, of what it was last."""

    forecast: Forecast
    before: Week | None
    """The week of the job as it is; None where it is not there yet."""


def side_lines(
    effect: Effect | None,
    changed: Mapping[str, tuple[object, object]],
    now_us: int,
    zone: tzinfo | None,
    width: int,
) -> list[Cell]:
    """All lines; without an effect there is nothing but what was changed."""
    lines = [Cell(rule("Next fires", "", width), "strong")]
    if effect is None:
        lines.append(Cell(" not known while the schedule is wrong", "quiet"))
    else:
        it = effect.forecast
        lines += fire_lines(it.fires, it.zone, zone, now_us)
        lines += [
            Cell(line, "warn" if it.clock_change.notes else "quiet")
            for line in _wrapped(clock_words(it.clock_change, it.zone), width)
            if it.clock_change.at_us
        ]
        lines.append(Cell(rule(f"Week, {_zone_name(it.zone)}", "", width), "strong"))
        lines += week_lines(it.week)
        lines += [Cell(line) for line in _wrapped(week_words(it.week, effect.before), width)]
        lines += [
            Cell(line, "warn") for doubt in it.doubts for line in _wrapped(f"! {doubt}", width)
        ]
    if changed:
        lines.append(Cell(rule("Changes", "", width), "strong"))
        lines += [Cell(one) for line in change_lines(changed) for one in _wrapped(line, width)]
    return [Cell(fit(one_line(line.text), width), line.tone) for line in lines]


def fire_lines(fires: list[Fire], zone: tzinfo, here: tzinfo | None, now_us: int) -> list[Cell]:
    """The next due times on the clock of the job and on that of the user, with their notes."""
    if not fires:
        return [Cell(" none: it runs when asked to", "quiet")]
    lines = []
    both = any(local(one.at_us, zone).utcoffset() != local(one.at_us, here).utcoffset()
               for one in fires)  # fmt: skip
    if both:
        lines.append(Cell(f" {_zone_name(zone):<24}{'here':<9}in", "quiet"))
    for fire in fires:
        at = local(fire.at_us, zone)
        text = f"{at:%a} {at.day} {at:%b %H:%M:%S %Z}"
        there = f"{local(fire.at_us, here):%H:%M:%S} " if both else ""
        away = until(fire.at_us, now_us).removeprefix("in ") if both else until(fire.at_us, now_us)
        lines.append(Cell(f" {text:<24}{there}{away}", "quiet" if fire.blackout else ""))
        lines += [Cell(f"   {note}", "warn") for note in (fire.blackout, fire.clock) if note]
    return lines


def week_lines(week: Week) -> list[Cell]:
    """Fires in each hour of the week."""
    lines = [Cell(f"     {''.join(f'{hour:<3}' for hour in range(0, 24, 3))}", "quiet")]
    for day, hours in zip(_DAYS, week.hours, strict=True):
        lines.append(Cell(f" {day} {''.join(map(_in_hour, hours))}"))
    return lines


def week_words(week: Week, before: Week | None) -> str:
    """How often in a week, before and after."""
    change = f"{before.fires:,} → " if before is not None and before != week else ""
    lost = f", {week.blackout:,} more in a blackout" if week.blackout else ""
    return f"{change}{week.fires:,} fires a week{lost}"


def change_lines(changed: Mapping[str, tuple[object, object]]) -> list[str]:
    """Each key with its old and its new value."""
    lines = []
    for key, (old, new) in changed.items():
        if old is None:
            lines.append(f"+ {key}: {_value(new)}")
        elif new is None:
            lines.append(f"- {key}: {_value(old)}")
        else:
            lines.append(f"~ {key}: {_value(old)} → {_value(new)}")
    return lines


def changes(
    loaded: Mapping[str, Any] | None, block: Mapping[str, Any]
) -> dict[str, tuple[object, object]]:
    """The keys that differ from what was loaded; of a new job all that say something."""
    found = block_differences(loaded or {}, block)
    return {key: pair for key, pair in found.items() if pair != (None, {})}


def notes_of(effect: Effect | None, english: Iterable[str], now_us: int) -> dict[str, list[Cell]]:
    """What is said below fields."""
    notes: dict[str, list[Cell]] = {
        "schedule": [Cell(f"= {one}", "quiet") for one in english if one]
    }
    if effect is None:
        return notes
    fires, hosts = effect.forecast.fires, effect.forecast.hosts
    if fires:
        at = local(fires[0].at_us, effect.forecast.zone)
        words = f"next {at:%a} {at.day} {at:%b %H:%M:%S %Z}, {until(fires[0].at_us, now_us)}"
        notes["schedule"].append(Cell(words, "quiet"))
    some = ", ".join(hosts) if hosts else "no agent now"
    notes["target.tags"] = [Cell(f"matches {len(hosts)}: {some}" if hosts else f"matches {some}",
                                 "quiet" if hosts else "warn")]  # fmt: skip
    return notes


def _in_hour(count: int) -> str:
    if not count:
        return "·"
    return str(count) if count <= _DIGITS_MAX else "#"


def _zone_name(zone: tzinfo) -> str:
    return str(zone)


def clock_words(change: ClockChange, zone: tzinfo) -> str:
    """What the next change of the clock does to the job."""
    at = local(change.at_us, zone)
    head = f"clock change {at:%a} {at.day} {at:%b}"
    if not change.notes:
        return f"● {head}: no effect"
    return f"! {head}: {'; '.join(change.notes)}"


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(
        one_line(text), width, initial_indent=" ", subsequent_indent="   ", max_lines=4,
        placeholder=" …",
    )  # fmt: skip


def _value(value: object) -> str:
    text = one_line(_in_words(value))
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _in_words(value: object) -> str:
    match value:
        case str():
            return value
        case list():
            return ", ".join(map(_in_words, value))
        case dict():
            return " ".join(f"{key} {_in_words(inner)}" for key, inner in value.items())
        case _:
            return msgspec.json.encode(value).decode()
