"""A week of hours as a grid of figures and shades, with a cursor on one of them."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tocsin.tui.heat import LABEL_CELLS, SHADES, HeatMap, day_label, hours_head
from tocsin.tui.load import DAYS, HOURS, Hour


class HeatGrid(Widget, can_focus=True):
    """Seven days of 24 hours, below a line of hours."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "heat--head",
        "heat--cursor",
        "heat--missing",
        *(f"heat--{shade}" for shade in range(SHADES)),
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1, 0)", "day before", show=False),
        Binding("down,j", "move(1, 0)", "day after", show=False),
        Binding("left,h", "move(0, -1)", "hour before", show=False),
        Binding("right,l", "move(0, 1)", "hour after", show=False),
        Binding("home,g", "edge(0)", "first hour", show=False),
        Binding("end,G", "edge(23)", "last hour", show=False),
    ]
    LINES: Final = DAYS + 1

    class Moved(Message):
        """The cursor is on another hour."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - as in Widget
        super().__init__(id=id)
        self._heat: HeatMap | None = None
        self._today = date.min
        self.day = 0
        self.hour = 0

    @property
    def cursor(self) -> Hour | None:
        """The hour under the cursor; None before there is a map."""
        return None if self._heat is None else self._heat.hours[self.day][self.hour]

    @property
    def fires(self) -> int:
        """All fires of the week."""
        days = () if self._heat is None else self._heat.hours
        return sum(hour.fires for day in days for hour in day)

    def show(self, heat: HeatMap, today: date) -> None:
        """Show this week."""
        if heat != self._heat or today != self._today:
            self._heat, self._today = heat, today
            self.refresh()

    def go_to(self, day: int, hour: int) -> None:
        """Put the cursor on an hour; it stops at the edges."""
        place = max(min(day, DAYS - 1), 0), max(min(hour, HOURS - 1), 0)
        if place != (self.day, self.hour):
            before = self.day
            self.day, self.hour = place
            for y in {before, self.day}:
                self.refresh(Region(0, y + 1, self.size.width, 1))
            self.post_message(self.Moved())

    def action_move(self, days: int, hours: int) -> None:
        """Move the cursor; beyond midnight it goes to the next day."""
        day, hour = divmod(self.day * HOURS + self.hour + hours, HOURS) if hours else (
            self.day, self.hour
        )  # fmt: skip
        if 0 <= day + days < DAYS:
            self.go_to(day + days, hour)

    def action_edge(self, hour: int) -> None:
        """Move the cursor to the first hour of its day, or the last."""
        self.go_to(self.day, hour)

    def render_line(self, y: int) -> Strip:
        """One line of the widget."""
        width, heat = self.size.width, self._heat
        if heat is None or y > DAYS:
            return Strip([Segment(" " * width, self.rich_style)], width)
        if y == 0:
            return Strip([Segment(hours_head(heat, width), self._style("head"))], width)
        day = y - 1
        label = day_label(heat.hours[day][0].day, self._today)
        assert len(label) == LABEL_CELLS
        segments = [Segment(label, self.rich_style)]
        for hour, mark in enumerate(heat.marks[day]):
            style = self._style("missing" if mark.shade < 0 else str(mark.shade))
            under = (day, hour) == (self.day, self.hour)
            if under and self.has_focus:
                style += self._style("cursor")
            text = f">{mark.text}" if under else mark.text
            segments.append(Segment(f"{text:>{heat.cell}}", style))
        segments.append(Segment(heat.sums[day], self._style("head")))
        return Strip(segments).adjust_cell_length(width, self.rich_style).crop(0, width)

    def on_focus(self) -> None:
        """Show where the keys go."""
        self.refresh()

    def on_blur(self) -> None:
        """Show that they do not go here."""
        self.refresh()

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"heat--{name}")
