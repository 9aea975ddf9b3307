"""The week's map of hours as lines: a figure in each cell, and its share of the week's peak."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

import msgspec

from .hour import HourDetail, Part
from .load import HOURS, Hour, Metric
from .plain import fit

SHADES: Final = 5
LABEL_CELLS: Final = 8
_CELL_MIN: Final = 3
_CELL_MAX: Final = 5
_SUMS_CELLS: Final = 20
_UNITS: Final = (1, 10, 100, 1000, 10_000, 100_000)
_BLOCKS: Final = " ▁▂▃▄▅▆▇█"
_ORDINARY_QUARTERS: Final = 4


class Mark(msgspec.Struct, frozen=True):
    """A cell of the map."""

    text: str
    shade: int
    """0 to 4: its share of the peak; -1 where the hour does not exist."""


class HeatMap(msgspec.Struct, frozen=True):
    """The week as a metric shows it."""

    hours: Sequence[Sequence[Hour]]
    marks: Sequence[Sequence[Mark]]
    unit: int
    """What a figure is to be multiplied with, so that all fit."""
    cell: int
    """How wide a cell is."""
    sums: Sequence[str]
    """What stands behind each day; empty where there is no room."""
    missing: Sequence[Hour]
    """Hours that do not exist."""
    doubled: Sequence[Hour]
    """Hours that the clock shows twice."""


def cell_width(width: int) -> int:
    """How wide a cell is on a screen of this width."""
    return max(min((width - LABEL_CELLS - _SUMS_CELLS) // HOURS, _CELL_MAX), _CELL_MIN)


def heat_map(grid: Sequence[Sequence[Hour]], metric: Metric, slots: int, width: int) -> HeatMap:
    """The map of a week."""
    values = [[hour.value(metric, slots) for hour in day] for day in grid]
    peak = max((value for day in values for value in day), default=0.0)
    cell = cell_width(width)
    room = 10 ** (cell - 1)
    unit = next((unit for unit in _UNITS if peak / unit < room - 0.5), _UNITS[-1])
    marks = [
        [_mark(hour, value, peak, unit) for hour, value in zip(day, row, strict=True)]
        for day, row in zip(grid, values, strict=True)
    ]
    fits = width >= LABEL_CELLS + cell * HOURS + _SUMS_CELLS
    sums = [_sum(row, metric) if fits else "" for row in values]
    every = [hour for day in grid for hour in day]
    return HeatMap(
        grid, marks, unit, cell, sums,
        [hour for hour in every if not hour.quarters],
        [hour for hour in every if hour.quarters > _ORDINARY_QUARTERS],
    )  # fmt: skip


def hours_head(heat: HeatMap, width: int) -> str:
    """The line of hours above the map."""
    head = " " * LABEL_CELLS + "".join(f"{hour:>{heat.cell}}" for hour in range(HOURS))
    return fit(f"{head}     day  peak" if any(heat.sums) else head, width)


def day_label(day: date, today: date) -> str:
    """A day before its row."""
    mark = "*" if day == today else " "
    return fit(f"{mark}{day:%a} {day.day:>2}", LABEL_CELLS)


def busiest(heat: HeatMap, metric: Metric, slots: int) -> str:
    """The fullest hour of the week, the first of those that are as full."""
    hours = [hour for day in heat.hours for hour in day]
    most = max(hours, key=lambda hour: hour.value(metric, slots))
    value = round(most.value(metric, slots))
    if not value:
        return ""
    noun = metric.value.removesuffix("s") if value == 1 else metric.value
    what = f"{value}% of slots" if metric is Metric.SLOTS else f"{value} {noun}"
    return f"busiest: {_day(most)} {most.hour:02}:00, {what}"


def metric_names(heat: HeatMap, metric: Metric) -> str:
    """The metrics, that in force in brackets with what its figures are to be multiplied with."""
    times = f" x{heat.unit}" if heat.unit > 1 else ""
    return "  ".join(f"[{m.value}{times}]" if m is metric else m.value for m in Metric)


def clock_note(heat: HeatMap) -> str:
    """What is odd about the week's clock."""
    parts = [
        f"-- {_day(hour)}: {hour.hour:02}:00 does not exist, the clock leaps over it"
        for hour in heat.missing
    ]
    parts += [
        f"{_day(hour)}: {hour.hour:02}:00 comes twice and counts as one" for hour in heat.doubled
    ]
    return "   ".join(parts)


def _day(hour: Hour) -> str:
    return f"{hour.day:%a} {hour.day.day}"


def hour_name(hour: Hour) -> str:
    """An hour in words."""
    if not hour.quarters:
        return f"{hour.day:%a} {hour.day.day} {hour.day:%b} {hour.hour:02}:00 does not exist"
    return f"{hour.day:%a} {hour.day.day} {hour.day:%b} {hour.hour:02}:00-{hour.hour + 1:02}:00"


def parts_lines(parts: Sequence[Part], slots: int, width: int) -> list[str]:
    """An hour in its twelve parts: when, how many starts, and how many slots are taken."""
    cell = max(min((width - LABEL_CELLS) // len(parts), 8), 4)
    minutes = 60 // len(parts)
    head = "".join(fit(f" :{i * minutes:02}", cell) for i in range(len(parts)))
    begins = "".join(fit(f" {part.begins or '·'}", cell) for part in parts)
    bars = "".join(fit(f" {_bar(part.slots, slots, cell - 1)}", cell) for part in parts)
    labels = (" 5 min", " starts", " slots")
    rows = (head, begins, bars)
    return [
        fit(f"{label:<{LABEL_CELLS}}{row}", width) for label, row in zip(labels, rows, strict=True)
    ]


def detail_title(hour: Hour, detail: HourDetail | None, slots: int) -> str:
    """What is to be said of the hour under the cursor."""
    name = hour_name(hour)
    if not hour.quarters:
        return name
    jobs = f", {len(detail.here)} jobs" if detail is not None and detail.whole else ""
    text = f"{name}  {hour.fires} fires{jobs}, {round(hour.busy_s / 60)} job-minutes"
    if detail is not None and detail.whole and slots:
        taken, _ = detail.peak
        text += f", up to {taken} of {slots} slots"
    return text


def _mark(hour: Hour, value: float, peak: float, unit: int) -> Mark:
    if not hour.quarters:
        return Mark("--", -1)
    if not value:
        return Mark("·", 0)
    shade = min(int(value * SHADES / peak), SHADES - 1) if peak else 0
    return Mark(str(round(value / unit)), shade)


def _sum(row: Sequence[float], metric: Metric) -> str:
    peak = max(row)
    at = f"{row.index(peak):02}:00 {round(peak)}" if peak else ""
    total = sum(row) / HOURS if metric is Metric.SLOTS else sum(row)
    return f"{round(total):>8}  {at}"


def _bar(taken: int, slots: int, cells: int) -> str:
    """Slots in use as a bar of so many cells; a number where the slots are not known."""
    if not slots:
        return str(taken or "·")
    eighths = min(-(-taken * cells * 8 // slots), cells * 8)
    full, rest = divmod(eighths, 8)
    bar = "█" * full + (_BLOCKS[rest] if rest else "")
    return bar or "·"
