"""The line above the keys, while nobody was told anything."""

from __future__ import annotations

from .actions.action import Situation
from .actions.table import Table
from .actions.telling import first_command
from .connection import trouble
from .plain import fit
from .scene import Scene
from .widgets.columns import Cell


def advice(actions: Table, scene: Scene, at: Situation, width: int) -> Cell:
    """What is wrong with the link; else the command that does what the first key does."""
    wrong = trouble(scene.connection)
    if wrong:
        return Cell(" " + fit(wrong, width - 1), "warn")
    key, command = first_command(actions, at)
    return Cell(fit(f" {key}, same as: {command}", width), "quiet") if key else Cell("")
