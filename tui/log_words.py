"""The times of log lines, and the line above a log, in words."""

from __future__ import annotations

import enum
from datetime import tzinfo

import msgspec

from tocsin.instants import SECOND_US
from tocsin.units import format_size

from .log_lines import LogLines
from .log_view import Mode
from .words import local


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
            return f"+{hours:02d}:{seconds // 60:02d}:{seconds % 60:02d}.{ms:03d}"[:12].rjust(12)
        case Times.NONE:
            return ""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where the reader of a log stands."""

    mode: Mode
    follow: bool
    wrap: bool
    unseen: int
    needle: str
    matches: int
    nth_match: int
    """From 1; 0: the reader is at none."""
    busy: str
    """What is being waited for."""


def log_title(lines: LogLines, mode: Mode, total_bytes: int) -> str:
    """How much output there is."""
    count = lines.end - lines.first
    head = f"Log  {mode.streams.value}  {count} lines"
    if lines.at_start and lines.at_end:
        return f"{head}, {format_size(lines.bytes)}"
    return f"{head} loaded, {format_size(lines.bytes)} of {format_size(total_bytes)}"


def log_standing(at: Standing, *, whole: bool) -> str:
    """What is looked for and shown, and whether the end is followed."""
    parts = [at.busy] if at.busy else []
    if at.mode.filter:
        parts.append(f"only {at.mode.filter}")
    if at.needle:
        here = "" if whole else " loaded"
        parts.append(f"{at.needle!r}: {at.nth_match} of {at.matches}{here}")
    if at.wrap:
        parts.append("wrap")
    if at.follow:
        parts.append("FOLLOW")
    else:
        parts.append(f"+{at.unseen} new, f follows" if at.unseen else "f follows")
    return "  ".join(parts)
