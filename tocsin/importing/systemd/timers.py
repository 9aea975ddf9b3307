"""When a timer elapses, as the schedules of a job."""

from __future__ import annotations

import math
from typing import Any, Final

from tocsin.importing.doubt import Doubts, Place, Weight
from tocsin.importing.draft import Options
from tocsin.importing.systemd.spans import span_seconds
from tocsin.importing.systemd.units import Setting, Unit
from tocsin.importing.zones import clock_changes

_TIMER: Final = "Timer"
_AGAIN: Final = ("OnUnitActiveSec", "OnUnitInactiveSec")
_FIRST: Final = ("OnActiveSec", "OnBootSec", "OnStartupSec")
_EVERY_S_MAX: Final = 3660 * 86_400
_JITTER_S_MAX: Final = 7 * 86_400
_WITHIN: Final = "366d"


def add_times(
    block: dict[str, Any], unit: Unit, place: Place, options: Options, doubts: Doubts
) -> None:
    """Put schedules, zone, jitter and what becomes of missed ones into a job."""
    calendars = [f"@calendar {one.value}" for one in unit.all(_TIMER, "OnCalendar")]
    schedules = calendars + _spans(unit, place, doubts)
    if schedules:
        block["schedule"] = schedules
    if calendars:
        _say_what_differs(block, unit, place, options, doubts)
    _delay(block, unit, place, doubts)
    if found := unit.last(_TIMER, "AccuracySec"):
        _note(found, place, doubts, "left out: jobs start when they are due, to the second")
    if unit.truth(_TIMER, "WakeSystem"):
        doubts.lost(place, "WakeSystem=yes", "left out: Tocsin wakes no sleeping host")
    for key in ("OnClockChange", "OnTimezoneChange"):
        if unit.truth(_TIMER, key):
            doubts.lost(place, f"{key}=yes", "left out: no schedule follows such an event")
    unit.all(_TIMER, "RemainAfterElapse")  # says only what systemd keeps in memory
    if not schedules:
        doubts.check(place, "no schedule", "it runs only when asked to", "when it is to run")


def _say_what_differs(
    block: dict[str, Any], unit: Unit, place: Place, options: Options, doubts: Doubts
) -> None:
    block["timezone"] = options.timezone
    doubts.once(
        Weight.CHECK,
        "timezone",
        "a calendar event without a zone of its own goes by its host's clock; taken for "
        f"{options.timezone}{options.timezone_from}",
        "--tz ZONE if the host has another",
    )
    if clock_changes(options.timezone) or any("/" in one.split()[-1] for one in block["schedule"]):
        block["dst"] = "skip"
        doubts.once(
            Weight.NOTE,
            "dst",
            "systemd leaves out a time of day that the clock leaps over; dst: skip keeps that. An "
            "hourly timer stays hourly here; systemd pauses it while the clock shows an hour again",
            "without that line a time of day that is leapt over is due at the end of the leap",
        )
    if unit.truth(_TIMER, "Persistent"):
        block["missed"] = {"policy": "latest", "within": _WITHIN}
        doubts.note(
            place,
            "Persistent=yes",
            "carried over as missed: latest, for what was due while the coordinator was away; when "
            "only the agent is away, the run waits for it",
        )
    else:
        block["missed"] = {"policy": "skip"}


def _spans(unit: Unit, place: Place, doubts: Doubts) -> list[str]:
    schedules = []
    for key in _AGAIN:
        for setting in unit.all(_TIMER, key):
            seconds = span_seconds(setting.value)
            if seconds is None or not 0 < seconds <= _EVERY_S_MAX:
                _lost(setting, place, doubts, "left out: this is no span of time")
                continue
            whole = max(1, round(seconds))
            schedules.append(f"@every {_spelled(whole)}")
            counted = "start" if key == "OnUnitActiveSec" else "end"
            doubts.check(
                setting.place.of(place.job),
                f"{key}={setting.value}",
                "due at each multiple of this interval since 1970; systemd counts from the "
                f"{counted} of the run before",
                "whether the time within the interval matters",
            )
    for key in _FIRST:
        for setting in unit.all(_TIMER, key):
            why = (
                "the interval alone decides" if schedules else "no schedule follows a boot or start"
            )
            _lost(setting, place, doubts, f"left out: {why}")
    return schedules


def _delay(block: dict[str, Any], unit: Unit, place: Place, doubts: Doubts) -> None:
    found = unit.last(_TIMER, "RandomizedDelaySec")
    fixed = unit.truth(_TIMER, "FixedRandomDelay")
    if found is None:
        if fixed:
            doubts.note(place, "FixedRandomDelay=yes", "left out: there is no delay")
        return
    seconds = span_seconds(found.value)
    if seconds is None or math.isinf(seconds):
        _lost(found, place, doubts, "left out: this is no span of time")
        return
    if not seconds:
        return
    block["jitter"] = min(seconds, _JITTER_S_MAX)
    if seconds > _JITTER_S_MAX:
        doubts.check(place, f"RandomizedDelaySec={found.value}", "cut to 7d")
    same = "as FixedRandomDelay=yes asks" if fixed else "while systemd draws it each time"
    _note(found, place, doubts, f"carried over as jitter: the same for each job and agent, {same}")


def _note(setting: Setting, place: Place, doubts: Doubts, done: str) -> None:
    doubts.note(setting.place.of(place.job), f"{setting.key}={setting.value}", done)


def _lost(setting: Setting, place: Place, doubts: Doubts, done: str) -> None:
    doubts.lost(setting.place.of(place.job), f"{setting.key}={setting.value}", done)


def _spelled(seconds: int) -> str:
    text, left = "", seconds
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, size)
        text += f"{count}{unit}" if count else ""
    return text
