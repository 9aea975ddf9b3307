"""The panes of the overview beside the timeline, as lines: attention, next fires, hour, fleet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo
from heapq import nsmallest
from typing import Final

import msgspec

from tocsin.model import Agent, AgentState, JobRow, Pause

from .attention import Item
from .durations import Hour, bars
from .pause_times import passes, pause_times
from .plain import fit, one_line, rule
from .widgets.columns import Cell
from .words import moment, took, until

FIRES_MAX: Final = 100
ITEMS_MAX: Final = 500
_NAME_MAX: Final = 24
_NAME_MIN: Final = 11
_NAME_SHARE: Final = 4
_AT_CELLS: Final = 13
_WITH_SECONDS: Final = len("hh:mm:ss")
_SLOT_BAR: Final = 10
_APART: Final = 3
_VERSIONS_SHOWN: Final = 3
_LOW: Final = 28
"""A screen with fewer lines has no legend."""
_BOTTOM_FROM: Final = 18
"""A lower screen has neither the last hour nor the fleet, so that there are rows of jobs."""
_MIDDLE_SHARE: Final = 5
_MIDDLE_MIN: Final = 4
_LEFT_SHARE: Final = 3
_RIGHT_SHARE: Final = 2
TIMELINE_KEYS: Final = "- + zoom, ← → move, 0 now"
FIRES_TITLE: Final = "Next fires"
HOUR_TITLE: Final = "Last 60 min"
NO_JOBS: Final = "no jobs yet: n makes one, tocsin apply FILE brings some"
NO_ATTENTION: Final = "nothing: no failures, no late fires, all agents are there"
NO_FIRE: Final = "no job is due"
_STATES: Final = (
    (AgentState.UP, "●", "up", "good"),
    (AgentState.DRAINING, "◐", "draining", "warn"),
    (AgentState.CORDONED, "‖", "cordoned", "warn"),
    (AgentState.DOWN, "✗", "down", "bad"),
    (AgentState.PENDING, "?", "to accept", "warn"),
)


def middle_height(height: int) -> int:
    """Of a screen so high: the lines of what needs attention and of the next fires."""
    return max(height // _MIDDLE_SHARE, _MIDDLE_MIN)


def left_width(width: int) -> int:
    """Of a screen so wide: the columns of the left one of two panes side by side."""
    return width * _LEFT_SHARE // (_LEFT_SHARE + _RIGHT_SHARE)


def has_legend(height: int) -> bool:
    """Whether a screen so high has a line for the legend of the timeline."""
    return height >= _LOW


def has_bottom(height: int) -> bool:
    """Whether a screen so high has room for the last hour and the fleet."""
    return height >= _BOTTOM_FROM


def pane_title(text: str, keys: str, width: int, *, here: bool) -> Cell:
    """The line above a pane; where the keys go to it, in brackets and with what they do."""
    line = rule(f"[{text}]" if here else text, keys if here else "", width)
    return Cell(line, "strong" if here else "quiet")


class NextFire(msgspec.Struct, frozen=True):
    """The jobs that are due next at one instant."""

    at_us: int
    names: tuple[str, ...]
    skipped: bool = False
    """They fall into maintenance: there will be no runs."""


def next_fires(jobs: Iterable[JobRow], pauses: Sequence[Pause] = ()) -> list[NextFire]:
    """What is due next, the soonest first; jobs of one instant together."""
    waiting = (
        (row.next_due_us, bool(pauses) and _is_skipped(row, pauses), row.job.name)
        for row in jobs
        if row.next_due_us is not None and not row.paused and row.job.enabled
    )
    found: dict[tuple[int, bool], list[str]] = {}
    for at_us, skipped, name in nsmallest(FIRES_MAX, waiting):
        found.setdefault((at_us, skipped), []).append(name)
    return [NextFire(at_us, tuple(names), skip) for (at_us, skip), names in found.items()]


def _is_skipped(row: JobRow, pauses: Sequence[Pause]) -> bool:
    due_us = row.next_due_us
    return due_us is not None and passes(due_us, pause_times(row, pauses))


def fire_cells(fire: NextFire, now_us: int, zone: tzinfo | None, width: int) -> tuple[Cell, ...]:
    """One line of the next fires."""
    at = moment(fire.at_us, now_us, zone)
    if len(at) == _WITH_SECONDS:
        at = at.removesuffix(":00")
    away = until(fire.at_us, now_us)
    one = fire.names[0] if len(fire.names) == 1 else f"{len(fire.names)} jobs: {fire.names[0]}, …"
    room = max(width - _AT_CELLS - len(away) - 1, 0)
    tone = "bad" if away.endswith("LATE") else "quiet"
    if fire.skipped:
        return (
            Cell(fit(at, _AT_CELLS)),
            Cell(fit(f"‖ {one}", room), "warn"),
            Cell(f" {away}", tone),
        )
    return (Cell(fit(at, _AT_CELLS)), Cell(fit(one, room)), Cell(f" {away}", tone))


def item_cells(item: Item, width: int) -> tuple[Cell, ...]:
    """One line of what needs attention; the next step only where there is room."""
    name_cells = max(min(width // _NAME_SHARE, _NAME_MAX), _NAME_MIN)
    room = max(width - name_cells - 3, 0)
    text = item.text
    if item.next and len(text) + len(item.next) + 3 <= room:
        text = f"{text} · {item.next}"
    return (
        Cell(f"{item.glyph} ", item.tone),
        Cell(fit(one_line(item.name), name_cells), "strong"),
        Cell(" "),
        Cell(fit(text, room)),
    )


def hour_lines(hour: Hour, width: int) -> list[tuple[Cell, ...]]:
    """The last sixty minutes in three lines."""
    counts = [
        Cell(f"runs {hour.runs}"),
        Cell(f"ok {hour.ok}"),
        Cell(f"failed {hour.failed}", "bad" if hour.failed else ""),
        Cell(f"lost {hour.lost}", "bad" if hour.lost else ""),
        Cell(f"skipped {hour.skipped}"),
    ]
    delays = hour.delays
    if delays is None:
        late = " start delay: nothing started by schedule"
    else:
        figures = [_seconds(s) for s in (delays.p50_s, delays.p95_s, delays.max_s)]
        late = " start delay p50 {} p95 {} max {}".format(*figures)
        worst = f" ({one_line(delays.worst)})" if delays.max_s >= 1 else ""
        late += worst if len(late) + len(worst) <= width else ""
    strip = (
        Cell(" per 5 min  ok "), Cell(bars(hour.oks), "good"),
        Cell("  fails "), Cell(bars(hour.fails), "bad"),
    )  # fmt: skip
    return [_apart(counts, width), (Cell(fit(late, width)),), strip]


def _apart(words: Sequence[Cell], width: int) -> tuple[Cell, ...]:
    """Words in a line, as far apart as there is room for, and cut where there is none."""
    used = 1 + sum(len(word.text) for word in words)
    gap = " " * max(min((width - used - 1) // max(len(words) - 1, 1), _APART), 1)
    cells: list[Cell] = []
    left = width - 1
    for number, word in enumerate(words, 1):
        text = f"{gap if cells else ' '}{word.text}"
        if len(text) + (number < len(words)) > left:
            return (*cells, Cell(fit(f"{text}…", left), word.tone))
        cells.append(Cell(text, word.tone))
        left -= len(text)
    return tuple(cells)


def fleet_lines(
    agents: Mapping[str, Agent], used: int, width: int
) -> tuple[str, list[tuple[Cell, ...]]]:
    """The title, and the fleet in three lines; `used` are the slots that runs have."""
    known = [agent for agent in agents.values() if agent.state is not AgentState.REVOKED]
    states = Counter(agent.state for agent in known)
    here = [a for a in known if a.state not in {AgentState.DOWN, AgentState.PENDING}]
    slots = sum(agent.slots for agent in here)
    filled = -(-used * _SLOT_BAR // slots) if slots else 0
    bar = "█" * min(filled, _SLOT_BAR) + "·" * max(_SLOT_BAR - filled, 0)
    counts = [
        Cell(f"{glyph} {states[state]} {word}", tone)
        for state, glyph, word, tone in _STATES
        if states[state]
    ]
    versions = Counter(agent.version for agent in known if agent.version)
    told = [f"{version} x{n}" for version, n in versions.most_common(_VERSIONS_SHOWN)]
    more = len(versions) - len(told)
    text = "  ".join(told) + (f"  {more} more" if more else "")
    lines: list[tuple[Cell, ...]] = [
        (Cell(f" slots {used} of {slots} used  "), Cell(bar, "busy")),
        _apart(counts, width),
        (Cell(f" versions {text}" if text else "", "quiet"),),
    ]
    total = len(known) - states[AgentState.PENDING]
    return f"Fleet {states[AgentState.UP]} of {total} up", lines


def attention_title(items: Sequence[Item]) -> str:
    """How much needs attention."""
    return f"Needs attention {len(items)}" if items else "Needs attention"


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f}s" if seconds < 10 else took(seconds)  # noqa: PLR2004 - tenths matter there
