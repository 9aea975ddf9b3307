"""Text for people: tables, times and spans. What came over the network is made harmless first."""

from __future__ import annotations

import shutil
import sys
import unicodedata
from collections.abc import Sequence
from typing import Final

from tocsin.instants import SECOND_US, to_datetime
from tocsin.units import format_duration

NOTHING: Final = "-"
_GAP: Final = "  "
_HARMLESS: Final = "\N{REPLACEMENT CHARACTER}"


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Aligned columns; on a terminal a line is cut at its edge."""
    texts = [[heading.upper() for heading in headings]]
    texts += [[cell(value) for value in row] for row in rows]
    widths = [max(map(_width, column)) for column in zip(*texts, strict=True)]
    edge = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    lines = (
        _GAP.join(
            text + " " * (width - _width(text)) for text, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in texts
    )
    return "\n".join(line if edge is None else _cut(line, edge) for line in lines)


def pairs(rows: Sequence[tuple[str, object]]) -> str:
    """Names and values below each other."""
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:{width}}  {cell(value)}" for name, value in rows)


def cell(value: object) -> str:
    """A value as it may stand on a terminal: on one line, without control characters."""
    if value is None or value in ("", [], {}):
        return NOTHING
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ", ".join(cell(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{cell(key)}={cell(item)}" for key, item in value.items())
    return "".join(
        char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in str(value)
    )


def local_time(instant_us: int | None) -> str:
    """An instant on this host's clock, to the second."""
    if instant_us is None:
        return NOTHING
    return to_datetime(instant_us).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def span(from_us: int | None, to_us: int | None) -> str:
    """The time between two instants."""
    if from_us is None or to_us is None:
        return NOTHING
    seconds = max(to_us - from_us, 0) / SECOND_US
    return f"{seconds:.1f}s" if 1 <= seconds < 10 else format_duration(seconds)  # noqa: PLR2004 - tenths tell something below ten


def distance(instant_us: int, now_us: int) -> str:
    """How far off an instant is: `in 5m`, `2h ago`."""
    if instant_us >= now_us:
        return f"in {span(now_us, instant_us)}"
    return f"{span(instant_us, now_us)} ago"


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF")
        for char in text
    )


def _cut(line: str, width: int) -> str:
    if _width(line) <= width:
        return line
    while line and _width(line) >= width:
        line = line[:-1]
    return line + "…"
