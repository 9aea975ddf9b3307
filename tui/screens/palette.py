"""Everything by its name: type some letters of it, enter does it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Input

from tocsin.tui.finding import FINDING_COLUMNS, Finding, finding_cells
from tocsin.tui.fuzzy import best
from tocsin.tui.plain import fit
from tocsin.tui.widgets.columns import Cell
from tocsin.tui.widgets.one_line import OneLine
from tocsin.tui.widgets.table import Table

FOUND_MAX: Final = 200
_TITLE: Final = " Find an action, job, agent, context or theme: some letters of its name will do"
_KEYS: Final = " enter does it  up, down choose  esc closes"


class PaletteScreen(ModalScreen[str]):
    """Ends with the line behind `:` that does what was chosen, or with nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+p", "leave", "close", show=False, priority=True),
        Binding("up", "move(-1)", "up", show=False, priority=True),
        Binding("down", "move(1)", "down", show=False, priority=True),
        Binding("pageup", "page(-1)", "page up", show=False, priority=True),
        Binding("pagedown", "page(1)", "page down", show=False, priority=True),
        Binding("tab,shift+tab", "ignore", show=False, priority=True),
    ]

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__()
        self._findings = findings
        self._texts = [finding.text for finding in findings]

    def compose(self) -> ComposeResult:
        """What to do, a line to type in, and what is found."""
        yield OneLine(id="palette-title")
        yield Input(id="palette-line", compact=True)
        yield Table(FINDING_COLUMNS, id="palette-list")
        yield OneLine(id="palette-keys")

    def on_mount(self) -> None:
        """Show all, and take what is typed."""
        line = self.query_one(Input)
        line.cursor_blink = False
        line.focus()
        self._find("")

    def on_resize(self) -> None:
        """Lay the lines out anew."""
        self.query_one("#palette-title", OneLine).say(Cell(fit(_TITLE, self.size.width), "strong"))

    def on_input_changed(self, message: Input.Changed) -> None:
        """Find what it may stand for."""
        message.stop()
        self._find(message.value)

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Do what the cursor is on."""
        message.stop()
        key = self.query_one(Table).cursor_key
        if key:
            self.dismiss(self._findings[int(key)].line)

    def action_leave(self) -> None:
        """Do nothing."""
        self.dismiss("")

    def action_move(self, rows: int) -> None:
        """Choose another."""
        self.query_one(Table).action_move(rows)

    def action_page(self, pages: int) -> None:
        """Choose another, a page away."""
        self.query_one(Table).action_page(pages)

    def action_ignore(self) -> None:
        """There is nowhere else to go."""

    def _find(self, typed: str) -> None:
        found = best(typed, self._texts, FOUND_MAX)
        table = self.query_one(Table)
        table.show(
            [str(place) for place in found],
            lambda key: finding_cells(self._findings[int(key)]),
            empty="nothing is called so",
        )
        table.move_to(0)
        count = f"{len(found)}{'+' if len(found) == FOUND_MAX else ''} found"
        self.query_one("#palette-keys", OneLine).say(Cell(f"{_KEYS}   {count}", "quiet"))
