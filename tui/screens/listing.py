"""A screen that is one long list: filter, sort, marks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

import msgspec
from rich.cells import cell_len
from textual.widget import Widget

from tocsin.tui.actions.action import Flag, Situation
from tocsin.tui.filtering import Filter, read
from tocsin.tui.plain import fit
from tocsin.tui.scene import TABS_CELLS, Scene
from tocsin.tui.widgets.columns import Cell, Column
from tocsin.tui.widgets.prompt import Question
from tocsin.tui.widgets.table import CellsOf, Table

from .frame import Frame


class Sort(msgspec.Struct, frozen=True):
    """An order of rows."""

    title: str
    """Of the column that it goes by."""
    key: Callable[[Any], Any]
    """Of a row; what compares."""
    falling: bool = False
    """The greatest is the first, unless it is turned round."""


class ListScreen(Frame):
    """A table with what narrows it. A subclass says which rows there are, and what is in them."""

    COLUMNS: ClassVar[Sequence[Column]]
    SORTS: ClassVar[Sequence[Sort]]
    """The first is the usual one."""
    NOUN: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self.filter_text = ""
        self.wanted = ""
        """The key of a row that the cursor goes to as soon as it is listed."""
        self.reverse = False
        self._sort = 0
        self._shown = 0
        self._all = 0
        self.doings = {
            **self.doings,
            "filter": lambda _: self._open_filter(),
            "unfilter": lambda _: self._unfilter(),
            "sort": lambda _: self._next_sort(),
            "reverse": lambda _: self._reverse(),
            "mark": lambda _: self._mark(self.table.toggle_mark),
            "mark_all": lambda _: self._mark(self.table.mark_all),
        }

    # What a subclass says.

    def keys(self, scene: Scene, terms: Filter) -> tuple[Sequence[str], int]:
        """The rows that meet the conditions, in order, and how many there are without them."""
        raise NotImplementedError

    def cells(self, scene: Scene) -> CellsOf:
        """What is in a row."""
        raise NotImplementedError

    def empty(self, scene: Scene) -> str:
        """What stands there when there are no rows at all."""
        raise NotImplementedError

    def below(self) -> Iterable[Widget]:
        """What is under the table."""
        return ()

    # The list.

    @property
    def table(self) -> Table:
        """The rows."""
        return self.query_one("#list", Table)

    @property
    def sort(self) -> Sort:
        """The order in force."""
        return self.SORTS[self._sort]

    @property
    def falling(self) -> bool:
        """Whether the greatest is the first now."""
        return self.reverse is not self.sort.falling

    def body(self) -> Iterable[Widget]:
        """The table, and what is under it."""
        yield Table(self.COLUMNS, id="list")
        yield from self.below()

    def on_mount(self) -> None:
        """The keys go to the table."""
        self._retitle()
        self.table.focus()

    def draw_body(self, scene: Scene) -> None:
        """The rows that meet the filter."""
        keys, every = self.keys(scene, read(self.filter_text))
        self._shown, self._all = len(keys), every
        nothing = f"nothing matches {self.filter_text!r}: esc lists all" if every else ""
        self.table.marked &= set(keys)
        self.table.show(keys, self.cells(scene), empty=nothing or self.empty(scene))
        if self.wanted and self.table.move_to_key(self.wanted):
            self.wanted = ""

    def crumb(self) -> str:
        """How much is listed."""
        marked = f", {len(self.table.marked)} marked" if self.table.marked else ""
        if not self.filter_text:
            return f"{self.NOUN} {self._all}{marked}"
        count = f"  {self._shown} of {self._all}{marked}"
        text = f"/{self.filter_text}"
        return (
            fit(text, min(cell_len(text), max(self.size.width - TABS_CELLS - len(count), 2)))
            + count
        )

    def set_filter(self, text: str) -> None:
        """List only what matches."""
        self.filter_text = text.strip()
        self.draw()

    def flags(self) -> frozenset[Flag]:
        """What decides which keys have a meaning here."""
        return frozenset(
            flag
            for flag, is_on in (
                (Flag.FILTERED, self.filter_text),
                (Flag.MARKED, self.table.marked),
            )
            if is_on
        )

    def on_table_moved(self, message: Table.Moved) -> None:
        """Other keys may be valid for this row, and other things are known of it."""
        message.stop()
        self.draw()

    def look(self, scene: Scene) -> Situation:
        """What is marked, or else the row under the cursor."""
        raise NotImplementedError

    def _open_filter(self) -> None:
        self.prompt(Question("/", self.set_filter, value=self.filter_text, change=self.set_filter))

    def _unfilter(self) -> None:
        if self.table.marked:
            self.table.marked = set()
            self.draw()
        else:
            self.set_filter("")

    def _mark(self, mark: Callable[[], None]) -> None:
        mark()
        self.draw()

    def _next_sort(self) -> None:
        self._sort = (self._sort + 1) % len(self.SORTS)
        self.reverse = False
        self._retitle()
        self.draw()

    def _reverse(self) -> None:
        self.reverse = not self.reverse
        self._retitle()
        self.draw()

    def _retitle(self) -> None:
        """Show by which column the rows are sorted."""
        arrow = "v" if self.falling else "^"
        self.table.retitle(
            [
                msgspec.structs.replace(column, title=f"{column.title} {arrow}")
                if column.title == self.sort.title
                else column
                for column in self.COLUMNS
            ]
        )


def quiet(text: str) -> Cell:
    """A line that keeps itself in the background."""
    return Cell(text, "quiet")
