"""States, times and schedules as short words; glyphs are one cell wide and never stand alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Final

from tocsin.instants import SECOND_US, to_datetime
from tocsin.model import TERMINAL, JobRow, Run, RunState, Trigger
from tocsin.units import format_duration

from .plain import one_line

MINUTE_S: Final = 60
HOUR_S: Final = 3600
DAY_S: Final = 86_400
_SECONDS_SHOWN_S: Final = 120  # below it seconds are told, above it they would only flicker
_HOURS_SHOWN_S: Final = 2 * DAY_S
_WEEK_S: Final = 6 * DAY_S
_YEAR_S: Final = 330 * DAY_S
_LISTED_MAX: Final = 3

GLYPH: Final[dict[RunState, str]] = {
    RunState.QUEUED: "○",
    RunState.DISPATCHED: "◐",
    RunState.ACCEPTED: "◐",
    RunState.RUNNING: "►",
    RunState.SUCCEEDED: "●",
    RunState.FAILED: "✗",
    RunState.TIMED_OUT: "✗",
    RunState.CANCELLED: "x",
    RunState.LOST: "?",
    RunState.REFUSED: "!",
    RunState.SKIPPED: "s",
}
WORD: Final[dict[RunState, str]] = {
    RunState.QUEUED: "queued",
    RunState.DISPATCHED: "sent",
    RunState.ACCEPTED: "accepted",
    RunState.RUNNING: "running",
    RunState.SUCCEEDED: "ok",
    RunState.FAILED: "failed",
    RunState.TIMED_OUT: "timed out",
    RunState.CANCELLED: "cancelled",
    RunState.LOST: "lost",
    RunState.REFUSED: "refused",
    RunState.SKIPPED: "skipped",
}
_TONE: Final[dict[RunState, str]] = {
    RunState.QUEUED: "quiet",
    RunState.DISPATCHED: "busy",
    RunState.ACCEPTED: "busy",
    RunState.RUNNING: "busy",
    RunState.SUCCEEDED: "good",
    RunState.FAILED: "bad",
    RunState.TIMED_OUT: "bad",
    RunState.CANCELLED: "warn",
    RunState.LOST: "bad",
    RunState.REFUSED: "bad",
    RunState.SKIPPED: "quiet",
}
PAUSED_GLYPH: Final = "‖"
NEVER_GLYPH: Final = "○"


def tone(state: RunState) -> str:
    """The third channel of a state, after glyph and word: the name of its colour."""
    return _TONE[state]


def span(seconds: float) -> str:
    """A span in at most two units, in steps that do not flicker: `42s`, `1m38s`, `42m`, `1h57m`."""
    whole = max(int(seconds), 0)
    if whole < _SECONDS_SHOWN_S:
        return format_duration(whole)
    if whole < DAY_S:
        return format_duration(whole - whole % MINUTE_S)
    if whole < _HOURS_SHOWN_S:
        return format_duration(whole - whole % HOUR_S)
    return f"{whole // DAY_S}d"


def took(seconds: float) -> str:
    """How long something took: `250ms`, `4s`, `2m10s`, `1h12m`."""
    if seconds >= HOUR_S:
        return format_duration(int(seconds) - int(seconds) % MINUTE_S)
    return format_duration(seconds if seconds < 1 else int(seconds))


def ago(at_us: int, now_us: int) -> str:
    """When something was."""
    seconds = (now_us - at_us) / SECOND_US
    return "now" if seconds < 1 else f"{span(seconds)} ago"


def until(at_us: int, now_us: int) -> str:
    """When something will be, or by how much it is late."""
    seconds = (at_us - now_us) / SECOND_US
    if seconds >= 1:
        return f"in {span(seconds)}"
    return "now" if seconds > -2 else f"{span(-seconds)} LATE"  # noqa: PLR2004 - one wake-up late is no news


def local(at_us: int, zone: tzinfo | None) -> datetime:
    """An instant on the calendar of `zone`; None is the system's own."""
    return to_datetime(at_us).astimezone(zone)


