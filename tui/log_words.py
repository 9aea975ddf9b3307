"""The times of log lines, and the line above a log, in words."""

from __future__ import annotations

import enum
from datetime import tzinfo
from typing import Final

import msgspec
from rich.cells import cell_len

from tocsin.instants import SECOND_US
from tocsin.units import format_size

from .log_lines import LogLines
from .log_search import needle
from .log_view import Mode
from .plain import rule
from .words import counted, local

_FRAME: Final = 6
"""Cells of the rule around both texts."""


class Times(enum.Enum):
    """What stands before a line."""

    CLOCK = "time of day"
    SINCE = "since the start"
    NONE = "no time"


def log_time(at_us: int, times: Times, zone: tzinfo | None, started_us: int | None) -> str:
    """The time of a line, to the millisecond; always as wide as others of the same kind."""
    match times:
        case Times.CLOCK:
            at = local(at_us, zone)
            return f"{at:%H:%M:%S}.{at.microsecond // 1000:03d}"
        case Times.SINCE:
            if started_us is None:
                return f"{'-':>12}"
            since_ms = (at_us - started_us) * 1000 // SECOND_US
            seconds, ms = divmod(max(since_ms, 0), 1000)
            hours, seconds = divmod(seconds, 3600)
            return f"{hours:02d}:{seconds // 60:02d}:{seconds % 60:02d}.{ms:03d}"
        case Times.NONE:
            return ""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where the reader of a log stands."""

    mode: Mode
    follow: bool
    wrap: bool
    over: bool
    """Nothing more will come."""
    unseen: int
    needle: str
    matches: int
    nth_match: int
    """From 1; 0: the reader is at none."""
    busy: str
    """What is being waited for."""


def log_line(lines: LogLines, at: Standing, total_bytes: int, width: int) -> str:
    """The line above a log; how much there is gives way to where the reader stands."""
    right = _standing(at, whole=lines.at_start and lines.at_end)
    sizes = _sizes(lines, total_bytes)
    titles = [f"Log  {at.mode.streams.value}  {'  '.join(sizes[:n])}".rstrip() for n in (2, 1, 0)]
    fitting = (title for title in titles if cell_len(title) + cell_len(right) + _FRAME <= width)
    return rule(next(fitting, "Log"), right, width)


def _sizes(lines: LogLines, total_bytes: int) -> list[str]:
    count = counted(lines.end - lines.first, "line")
    if lines.at_start and lines.at_end:
        return [f"{count}, {format_size(lines.bytes)}"]
    of_all = f" of {format_size(total_bytes)}" if total_bytes > lines.bytes else ""
    return [f"{count} loaded", f"{format_size(lines.bytes)}{of_all}"]


def _standing(at: Standing, *, whole: bool) -> str:
    parts = [at.busy] if at.busy else []
    if at.mode.filter:
        parts.append(f"only {at.mode.filter}")
    if at.needle:
        matches = at.matches if whole else f"{at.matches}+ loaded"
        parts.append(f"{_quoted(at.needle)}: {at.nth_match} of {matches}")
    if at.wrap:
        parts.append("wrap")
    if at.follow:
        parts.append("END" if at.over else "FOLLOW")
    else:
        parts.append(f"+{at.unseen} new, f follows" if at.unseen else "f follows")
    return "  ".join(parts)


def _quoted(typed: str) -> str:
    """What is looked for; an expression has its slashes."""
    return typed if needle(typed).pattern is not None else f"'{typed}'"
