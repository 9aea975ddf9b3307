"""All that a screen is drawn from, as one value; and the lines that every screen has."""

from __future__ import annotations

from datetime import tzinfo
from typing import Final

import msgspec
from rich.cells import cell_len

from tocsin.model import Pause

from .actions.action import Situation
from .actions.going import TABS
from .connection import Connection, badge
from .pause_times import of_jobs
from .plain import fit, spread
from .sightings import Sighting
from .state import Counts, View
from .widgets.columns import Cell
from .words import clock_line, local, moment


class Scene(msgspec.Struct, frozen=True):
    """What is known, and when that is looked at."""

    name: str
    """Of the context: which coordinator this is."""
    view: View
    connection: Connection
    now_us: int
    zone: tzinfo | None
    """Where times are told; None is the system's own."""
    read_only: bool = False
    """Nothing may be changed in this context."""
    careful: bool = False
    """Whatever changes something in this context asks first, and has its name typed."""
    sightings: tuple[Sighting, ...] = ()
    """What was seen to happen since the start."""

    @property
    def pauses(self) -> tuple[Pause, ...]:
        """The maintenance that jobs are in or that is ahead of them."""
        status = self.connection.status
        return () if status is None else of_jobs(status.pauses)

    def admit(self, at: Situation) -> Situation:
        """A situation, with what decides which actions are possible at all."""
        status = self.connection.status
        return msgspec.structs.replace(
            at,
            offline=self.connection.blocks(),
            role=None if status is None else status.role,
            read_only=self.read_only,
        )


def header(scene: Scene, found: Counts, width: int) -> list[Cell]:
    """The first line: context, state of the link, fleet, clock; what is left out comes last."""
    link = badge(scene.connection, scene.now_us)
    head = [Cell(f" {scene.name} "), Cell(f"{link.glyph} {link.text}", link.tone)]
    if scene.read_only:
        head.append(Cell("  READ-ONLY"))
    fleet = ""
    if scene.view.whole:
        fleet = f"  agents {found.agents_up}/{found.agents}  {found.running} running"
        fleet += f"  {found.queued} queued" if found.queued else ""
    clocks = clock_line(scene.now_us, scene.zone), f"{local(scene.now_us, scene.zone):%H:%M:%S %Z}"
    used = sum(len(cell.text) for cell in head)
    for clock in clocks:
        room = width - used - len(clock) - 1
        if room >= len(fleet):
            break
    return [*head, Cell(fit(fleet, max(room, 0))), Cell(f"{clock} ")]


TABS_CELLS: Final = 4 + sum(len(f" {key} {name} ") for _, key, name, _ in TABS)
"""What the second line needs beside where one is."""


def tabs(current: str, crumb: str, width: int) -> list[Cell]:
    """The second line: where one can go by a digit, and at the right where one is."""
    texts = [f"[{key} {name}]" if place == current else f" {key} {name} "
             for place, key, name, _ in TABS]  # fmt: skip
    left = " " + "".join(texts)
    room = max(width - len(left) - 3, 0)
    if cell_len(crumb) > room:
        crumb = f"…{crumb[len(crumb) - room + 1 :]}" if room > 1 else ""
    return [Cell(spread(left, f"{crumb} " if crumb else "", width))]


def nothing_yet(scene: Scene, otherwise: str) -> str:
    """What an empty table says: why it is empty."""
    if scene.view.whole:
        return otherwise
    return scene.connection.blocks() or "the coordinator is being asked"


def known_from(scene: Scene, from_us: int) -> str:
    """What is to be said of runs from an instant on, where not all of them are known."""
    since_us = scene.view.since_us
    if not scene.view.whole or since_us is None or since_us <= from_us:
        return ""
    return f", known from {moment(since_us, scene.now_us, scene.zone)}"
