"""Schedules that other schedulers take and that are never due; Tocsin refuses those."""

from __future__ import annotations

from tocsin.errors import ScheduleError
from tocsin.schedule import parse

_KEY = "any"


def why_never(schedule: str) -> str:
    """Why a well-formed schedule is never due, or refused; empty when it is fine."""
    try:
        parse(schedule, key=_KEY)
    except ScheduleError as error:
        return error.message
    return ""
