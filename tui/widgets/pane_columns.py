"""Titled lists in two columns; on a narrow screen in one, and one alone when it is zoomed.

Where not all have room, those farthest from the one that has the keys are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec
from textual.app import ComposeResult
from textual.containers import Container, Vertical

from tocsin.tui.pane_layout import heights
from tocsin.tui.plain import rule

from .columns import GUTTER, Cell, LineOf
from .one_line import OneLine
from .pick_list import PickList

TWO_COLUMNS_FROM: Final = 100
_LEFT_SHARE: Final = 0.49


class Pane(msgspec.Struct, frozen=True):
    """What a pane shows."""

    title: str
    keys: str
    """What can be done there; shown while it has the keys."""
    lines: Sequence[LineOf]
    empty: str


class PaneColumns(Container):
    """The panes of these names."""

    def __init__(self, left: Sequence[str], right: Sequence[str], *, id: str) -> None:  # noqa: A002 - as in Widget
        super().__init__(id=id)
        self.names: Final = (*left, *right)
        self.zoomed = ""
        """The pane that has all the room; empty: none."""
        self._sides = (left, right)

    def compose(self) -> ComposeResult:
        """A title above each list."""
        for side, names in enumerate(self._sides):
            with Vertical(id=f"side-{side}"):
                for name in names:
                    yield OneLine(id=f"{name}-title")
                    yield PickList(id=name)

    @property
    def here(self) -> str:
        """The pane that has the keys; empty when none of them does."""
        focused = self.screen.focused
        return focused.id or "" if focused is not None and focused.id in self.names else ""

    @property
    def cursor_key(self) -> str:
        """What the cursor of the pane that has the keys is on; empty when there is none."""
        return self._list(self.here).cursor_key if self.here else ""

    def text_width(self, name: str) -> int:
        """How many cells a line of a pane has."""
        return self._width(name) - GUTTER

    def show(self, panes: Mapping[str, Pane], room: int) -> None:
        """Show these in `room` lines."""
        found = self._heights({name: len(pane.lines) for name, pane in panes.items()}, room)
        two = self._two
        self.set_class(two, "two")
        for side, names in enumerate(self._sides):
            column = self.query_one(f"#side-{side}")
            column.display = any(found[name] for name in names)
            column.styles.height = sum(found[name] for name in names)
            column.styles.width = self._width(names[0]) + (two and side)
        for name, pane in panes.items():
            self._show_pane(name, pane, found[name])

    def give_keys(self, name: str) -> None:
        """Let a pane have the keys; only what is in sight can, so it comes into sight."""
        for side, names in enumerate(self._sides):
            if name in names:
                self.query_one(f"#side-{side}").display = True
        self._title(name).display = self._list(name).display = True
        self._list(name).focus()

    def _show_pane(self, name: str, pane: Pane, height: int) -> None:
        title, lines = self._title(name), self._list(name)
        title.display = lines.display = height > 1
        if height > 1:
            lines.styles.height = height - 1
            lines.show(pane.lines, empty=pane.empty)
            here = self.here == name
            text = f"[{pane.title}]" if here else pane.title
            line = rule(text, pane.keys if here else "", self._width(name))
            title.say(Cell(line, "strong" if here else "quiet"))

    def _heights(self, lines: Mapping[str, int], room: int) -> dict[str, int]:
        """The lines of each pane, its title counted; 0 where it is not in sight."""
        found = dict.fromkeys(self.names, 0)
        if self.zoomed:
            return {**found, self.zoomed: room}
        columns: Iterable[Sequence[str]] = self._sides if self._two else (self.names,)
        for names in columns:
            keep = names.index(self.here) if self.here in names else 0
            wants = [max(lines[name], 1) + 1 for name in names]
            found |= dict(zip(names, heights(wants, room, keep), strict=True))
        return found

    @property
    def _two(self) -> bool:
        return self.screen.size.width >= TWO_COLUMNS_FROM and not self.zoomed

    def _width(self, name: str) -> int:
        """Of a pane; the line between the columns belongs to neither."""
        width = self.screen.size.width
        if not self._two:
            return width
        left = int(width * _LEFT_SHARE)
        return left if name in self._sides[0] else width - left - 1

    def _list(self, name: str) -> PickList:
        return self.query_one(f"#{name}", PickList)

    def _title(self, name: str) -> OneLine:
        return self.query_one(f"#{name}-title", OneLine)
