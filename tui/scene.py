"""All that a screen is drawn from, as one value; and the lines that every screen has."""

from __future__ import annotations

from datetime import tzinfo

import msgspec

from .connection import Connection, badge
from .plain import fit
from .state import View, count
from .widgets.columns import Cell
from .words import clock_line, local


class Scene(msgspec.Struct, frozen=True):
    """What is known, and when that is looked at."""

    name: str
    """Of the context: which coordinator this is."""
    view: View
    connection: Connection
    now_us: int
    zone: tzinfo | None
    """Where times are told; None is the system's own."""


def header(scene: Scene, width: int) -> list[Cell]:
    """The first line: context, state of the link, fleet, clock; what is left out comes last."""
    link = badge(scene.connection, scene.now_us)
    found = count(scene.view)
    head = [Cell(f" {scene.name} "), Cell(f"{link.glyph} {link.text}", link.tone)]
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


def nothing_yet(scene: Scene, otherwise: str) -> str:
    """What an empty table says: why it is empty."""
    if scene.view.whole:
        return otherwise
    return scene.connection.blocks() or "the coordinator is being asked"