def moment(at_us: int, now_us: int, zone: tzinfo | None) -> str:
    """An instant, as brief as it stays clear: `14:45:30`, `Sun 03:00`, `1 Jul 04:00`, `2 Jan 2030`.

    `zone` None is the system's own.
    """
    at, today = local(at_us, zone), local(now_us, zone)
    away_s = abs(at_us - now_us) / SECOND_US
    if at.date() == today.date():
        return f"{at:%H:%M:%S}"
    if away_s < _WEEK_S:
        return f"{at:%a %H:%M}"
    return f"{at.day} {at:%b %H:%M}" if away_s < _YEAR_S else f"{at.day} {at:%b %Y}"


def clock_line(now_us: int, zone: tzinfo | None) -> str:
    """The clock of the header, with its zone."""
    now = local(now_us, zone)
    return f"{now:%a} {now.day} {now:%b %H:%M:%S %Z}"


def counted(count: int, noun: str) -> str:
    """`1 line`, `2 lines`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def run_tail(run_id: str) -> str:
    """Enough of a ULID to tell runs on a screen apart: its last six symbols."""
    return run_id[-6:]


def schedule(row: JobRow) -> str:
    """When a job is due, as its author wrote it."""
    return one_line(", ".join(row.job.schedule)) or "by hand"


def zone_name(row: JobRow) -> str:
    """The zone of a job's schedule without its continent."""
    return row.job.timezone.rpartition("/")[2] if row.job.schedule else "-"


def next_due(row: JobRow, now_us: int) -> str:
    """When a job fires next, or why it does not."""
    if row.paused:
        return "paused"
    if not row.job.enabled:
        return "off"
    if row.next_due_us is None:
        return "never" if row.job.schedule else "by hand"
    return until(row.next_due_us, now_us)


def last(row: JobRow, latest: Run | None, now_us: int) -> str:
    """How the last run of a job went, and when."""
    if latest is not None and latest.state not in TERMINAL:
        return state(latest)
    if latest is not None and latest.finished_us is not None:
        return f"{WORD[latest.state]} {ago(latest.finished_us, now_us)}"
    return WORD[row.last_state] if row.last_state is not None else "never ran"


def job_glyph(row: JobRow, latest: Run | None) -> tuple[str, str]:
    """Glyph and tone of a job: what needs to be known first."""
    if latest is not None and latest.state not in TERMINAL:
        return GLYPH[latest.state], tone(latest.state)
    if row.paused or not row.job.enabled:
        return PAUSED_GLYPH, "quiet"
    known = latest.state if latest is not None else row.last_state
    return (NEVER_GLYPH, "quiet") if known is None else (GLYPH[known], tone(known))


def state(run: Run) -> str:
    """The state of a run in words."""
    if run.state is RunState.FAILED and run.exit_code is not None:
        return f"failed, exit {run.exit_code}"
    if run.state is RunState.SKIPPED and run.reason:
        return f"skipped: {one_line(run.reason)}"
    if run.cancel_requested and run.state not in TERMINAL:
        return "being killed"
    return WORD[run.state]


def why(run: Run) -> str:
    """What made the run."""
    match run.trigger:
        case Trigger.SCHEDULE:
            return "by schedule"
        case Trigger.MANUAL:
            return f"by {one_line(run.requested_by)}" if run.requested_by else "by hand"
        case Trigger.CATCHUP:
            return "caught up"
        case Trigger.AFTER:
            return "after another job"
        case Trigger.RETRY:
            return f"repeated by {one_line(run.requested_by)}"


def run_time(run: Run, now_us: int) -> str:
    """How long a run took, or has been going."""
    if run.started_us is None:
        return "-"
    end_us = run.finished_us if run.finished_us is not None else now_us
    return took(max(end_us - run.started_us, 0) / SECOND_US)


def began_us(run: Run) -> int:
    """The instant that a list of runs shows: the start, else when it was due or asked for."""
    return run.started_us or run.due_us or run.created_us


def listed(noun: str, names: Sequence[str]) -> str:
    """One or several things by name: `etl-orders`, `a and b`, `12 jobs: a, b, c, …`."""
    if len(names) <= 2:  # noqa: PLR2004 - a pair reads as words
        return " and ".join(one_line(name) for name in names)
    shown = ", ".join(one_line(name) for name in names[:_LISTED_MAX])
    more = ", …" if len(names) > _LISTED_MAX else ""
    return f"{len(names)} {noun}s: {shown}{more}"
