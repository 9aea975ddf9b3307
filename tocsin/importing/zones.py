"""Whether a zone ever changes its clock, which decides if a rule for that must be written."""

from __future__ import annotations

from tocsin.errors import ScheduleError
from tocsin.schedule.zones import constant_offset, load_zone


def clock_changes(zone: str) -> bool:
    """Whether the zone has ever had two offsets; False for an unknown one."""
    try:
        return constant_offset(load_zone(zone)) is None
    except ScheduleError:
        return False  # it is said when the whole job is checked
