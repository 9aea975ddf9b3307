"""The output of a run: follows its end, or stays where the reader is, whatever arrives.

Only the lines in sight are drawn. The reader's place is the number of a line, so lines that are
forgotten above it do not move what is on the screen until it is their turn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Final

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tocsin.tui.log_lines import Kind, LogLine, LogLines
from tocsin.tui.plain import fit

_TONE: Final = {Kind.OUT: "out", Kind.ERR: "err", Kind.NOTE: "note"}
_MARK_WIDTH: Final = 18  # " 13:49:11.204 o  "
_SIDE_STEP: Final = 8


class LogPane(ScrollView, can_focus=True):
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

    def __init__(self, time_of: Callable[[int], str], *, id: str) -> None:  # noqa: A002 - as in Widget
        super().__init__(id=id)
        self.follow = True
        self.needle = ""
        self.found: list[int] = []
        """The numbers of the lines that match."""
        self.at_match = -1
        """The number of the match that was gone to."""
        self.empty = ""
        """What stands where there are no lines; `show` draws it."""
        self._time_of = time_of
        self._output = LogLines()
        self._first = 0
        self._width = 0
        self._seen_end = 0

    @property
    def unseen(self) -> int:
        """How many lines arrived since following was let go."""
        return 0 if self.follow else self._output.end - self._seen_end

    def show(self, output: LogLines) -> None:
        """Show what there is now; called after each change of `output`."""
        known = max(self._output.end - 1, output.first) if output is self._output else output.first
        self._output = output
        new = (output.line(number) for number in range(min(known, output.end), output.end))
        self._width = max(self._width, max((cell_len(line.text) for line in new), default=0))
        forgotten, self._first = output.first - self._first, output.first
        self.virtual_size = Size(self._width + _MARK_WIDTH, output.end - output.first)
        if self.needle:
            self.found = output.matches(self.needle)
        if self.follow:
            self._to_end()
        elif forgotten:
            self.scroll_to(y=max(self.scroll_offset.y - forgotten, 0), animate=False, force=True)
        self.refresh()

    def set_follow(self, follow: bool) -> None:  # noqa: FBT001 - the state itself
        """Follow the end, or stay here."""
        self.follow = follow
        self._seen_end = self._output.end
        if follow:
            self._to_end()
        self.post_message(self.Moved())

    def find(self, needle: str) -> None:
        """Mark the lines that hold `needle`, and go to the first behind the top of the pane."""
        self.needle = needle
        self.found = self._output.matches(needle)
        self.at_match = self._output.first + self.scroll_offset.y - 1
        self.refresh()
        self.go_to_match(1)

    def go_to_match(self, step: int) -> None:
        """Go to the next match, or with -1 to the previous; beyond the last comes the first."""
        if not self.found:
            self.post_message(self.Moved())
            return
        if step > 0:
            later = [number for number in self.found if number > self.at_match]
            self.at_match = later[0] if later else self.found[0]
        else:
            earlier = [number for number in self.found if number < self.at_match]
            self.at_match = earlier[-1] if earlier else self.found[-1]
        self.set_follow(False)
        middle = self.at_match - self._output.first - self.size.height // 2
        self.scroll_to(y=max(middle, 0), animate=False, force=True)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line of the widget, see `ScrollView`."""
        width, row = self.size.width, self.scroll_offset.y + y
        number = self._output.first + row
        if number >= self._output.end:
            text = f" {self.empty}" if y == 0 and not self._output.end else ""
            return Strip([Segment(fit(text, width), self._style("note"))], width)
        line = self._output.line(number)
        mark = ">" if number == self.at_match and self.needle else " "
        head = f"{mark}{self._time_of(line.at_us)} {line.kind.value}  "
        strip = Strip(self._text(line)).crop_extend(
            self.scroll_offset.x, self.scroll_offset.x + width - cell_len(head), self.rich_style
        )
        return Strip.join([Strip([Segment(head, self._style("time"))]), strip])

    def action_step(self, lines: int) -> None:
        """Move by lines."""
        self._move(lines)

    def action_page(self, pages: float) -> None:
        """Move by pages."""
        self._move(int(pages * max(self.size.height - 1, 1)))

    def action_top(self) -> None:
        """Go to the first line."""
        self._move(-self._output.end)

    def action_end(self) -> None:
        """Go to the last line, and follow."""
        self.set_follow(True)

    def action_side(self, steps: int) -> None:
        """Move sideways."""
        self.scroll_to(x=self.scroll_offset.x + steps * _SIDE_STEP, animate=False)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Let go of the end when something else than new lines moved the pane."""
        super().watch_scroll_y(old_value, new_value)
        if self.follow and round(new_value) < self.max_scroll_y:
            self.set_follow(False)

    def on_resize(self) -> None:
        """Stay at the end."""
        if self.follow:
            self._to_end()

    def _move(self, lines: int) -> None:
        if lines < 0 and self.follow:
            self.set_follow(False)
        self.scroll_to(y=self.scroll_offset.y + lines, animate=False, force=True)

    def _to_end(self) -> None:
        self.scroll_to(y=self.max_scroll_y, animate=False, force=True)

    def _text(self, line: LogLine) -> list[Segment]:
        """The text of a line, with what was searched for standing out."""
        style = self.rich_style + self._style(_TONE[line.kind])
        text, needle = line.text, self.needle
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
