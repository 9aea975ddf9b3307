"""Requests for pauses, of single jobs and of many: checked, and turned into events."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tocsin.errors import RequestError
from tocsin.instants import SECOND_US, Now
from tocsin.messages.client_answers import PausesPage
from tocsin.messages.client_link import EndPause, PauseJobs, StartPause
from tocsin.model import JobRow, Pause
from tocsin.pausing import is_over, scope_fault

from .gateway import ClientAsked
from .machine.events import JobsPaused, PausesEnded, PausesStarted

PAUSES_MAX: Final = 1_000
"""So many pauses are in force at a time: each due time is held against all of them."""
TEXT_MAX: Final = 1_000
"""The most characters of a reason, a name or a glob."""


def pause_jobs(asked: ClientAsked, ask: PauseJobs, rows: list[JobRow], now: Now) -> JobsPaused:
    """Some jobs are to be paused.

    Raises:
        RequestError: the pause would end before it begins.
    """
    _check_text(ask.reason)
    until_us = _until(ask, now)
    return JobsPaused(
        asked.asker, asked.by, rows, paused=True, reason=ask.reason, until_us=until_us
    )


def start_pauses(
    asked: ClientAsked, ask: StartPause, held: Iterable[Pause], now: Now
) -> PausesStarted:
    """Maintenance is to begin.

    Raises:
        RequestError: it would end before it begins, it is of nothing, or there is too much of it.
    """
    until_us = _until(ask, now)
    for text in (ask.reason, *(scope.value for scope in ask.scopes)):
        _check_text(text)
    for scope in ask.scopes:
        fault = scope_fault(scope.scope, scope.value)
        if fault:
            raise RequestError(fault)
    if not ask.scopes:
        raise RequestError("nothing is named that is to be paused")
    if sum(not is_over(pause, now.wall_us) for pause in held) + len(ask.scopes) > PAUSES_MAX:
        raise RequestError(
            f"there are {PAUSES_MAX} pauses already", "end some: tocsin maintenance end ID"
        )
    pauses = [
        Pause(
            id="",
            scope=scope.scope,
            value=scope.value,
            reason=ask.reason,
            since_us=now.wall_us,
            until_us=until_us,
        )
        for scope in ask.scopes
    ]
    return PausesStarted(asked.asker, asked.by, pauses)


def end_pauses(asked: ClientAsked, ask: EndPause, held: Iterable[Pause], now: Now) -> PausesEnded:
    """Maintenance is to end.

    Raises:
        RequestError: one of the pauses is not in force.
    """
    in_force = {pause.id for pause in held if not is_over(pause, now.wall_us)}
    missing = [pause_id for pause_id in ask.ids if pause_id not in in_force]
    if missing:
        raise RequestError(
            f"there is no pause {', '.join(missing[:5])} in force", "see: tocsin maintenance list"
        )
    return PausesEnded(asked.asker, asked.by, list(dict.fromkeys(ask.ids)))


def page_of(held: Iterable[Pause], now: Now) -> PausesPage:
    """The pauses that are in force."""
    return PausesPage([pause for pause in held if not is_over(pause, now.wall_us)])


def _until(ask: PauseJobs | StartPause, now: Now) -> int | None:
    until_us = ask.until_us
    if ask.for_s is not None:
        if until_us is not None:
            raise RequestError("a pause has a length or an end, not both")
        until_us = now.wall_us + round(ask.for_s * SECOND_US)
    if until_us is not None and until_us <= now.wall_us:
        raise RequestError("the pause would end before it begins", "give a later end")
    return until_us


def _check_text(text: str) -> None:
    if len(text) > TEXT_MAX:
        raise RequestError(f"a text has {len(text)} characters, at most {TEXT_MAX} may be")
