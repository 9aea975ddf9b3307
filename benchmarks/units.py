"""What a shell run costs that is a transient unit of systemd, beside a bare start of one."""

from __future__ import annotations

import json
import statistics
from typing import Final

from tests.lab.machine import Machine
from tests.lab.root import why_not

from .harness import Size
from .report import Goal, Result
from .units_inside import TOGETHER

SUITE: Final = "bookworm"
INSIDE_S: Final = 600.0


def run(size: Size) -> Result:
    """Rounds of ours and of the bare start, by turns, in a machine that is booted for it."""
    if why := why_not():
        return Result({}, {}, {}, [], f"left out: {why}")
    count, rounds = size.pick(32, 320, 1_000), size.pick(1, 3, 5)
    machine = Machine(SUITE)
    try:
        command = f"cd /src && python3 -m benchmarks.units_inside {count} {rounds}"
        found = json.loads(machine.run("sh", "-c", command, deadline_s=INSIDE_S).stdout)
    finally:
        machine.close()
    ours_s = statistics.median(it["ours_s"] for it in found)
    lone_ms = statistics.median(it["lone_ms"] for it in found)
    return Result(
        {"runs_s": ours_s, "run_ms": 1e3 / ours_s, "lone_ms": lone_ms},
        {
            "starts_s": statistics.median(it["bare_s"] for it in found),
            "what": "StartTransientUnit of the same program over one kept connection",
        },
        {"runs": statistics.median(it["ours_s"] / it["bare_s"] for it in found)},
        [
            Goal(f"unit runs/s, {TOGETHER} at a time", ours_s, 100, more_is_better=True),
            Goal(f"ms a unit run, {TOGETHER} at a time", 1e3 / ours_s, 12),
        ],
        f"runs of a unit to their confirmed end, {TOGETHER} at a time, and one at a time",
    )
