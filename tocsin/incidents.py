"""Incidents in words."""

from __future__ import annotations

from tocsin.instants import SECOND_US, to_datetime
from tocsin.model import Incident, IncidentKind
from tocsin.units import format_duration


def in_words(incident: Incident) -> str:
    """What befell the coordinator's time: `the coordinator was down 02:00:00-04:10:00 UTC`."""
    span = _span(incident.from_us, incident.until_us)
    detail = incident.detail
    match incident.kind:
        case IncidentKind.DOWN:
            return f"the coordinator was down {span}"
        case IncidentKind.SUSPEND:
            return f"the coordinator's machine slept {detail} within {span}"
        case IncidentKind.STALL:
            return f"the coordinator stood still {span}" + (f": {detail}" if detail else "")
        case IncidentKind.STEP:
            way = "forward" if incident.amount_us > 0 else "back"
            length = format_duration(abs(incident.amount_us) / SECOND_US)
            before_us = incident.from_us if incident.amount_us > 0 else incident.until_us
            return f"the coordinator's clock was set {way} by {length} at {_time(before_us)} UTC"
        case IncidentKind.RESTORE:
            return f"a backup was restored: what was done {span} is not known"
        case IncidentKind.ZONES:
            return f"the time zone data was replaced at {_time(incident.from_us)} UTC: {detail}"


def _span(from_us: int, until_us: int) -> str:
    """Two times of one day, or of two."""
    if to_datetime(from_us).date() == to_datetime(until_us).date():
        return f"{to_datetime(from_us):%H:%M:%S}-{to_datetime(until_us):%H:%M:%S} UTC"
    return f"{_time(from_us)} - {_time(until_us)} UTC"


def _time(instant_us: int) -> str:
    return f"{to_datetime(instant_us):%Y-%m-%d %H:%M:%S}"
