"""The output of a run: follows its end, or stays where the reader is, whatever arrives.

Only the rows in sight are made and drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Final

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tocsin.tui.log_line import Kind, LogLine
from tocsin.tui.log_lines import LogLines
from tocsin.tui.log_search import needle
from tocsin.tui.log_sight import Sight, Want
from tocsin.tui.log_view import Mode, Row
from tocsin.tui.plain import fit

_TONE: Final = {Kind.OUT: "out", Kind.ERR: "err", Kind.NOTE: "note"}
_HEAD_CELLS: Final = 4
"""Mark, stream and the space around, without the time."""
_WRAP_CELLS_MIN: Final = 8
_SIDE_STEP: Final = 8
_WHEEL_ROWS: Final = 3
_TORN: Final = "…"
_CUT_LEFT: Final = "‹"  # noqa: RUF001 - meant
_CUT_RIGHT: Final = "›"  # noqa: RUF001 - meant


class LogPane(Widget, can_focus=True):
    """Draws `LogLines`; where the reader is, is `sight`."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "log--out",
        "log--err",
        "log--note",
        "log--time",
        "log--match",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "step(-1)", "up", show=False),
        Binding("down,j", "step(1)", "down", show=False),
        Binding("pageup,b", "page(-1)", "page up", show=False),
        Binding("pagedown,space", "page(1)", "page down", show=False),
        Binding("ctrl+u", "page(-0.5)", "half a page up", show=False),
        Binding("ctrl+d", "page(0.5)", "half a page down", show=False),
        Binding("home,g", "top", "first line", show=False),
        Binding("end,G", "end", "last line, and follow", show=False),
        Binding("left,h", "side(-1)", "left", show=False),
        Binding("right", "side(1)", "right", show=False),
    ]

    class Moved(Message):
        """What the line above the log says may have changed."""

    class Wanted(Message):
        """More output is needed to show what was asked for."""

        def __init__(self, want: Want) -> None:
            super().__init__()
            self.want = want

    class Missed(Message):
        """What is looked for is nowhere."""

    class Sought(Message):
        """The next match in this direction is not loaded, if there is one."""

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    def __init__(self, time_of: Callable[[int], str], *, id: str) -> None:  # noqa: A002 - as in Widget
        super().__init__(id=id)
        self.sight = Sight(LogLines())
        self.empty = ""
        """What stands where there are no lines; `show` draws it."""
        self.wrap = False
        """Whether lines that are too long go on in the next row."""
        self.side = 0
        """So many cells are out of sight at the left."""
        self._time_of = time_of

    def show(self, lines: LogLines, total_bytes: int = 0) -> None:
        """Show what there is now; called after each change of `lines`."""
        if lines is not self.sight.lines:
            self.sight.look_at(lines)
        self.sight.view.total_bytes = total_bytes
        self.sight.lay()
        self._drawn()

    def set_follow(self, follow: bool) -> None:  # noqa: FBT001 - the state itself
        """Follow the end, or stay here."""
        if follow and not self.sight.lines.at_end:
            self.post_message(self.Wanted(Want.END))
        elif follow:
            self.sight.follow = True
        else:
            self.sight.hold()
        self.sight.lay()
        self._drawn()

    def toggle_mark(self) -> None:
        """Mark the line that is pointed at, or no more."""
        self.sight.toggle_mark()
        self.redraw()

    def set_mode(self, mode: Mode) -> None:
        """Show other lines."""
        self.sight.show_only(mode)
        self._drawn()

    def set_wrap(self, wrap: bool) -> None:  # noqa: FBT001 - the state itself
        """Let long lines go on in the next row, or out of sight."""
        self.wrap, self.side = wrap, 0
        self.on_resize()

    def redraw(self) -> None:
        """Draw anew what is there."""
        self.sight.lay()
        self._drawn()

    def find(self, typed: str) -> None:
        """Mark the lines that hold it, and go to the first from the top of the pane on."""
        self.sight.look_for(typed)
        if self.sight.view.needle:
            self.go_to_match(1)
        else:
            self.redraw()

    def go_to_match(self, step: int) -> None:
        """Go to the next match, or with -1 to the previous; send `Sought` where it is not here."""
        lines, found = self.sight.lines, self.sight.match(step)
        if found is None and not (lines.at_start and lines.at_end):
            self.post_message(self.Sought(step))
        elif found is None:
            self.go_round(step)
        else:
            self.go_to(found)

    def go_round(self, step: int) -> None:
        """Go to the first match of all, or with -1 to the last."""
        found = self.sight.view.found
        if found:
            self.go_to(found[0] if step > 0 else found[-1])
        else:
            self.post_message(self.Missed())
            self.redraw()

    def go_to(self, number: int) -> None:
        """Point at a line, and have in sight what is looked for in it."""
        sought = self.sight.view.needle
        text = self.sight.lines.line(number).text
        begin, end = next(iter(needle(sought).spans(text) if sought else ()), (0, 0))
        if not self.wrap:
            self._move_aside(cell_len(text[:begin]), cell_len(text[:end]))
        self.sight.to(number, self.sight.view.part_of(text, begin))
        self._drawn()

    def _move_aside(self, begin: int, end: int) -> None:
        """Move sideways as far as shows these cells of a line, or not at all."""
        width = self._text_cells - len(_CUT_RIGHT)
        if end <= width:
            self.side = 0
        elif not self.side <= begin <= end <= self.side + width:
            self.side = max(begin - width // 2, 0)

    def go_to_first(self) -> None:
        """Go to the first line that is loaded."""
        self.sight.to_first()
        self._drawn()

    # Drawing.

    def render_line(self, y: int) -> Strip:
        """One line of the widget, see `Widget`."""
        width, rows = self.size.width, self.sight.rows
        if y >= len(rows):
            text = f" {self.empty}" if y == 0 and not rows else ""
            return Strip([Segment(fit(text, width), self._style("note"))], width)
        row = rows[y]
        if row.number is None:
            return Strip([Segment(fit(f"   {row.text}", width), self._style("note"))], width)
        line = self.sight.lines.line(row.number)
        head = self._head(line, row)
        strip = Strip(self._text(line, row))
        room, cells = max(width - cell_len(head), 0), strip.cell_length
        strip = strip.crop_extend(self.side, self.side + room, self.rich_style)
        if cells > self.side + room:
            cut = Strip([Segment(_CUT_RIGHT, self._style("note"))])
            strip = Strip.join([strip.crop(0, room - 1), cut])
        return Strip.join([Strip([Segment(head, self._style("time"))]), strip])

    def _head(self, line: LogLine, row: Row) -> str:
        time = self._time_of(line.at_us)
        time = f"{time} " if time else ""
        if row.part:
            return " " * (cell_len(time) + _HEAD_CELLS)
        mark = "*" if line.key in self.sight.marks else " "
        if row.number == self.sight.cursor and not self.sight.follow:
            mark = ">"
        before = _CUT_LEFT if self.side and line.data else " "
        return f"{mark}{time}{line.kind.value} {_TORN if line.torn else before}"

    def _text(self, line: LogLine, row: Row) -> list[Segment]:
        """The text of a row, with what was searched for standing out."""
        style = self.rich_style + self._style(_TONE[line.kind])
        text, sought = row.text, self.sight.view.needle
        if not sought:
            return [Segment(text, style)]
        match = self._style("match")
        segments, at = [], 0
        for begin, end in needle(sought).spans(text):
            segments += [Segment(text[at:begin], style), Segment(text[begin:end], match)]
            at = end
        return [*segments, Segment(text[at:], style)]

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"log--{name}")

    def _drawn(self) -> None:
        """Draw it, and ask for what the next move would show."""
        for want in self.sight.wants():
            self.post_message(self.Wanted(want))
        self.refresh()
        self.post_message(self.Moved())

    def on_resize(self) -> None:
        """Wrap anew, and stay where the reader is."""
        self.sight.height = self.size.height
        self.sight.view.width = max(self._text_cells, _WRAP_CELLS_MIN) if self.wrap else 0
        self.sight.lay_around(self.sight.cursor)
        self._drawn()

    @property
    def _text_cells(self) -> int:
        """How wide the text of a line can be."""
        return self.size.width - len(f"{self._time_of(0)} ".lstrip()) - _HEAD_CELLS

    # Moving.

    def action_step(self, lines: int) -> None:
        """Point at another line."""
        self.sight.step(lines)
        self._drawn()

    def action_page(self, pages: float) -> None:
        """Move by pages."""
        self.sight.scroll(int(pages * max(self.size.height - 1, 1)))
        self._drawn()

    def action_top(self) -> None:
        """Go to the first line of all."""
        if self.sight.lines.at_start:
            self.go_to_first()
        else:
            self.post_message(self.Wanted(Want.START))

    def action_end(self) -> None:
        """Go to the last line, and follow."""
        self.set_follow(True)

    def action_side(self, steps: int) -> None:
        """Move sideways."""
        if not self.wrap:
            self.side = max(self.side + steps * _SIDE_STEP, 0)
            self.refresh()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Move up by some rows."""
        event.stop()
        self.sight.scroll(-_WHEEL_ROWS)
        self._drawn()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Move down by some rows."""
        event.stop()
        self.sight.scroll(_WHEEL_ROWS)
        self._drawn()
