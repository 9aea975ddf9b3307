"""What a version of a job changed, line by line of its job file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from tocsin.model import JobVersion
from tocsin.tui.plain import fit
from tocsin.tui.versions import change_line, diff
from tocsin.tui.widgets.columns import Cell, LineOf
from tocsin.tui.widgets.one_line import OneLine
from tocsin.tui.widgets.pick_list import PickList

_KEYS = "up down move   [ older version   ] newer version   esc back"


class DiffScreen(ModalScreen[None]):
    """The versions that are known, newest first, one of them in sight."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,d", "dismiss", "close", show=False),
        Binding("left_square_bracket,left", "step(1)", "older", show=False),
        Binding("right_square_bracket,right", "step(-1)", "newer", show=False),
    ]

    def __init__(
        self, versions: Sequence[JobVersion], at: int, now_us: int, zone: tzinfo | None
    ) -> None:
        super().__init__()
        self._versions = versions
        self._at = at
        self._now_us = now_us
        self._zone = zone

    def compose(self) -> ComposeResult:
        """The version, its lines, the keys."""
        with Vertical(id="diff"):
            yield OneLine(id="diff-title")
            yield PickList(id="diff-lines")
            yield OneLine(id="diff-keys")

    def on_mount(self) -> None:
        """The keys go to the lines."""
        self.query_one(PickList).focus()
        self.call_after_refresh(self._show)

    def on_resize(self) -> None:
        """Lay the lines out anew."""
        self.call_after_refresh(self._show)

    def action_step(self, by: int) -> None:
        """Show an older version, or a newer one."""
        self._at = max(min(self._at + by, len(self._versions) - 1), 0)
        self._show()

    def _show(self) -> None:
        version = self._versions[self._at]
        before = self._versions[self._at + 1] if self._at + 1 < len(self._versions) else None
        pane = self.query_one(PickList)
        width = pane.text_width
        lines = diff(before.job if before is not None else None, version.job)
        known = before is not None or version.version == 1
        head = f"{version.name}  {change_line(version, before, self._now_us, self._zone)}"
        self.query_one("#diff-title", OneLine).say(Cell(fit(head, width), "strong"))
        self.query_one("#diff-keys", OneLine).say(Cell(fit(_KEYS, width), "quiet"))
        rows = [
            LineOf(str(number), (Cell(fit(line.text, width), line.tone),))
            for number, line in enumerate(lines)
        ]
        empty = "no line of the job file differs"
        pane.show(rows if known else (), empty=empty if known else "the version before is not kept")
