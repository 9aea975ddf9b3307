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
    not_kept: int = 0
    """So many bytes of the output are not kept."""
    blocked: str = ""
    """Why nothing can be read now."""
    unread: bool = False
    """Nothing has been read yet."""


def log_line(lines: LogLines, at: Standing, total_bytes: int, width: int) -> str:
    """The line above a log; how much there is gives way to where the reader stands."""
    right = _standing(at, whole=lines.at_start and lines.at_end)
    sizes = _sizes(lines, total_bytes)
    if at.unread:
        sizes = [format_size(total_bytes) if total_bytes else "", ""]
    gap = f"{format_size(at.not_kept)} not kept" if at.not_kept else ""
    parts = [[*sizes, gap], [sizes[0], gap], [gap], []]
    titles = ["  ".join(filter(None, ["Log", at.mode.streams.value, *some])) for some in parts]
    fitting = (title for title in titles if cell_len(title) + cell_len(right) + _FRAME <= width)
    return rule(next(fitting, "Log"), right, width)


def _sizes(lines: LogLines, total_bytes: int) -> list[str]:
    count = counted(lines.end - lines.first, "line")
    if lines.at_start and lines.at_end:
        return [f"{count}, {format_size(lines.bytes)}", ""]
    of_all = f" of {format_size(total_bytes)}" if total_bytes > lines.bytes else ""
    return [f"{count} loaded", f"{format_size(lines.bytes)}{of_all}"]


def _standing(at: Standing, *, whole: bool) -> str:
    parts = [at.busy] if at.busy else []
    if at.mode.filter:
        parts.append(f"only {at.mode.filter}")
    if at.needle:
        matches = at.matches if whole else f"{at.matches}+ loaded"
        parts.append(f"{quoted(at.needle)}: {at.nth_match} of {matches}")
    if at.wrap:
        parts.append("wrap")
    if at.blocked and not at.over:
        parts.append(cannot_be_read(at.blocked) if at.unread else at.blocked.upper())
    elif at.follow:
        parts.append(_following(at))
    else:
        parts.append(f"+{at.unseen} new, f follows" if at.unseen else "f follows")
    return "  ".join(parts)


def _following(at: Standing) -> str:
    if at.over:
        return "END"
    return "reading" if at.unread else "FOLLOW"


def cannot_be_read(blocked: str) -> str:
    """That there is nothing to be seen, and why."""
    return "cannot be read while offline" if blocked == "offline" else f"cannot be read: {blocked}"


def not_found(typed: str, not_kept: int, *, over: bool) -> str:
    """That what is looked for is nowhere, and where else it may have been."""
    words = f"{quoted(typed)} is nowhere in the output" + ("" if over else " so far")
    return f"{words}, of which {format_size(not_kept)} is not kept" if not_kept else words


def none_shown(mode: Mode, not_kept: int, *, whole: bool) -> str:
    """That no line passes the filter, and where else there may be one."""
    kept = f"; {format_size(not_kept)} of the output is not kept" if not_kept else ""
    if whole:
        return f"there is no such line: {mode.filter}{kept}"
    return f"no such line is loaded: {mode.filter}; / looks through all of it{kept}"


def quoted(typed: str) -> str:
    """What is looked for; an expression has its slashes."""
    return typed if needle(typed).pattern is not None else f"'{typed}'"
