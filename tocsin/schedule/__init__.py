"""When a job is due: cron, `@calendar`, `@every`, `@at` and `@manual`, in any time zone.

Pure: nothing here reads the clock. `parse` says everything that is wrong with a schedule;
`Schedule.next` and `Schedule.next_us` never fail.
"""

from __future__ import annotations

from tocsin.schedule.reading import parse, reload_zones
from tocsin.schedule.schedule import Schedule

__all__ = ["Schedule", "parse", "reload_zones"]
