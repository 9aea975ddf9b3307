"""A line of coloured texts that is drawn again only when it says something else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from textual.content import Content
from textual.widgets import Static

from .columns import Cell

_STYLE: Final = {
    "good": "$success",
    "bad": "$error bold",
    "warn": "$warning",
    "busy": "$accent bold",
    "quiet": "$text-muted",
    "strong": "bold",
}


class OneLine(Static):
    """One line, cut where it does not fit."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - as in Widget
        super().__init__(id=id, markup=False)
        self._cells: Sequence[Cell] = ()

    def say(self, *cells: Cell) -> None:
        """Show these texts, one behind the other."""
        if cells == self._cells:
            return
        self._cells = cells
        parts = [(cell.text, _STYLE.get(cell.tone, "")) for cell in cells]
        self.update(Content.assemble(*parts), layout=False)
