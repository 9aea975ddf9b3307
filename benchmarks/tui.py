"""The TUI on a terminal: what it writes and what it costs, beside top(1) and a bare Textual app."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from .harness import Size, scratch
from .report import Goal, Result, spread
from .terminal import Terminal
from .tui_scenes import LOG_LINES_S, LOG_S, MARKER, ROWS

SETTLE_S: Final = 3.0
TAKES_KEYS: Final = b"\x1b[?1004h"
_MADE: Final = re.compile(rb"made in ([0-9.]+) s, ([0-9.]+) s")


class First(NamedTuple):
    """How long it took, and the processor, without what making the content up took."""

    wall_ms: float
    cpu_ms: float
    keys_ms: float
    """Until the content is there and keys are read."""


class Steady(NamedTuple):
    """A while of what something does all the time."""

    bytes_s: float
    cpu_percent: float


def run(size: Size) -> Result:
    """All scenes, one after the other."""
    seconds, rounds = size.pick(2, 8, 20), size.pick(1, 5, 11)
    top = shutil.which("top")
    if top is None:
        raise FileNotFoundError("top is missing; it is in Debian's package procps")
    top_now = _steady([top, "-d1"], seconds)
    busy, idle = _steady(_scene("busy"), seconds), _steady(_scene("fleet"), seconds)
    bare, first = _firsts(rounds)
    first_cpu = first.cpu_ms / bare.cpu_ms
    row, log = _told("row"), _told("log")
    row_ms = spread(row["cpu_ms"])
    lost = LOG_LINES_S * LOG_S - log["lines"]
    return Result(
        {
            "busy_bytes_s": busy.bytes_s,
            "busy_cpu_percent": busy.cpu_percent,
            "idle_bytes_s": idle.bytes_s,
            "idle_cpu_percent": idle.cpu_percent,
            "first_ms": first.wall_ms,
            "first_cpu_ms": first.cpu_ms,
            "keys_ms": first.keys_ms,
            "row_cpu_ms": row_ms,
            "log_core": log["core"],
            "log_lines_s": log["lines_s"],
            "log_bytes_s": log["bytes_s"],
        },
        {
            "top_bytes_s": top_now.bytes_s,
            "top_cpu_percent": top_now.cpu_percent,
            "bare_first_ms": bare.wall_ms,
            "bare_first_cpu_ms": bare.cpu_ms,
            "bare_keys_ms": bare.keys_ms,
            "what": "top -d1 at the same size, and a Textual app with one text",
        },
        {"busy_bytes": busy.bytes_s / top_now.bytes_s, "first": first_cpu},
        [
            Goal("TUI, 40 cells a second: bytes/s over top -d1", busy.bytes_s / top_now.bytes_s, 1),
            Goal(f"TUI, {ROWS:,} runs: first content, CPU over bare Textual", first_cpu, 1.3),
            Goal(f"TUI, one row of {ROWS:,} changes, CPU ms", row_ms["p50"], 2),
            Goal("TUI, log of 10,000 lines/s: % of a core", log["core"] * 100, 25),
            Goal("TUI, log of 10,000 lines/s: lines lost", lost, 0),
            Goal("TUI, idle: CPU %", idle.cpu_percent, 0.5),
        ],
        "bytes a second, milliseconds, processor time",
    )


def _scene(name: str, *more: str) -> list[str]:
    return [sys.executable, "-m", f"{__package__}.tui_scenes", name, *more]


def _steady(argv: list[str], seconds: float) -> Steady:
    with Terminal(argv) as terminal:
        terminal.read_for(SETTLE_S)
        sent, cpu_s = terminal.bytes, terminal.cpu_s
        terminal.read_for(seconds)
        if terminal.process.poll() is not None:
            raise RuntimeError(f"{argv} ended: {terminal.output[-2000:]!r}")
        return Steady((terminal.bytes - sent) / seconds, (terminal.cpu_s - cpu_s) / seconds * 100)


def _firsts(rounds: int) -> tuple[First, First]:
    """The best of so many starts, of the bare app and of the whole program, in turns."""
    with scratch() as compiled:
        taken = [(_first("bare", compiled), _first("fleet", compiled)) for _ in range(rounds + 1)]
    bare, fleet = zip(*taken[1:], strict=True)  # the first ones compiled their modules
    return _best(bare), _best(fleet)


def _best(taken: Sequence[First]) -> First:
    return First(*(min(figures) for figures in zip(*taken, strict=True)))


def _first(name: str, compiled: Path) -> First:
    with Terminal(_scene(name), PYTHONPYCACHEPREFIX=str(compiled)) as terminal:
        wall_s = terminal.read_until(MARKER.encode())
        cpu_s = terminal.cpu_s
        made = _MADE.search(terminal.output)
        made_s, made_cpu_s = (float(made[1]), float(made[2])) if made else (0.0, 0.0)
        # What stands there already is not drawn again: this is the sign that keys are read.
        keys_s = terminal.read_until(TAKES_KEYS)
        return First((wall_s - made_s) * 1e3, (cpu_s - made_cpu_s) * 1e3, (keys_s - made_s) * 1e3)


def _told(name: str) -> dict[str, Any]:
    """What a scene tells of itself when it is over."""
    with scratch() as folder:
        told = folder / "told.json"
        with Terminal(_scene(name, str(told))) as terminal:
            terminal.read_all()
            found: dict[str, Any] = json.loads(Path(told).read_text())
            return {**found, "bytes_s": terminal.bytes / LOG_S}
