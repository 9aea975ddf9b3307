"""The output of a run: follows its end, or stays where the reader is, whatever arrives.

Only the rows in sight are made and drawn. The reader's place is the number of a line, so nothing
that comes or goes above it moves what is on the screen.
"""

from __future__ import annotations

import enum
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

from tocsin.tui.log_line import Key, Kind, LogLine
from tocsin.tui.log_lines import LogLines
from tocsin.tui.log_view import LogView, Mode, Place, Row
from tocsin.tui.plain import fit

_TONE: Final = {Kind.OUT: "out", Kind.ERR: "err", Kind.NOTE: "note"}
_SIDE_STEP: Final = 8
_WHEEL_LINES: Final = 3
_CUT: Final = "…"


class Want(enum.Enum):
    """What the pane needs that is not loaded."""

    EARLIER = "earlier"
    LATER = "later"
    START = "start"
    END = "end"


class LogPane(Widget, can_focus=True):
    """Draws `LogLines`. Its `follow` is let go by any move up."""

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

    class Sought(Message):
        """The next match in this direction is not loaded, if there is one."""

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    def __init__(self, time_of: Callable[[int], str], *, id: str) -> None:  # noqa: A002 - as in Widget
        super().__init__(id=id)
        self.follow = True
        self.empty = ""
        """What stands where there are no lines; `show` draws it."""
        self.marks: set[Key] = set()
        """The lines that are bookmarked."""
        self.cursor = 0
        """The number of the line that is pointed at."""
        self.side = 0
        """So many cells are out of sight at the left."""
        self._time_of = time_of
        self._view = LogView(LogLines())
        self._top = Place(0)
        self._rows: list[tuple[Place, Row]] = []
        self._wrap = False
        self._seen = 0

    # What there is.

    @property
    def lines(self) -> LogLines:
        """What is drawn."""
        return self._view.lines

    @property
    def mode(self) -> Mode:
        """What is shown of it."""
        return self._view.mode

    @property
    def wrap(self) -> bool:
        """Whether lines that are too long go on in the next row."""
        return self._wrap

    @property
    def needle(self) -> str:
        """What is looked for."""
        return self._view.needle

    @property
    def found(self) -> list[int]:
        """The numbers of the lines that match, of those that are loaded."""
        return self._view.found

    @property
    def unseen(self) -> int:
        """How many lines arrived since following was let go."""
        return 0 if self.follow else self.lines.arrived_lines - self._seen

    @property
    def current(self) -> LogLine | None:
        """The line that is pointed at."""
        inside = self.lines.first <= self.cursor < self.lines.end
        return self.lines.line(self.cursor) if inside else None

    def show(self, lines: LogLines, total_bytes: int = 0) -> None:
        """Show what there is now; called after each change of `lines`."""
        if lines is not self.lines:
            view = LogView(lines)
            view.mode, view.needle = self._view.mode, self._view.needle
            self._view = view
        self._view.total_bytes = total_bytes
        self._lay()

    def set_follow(self, follow: bool) -> None:  # noqa: FBT001 - the state itself
        """Follow the end, or stay here."""
        if follow and not self.lines.at_end:
            self.post_message(self.Wanted(Want.END))
            return
        self.follow = follow
        self._seen = self.lines.arrived_lines
        self._lay()

    def set_mode(self, mode: Mode) -> None:
        """Show other lines; the cursor stays on its line, or goes to the nearest that is shown."""
        self._view.mode = mode
        self._lay_around(self.cursor)

    def set_wrap(self, wrap: bool) -> None:  # noqa: FBT001 - the state itself
        """Let long lines go on in the next row, or out of sight."""
        self._wrap, self.side = wrap, 0
        self._lay_around(self.cursor)

    def redraw(self) -> None:
        """Draw anew what has stayed the same but looks otherwise."""
        self._lay()

    # Finding.

    def find(self, needle: str) -> None:
        """Mark the lines that hold `needle`, and go to the first from the top of the pane on."""
        self._view.needle = needle
        self._view.update()
        if needle:
            self.cursor = self._top.number - 1
            self.go_to_match(1)
        else:
            self._lay()

    def go_to_match(self, step: int) -> None:
        """Go to the next match, or with -1 to the previous; send `Sought` where it is not here."""
        if step > 0:
            found = next((number for number in self.found if number > self.cursor), None)
        else:
            found = next((number for number in reversed(self.found) if number < self.cursor), None)
        if found is None and not (self.lines.at_start and self.lines.at_end):
            self.post_message(self.Sought(step))
        else:
            self.go_round(step, found)

    def go_round(self, step: int, found: int | None = None) -> None:
        """Go to a match; without one to the first of all, or from there to the last."""
        if found is None and self.found:
            found = self.found[0] if step > 0 else self.found[-1]
        if found is None:
            self._lay()
        else:
            self.go_to(found)

    def go_to(self, number: int) -> None:
        """Point at a line, in the middle of the pane when it is out of sight."""
        self.cursor = number
        if self.follow:
            self.follow, self._seen = False, self.lines.arrived_lines
        self._view.update()
        if number not in {row.number for _, row in self._rows}:
            self._lay_around(number)
        else:
            self._lay()

    def toggle_mark(self) -> None:
        """Bookmark the line that is pointed at, or not any more."""
        if self.current is not None:
            self.marks ^= {self.current.key}
            self._lay()

    # Drawing.

    def render_line(self, y: int) -> Strip:
        """One line of the widget, see `Widget`."""
        width = self.size.width
        if y >= len(self._rows):
            text = f" {self.empty}" if y == 0 and not self._rows else ""
            return Strip([Segment(fit(text, width), self._style("note"))], width)
        row = self._rows[y][1]
        if row.number is None:
            return Strip([Segment(fit(f"   {row.text}", width), self._style("note"))], width)
        line = self.lines.line(row.number)
        head = self._head(line, row)
        strip = Strip(self._text(line, row))
        strip = strip.crop_extend(self.side, self.side + width - cell_len(head), self.rich_style)
        return Strip.join([Strip([Segment(head, self._style("time"))]), strip])

    def _head(self, line: LogLine, row: Row) -> str:
        time = self._time_of(line.at_us)
        time = f"{time} " if time else ""
        if row.part:
            return " " * (cell_len(time) + 4)
        mark = "*" if line.key in self.marks else " "
        mark = ">" if row.number == self.cursor and not self.follow else mark
        return f"{mark}{time}{line.kind.value} {_CUT if line.torn else ' '}"

    def _text(self, line: LogLine, row: Row) -> list[Segment]:
        """The text of a row, with what was searched for standing out."""
        style = self.rich_style + self._style(_TONE[line.kind])
        text, needle = row.text, self.needle
        if not needle:
            return [Segment(text, style)]
        hay = text if needle != needle.lower() else text.lower()
        match = self._style("match")
        segments, at = [], 0
        while len(hay) == len(text) and (found := hay.find(needle, at)) >= 0:
            segments += [
                Segment(text[at:found], style),
                Segment(text[found : found + len(needle)], match),
            ]
            at = found + len(needle)
        return [*segments, Segment(text[at:], style)]

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"log--{name}")

    # Laying out.

    def on_resize(self) -> None:
        """Wrap anew, and stay where the reader is."""
        self._lay_around(self.cursor)

    def _lay_around(self, number: int) -> None:
        """Lay out with a line in the middle, unless the end is followed."""
        self._view.width = self._wrap_width()
        self._view.update()
        if not self.follow:
            self.cursor = self._view.near(number) if self._view.count else number
            place = self._view.place_of(self.cursor)
            self._top = self._view.back(place, self.size.height // 2)
        self._lay()

    def _lay(self) -> None:
        """Find the rows in sight; ask for more where they are near the end of what is loaded."""
        view, height = self._view, self.size.height
        view.width = self._wrap_width()
        view.update()
        if self.follow:
            self._top = view.last(height)
            self.cursor = view.step(self.lines.end, -1) if view.count else self.lines.end
        else:
            self._top = view.on(self._top, 0, height)
        self._rows = view.rows(self._top, height) if self.lines.end > self.lines.first else []
        self.lines.pinned = None if self.follow else self._pin()
        self._want()
        self.refresh()
        self.post_message(self.Moved())

    def _pin(self) -> int:
        return self._top.number if self._view.count else self.lines.first

    def _want(self) -> None:
        """Ask for what the next move would show."""
        lines, view, height = self.lines, self._view, self.size.height
        if lines.end == lines.first or not height:
            return
        near_start = view.back(self._top, height) == view.first
        if near_start and not lines.at_start and (not self.follow or lines.roomy):
            self.post_message(self.Wanted(Want.EARLIER))
        if not lines.at_end and len(view.rows(self._top, 2 * height)) < 2 * height:
            self.post_message(self.Wanted(Want.LATER))

    def _wrap_width(self) -> int:
        if not self._wrap:
            return 0
        time = self._time_of(0)
        return max(self.size.width - cell_len(time) - 4 - bool(time), 8)

    # Moving.

    def action_step(self, lines: int) -> None:
        """Point at another line."""
        if self.follow and lines > 0:
            return
        self._let_go()
        self.cursor = self._view.step(self.cursor, lines)
        self._keep_in_sight()
        self._lay()

    def action_page(self, pages: float) -> None:
        """Move by pages; behind the last one the end is followed again."""
        if self.follow and pages > 0:
            return
        self._let_go()
        self._scroll(int(pages * max(self.size.height - 1, 1)))

    def action_top(self) -> None:
        """Go to the first line of all."""
        if not self.lines.at_start:
            self.post_message(self.Wanted(Want.START))
            return
        self.go_to_first()

    def go_to_first(self) -> None:
        """Go to the first line that is loaded."""
        self._let_go()
        self._view.update()
        self._top = Place(self.lines.first)
        self.cursor = self._view.near(self.lines.first)
        self._lay()

    def action_end(self) -> None:
        """Go to the last line, and follow."""
        self.set_follow(True)

    def action_side(self, steps: int) -> None:
        """Move sideways."""
        if not self._wrap:
            self.side = max(self.side + steps * _SIDE_STEP, 0)
            self.refresh()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Move up by some lines."""
        event.stop()
        self._let_go()
        self._scroll(-_WHEEL_LINES)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Move down by some lines."""
        event.stop()
        if not self.follow:
            self._scroll(_WHEEL_LINES)

    def _let_go(self) -> None:
        if self.follow:
            self.follow, self._seen = False, self.lines.arrived_lines

    def _scroll(self, rows: int) -> None:
        """Move the screen over the rows, and the cursor with it."""
        view, height = self._view, self.size.height
        before = self._top
        self._top = view.back(before, -rows) if rows < 0 else view.on(before, rows, height)
        if self._top == before:
            ends = range(self.lines.first, self.lines.end)
            self.cursor = view.near(ends[0] if rows < 0 else ends[-1]) if ends else self.cursor
        else:
            steps = len({row.number for _, row in self._rows if row.number is not None})
            self.cursor = view.step(
                self.cursor, -min(steps, -rows) if rows < 0 else min(steps, rows)
            )
        in_sight = [row.number for _, row in view.rows(self._top, height) if row.number is not None]
        if in_sight:
            self.cursor = min(max(self.cursor, in_sight[0]), in_sight[-1])
        self._lay()

    def _keep_in_sight(self) -> None:
        """Move the screen as little as shows the whole line that is pointed at."""
        view, height = self._view, self.size.height
        in_sight = [place for place, row in self._rows if row.number is not None]
        if not in_sight:
            return
        place = view.place_of(self.cursor)
        if place < in_sight[0]:
            self._top = place if self.cursor > self.lines.first else Place(self.cursor)
        elif place.number > in_sight[-1].number or place not in in_sight:
            behind = [p for p, row in view.rows(place, height) if row.number == self.cursor]
            self._top = view.back(behind[-1], height - 1)
