"""The week's map of hours as CSV, with all of its metrics, for whoever goes on reckoning."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from tocsin.instants import to_rfc3339

from .load import Hour, Metric

HEAD = ("day", "hour", "begins", "fires", "job_minutes", "slots_percent")


def heat_csv(grid: Sequence[Sequence[Hour]], slots: int) -> str:
    """A line for each hour that exists; `begins` is its first instant, in UTC.

    An hour that the clock shows twice is one line. Without `slots` nothing is said of their share.
    By the clocks of several zones an hour begins when the first of them comes to it.
    """
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(HEAD)
    for day in grid:
        for hour in day:
            if hour.quarters:
                minutes = round(hour.value(Metric.MINUTES, slots), 1)
                share = round(hour.value(Metric.SLOTS, slots), 1) if slots else ""
                begins = to_rfc3339(hour.from_us).replace(".000000Z", "Z")
                lines.writerow([hour.day, hour.hour, begins, hour.fires, minutes, share])
    return text.getvalue()
