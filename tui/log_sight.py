"""Where the reader of a log is: which rows are in sight, which line is pointed at.

The end is followed, or the place stays: it is the number of a line, so nothing that comes or goes
above it moves what is on the screen.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator

from .log_line import Key, LogLine
from .log_lines import LogLines
from .log_seek import number_now
from .log_view import LogView, Mode, Place, Row


class Want(enum.Enum):
    """What is needed that is not loaded."""

    EARLIER = "earlier"
    LATER = "later"
    START = "start"
    END = "end"


class Sight:
    """Moves over the rows of a view, `height` of them at a time; `lay` after each change."""

    def __init__(self, lines: LogLines) -> None:
        self.view = LogView(lines)
        self.height = 0
        self.follow = True
        self.cursor = 0
        """The number of the line that is pointed at."""
        self.marks: set[Key] = set()
        """The lines that are bookmarked."""
        self.rows: list[Row] = []
        """What is in sight."""
        self._top = Place(0)
        self._laid = (Place(0), 0)
        """The top when it was laid out last, and the rows of words before its line."""
        self._places: list[Place] = []
        self._seen = 0

    @property
    def lines(self) -> LogLines:
        """What is looked at."""
        return self.view.lines

    @property
    def unseen(self) -> int:
        """How many lines arrived since following was let go."""
        return 0 if self.follow else self.lines.arrived_lines - self._seen

    @property
    def current(self) -> LogLine | None:
        """The line that is pointed at."""
        inside = self.lines.first <= self.cursor < self.lines.end
        return self.lines.line(self.cursor) if inside else None

    @property
    def top(self) -> int:
        """The number of the line at the top."""
        return self._top.number

    def look_at(self, lines: LogLines) -> None:
        """Look at other lines in the same mode."""
        view = LogView(lines)
        view.mode, view.needle, view.width = self.view.mode, self.view.needle, self.view.width
        self.view = view

    # Laying out.

    def lay(self) -> None:
        """Find the rows in sight."""
        view = self.view
        view.update()
        if self.follow:
            self._top = view.last(self.height)
            self.cursor = view.step(self.lines.end, -1) if view.count else self.lines.end
        else:
            self._top = view.on(self._same_top(), 0, self.height)
        found = view.rows(self._top, self.height) if self.lines.end > self.lines.first else []
        self._places, self.rows = [place for place, _ in found], [row for _, row in found]
        pin = self._top.number if view.count else self.lines.first
        self.lines.pinned = None if self.follow else pin
        self._laid = self._top, view.notes_before(self._top.number)

    def _same_top(self) -> Place:
        """The row at the top, where words came or went before its line since."""
        top, (laid, notes) = self._top, self._laid
        if top != laid or top.row < notes:
            return top
        return Place(top.number, top.row - notes + self.view.notes_before(top.number))

    def lay_around(self, number: int, part: int = 0) -> None:
        """Lay out with a row of a line in the middle, unless the end is followed."""
        self.view.update()
        if not self.follow:
            self.cursor = self.view.near(number) if self.view.count else number
            place = self.view.place_of(self.cursor)
            self._top = self.view.back(place._replace(row=place.row + part), self.height // 2)
        self.lay()

    def wants(self) -> Iterator[Want]:
        """What the next move would show, and is not loaded."""
        lines, view, height = self.lines, self.view, self.height
        if lines.end == lines.first or not height:
            return
        near_start = view.back(self._top, height) == view.first
        if near_start and not lines.at_start and (not self.follow or lines.roomy):
            yield Want.EARLIER
        if not lines.at_end and len(view.rows(self._top, 2 * height)) < 2 * height:
            yield Want.LATER

    def show_only(self, mode: Mode) -> None:
        """Show other lines; the cursor stays on its line, or goes to the nearest that is shown."""
        self.view.mode = mode
        self.lay_around(self.cursor)

    # Moving.

    def hold(self) -> None:
        """Stay here."""
        if self.follow:
            self.follow, self._seen = False, self.lines.arrived_lines

    def step(self, lines: int) -> None:
        """Point at another line, and move the screen as little as shows it."""
        if self.follow and lines > 0:
            return
        self.hold()
        self.cursor = self.view.step(self.cursor, lines)
        self._keep_in_sight()
        self.lay()

    def scroll(self, rows: int) -> None:
        """Move the screen over the rows, and the cursor with it."""
        if self.follow and rows > 0:
            return
        self.hold()
        view, before = self.view, self._top
        self._top = view.back(before, -rows) if rows < 0 else view.on(before, rows, self.height)
        if self._top == before:
            self.cursor = view.near(self.lines.first if rows < 0 else self.lines.end - 1)
        else:
            self.cursor = view.step(self.cursor, rows)
        self.lay()
        in_sight = [row.number for row in self.rows if row.number is not None]
        if in_sight:
            self.cursor = min(max(self.cursor, in_sight[0]), in_sight[-1])

    def to_first(self) -> None:
        """Go to the first line that is loaded."""
        self.hold()
        self.view.update()
        self._top, self.cursor = Place(self.lines.first), self.view.near(self.lines.first)
        self.lay()

    def to(self, number: int, part: int = 0) -> None:
        """Point at a line; where this row of it is out of sight, it goes to the middle."""
        self.cursor = number
        self.hold()
        if any((row.number, row.part) == (number, part) for row in self.rows):
            self.lay()
        else:
            self.lay_around(number, part)

    def _keep_in_sight(self) -> None:
        places = [
            p for p, row in zip(self._places, self.rows, strict=True) if row.number is not None
        ]
        place = self.view.place_of(self.cursor)
        if not places or place in places:
            return
        if place < places[0]:
            self._top = place if self.cursor > self.lines.first else Place(self.cursor)
        else:
            whole = self.view.rows(place, self.height)
            last = [p for p, row in whole if row.number == self.cursor][-1]
            self._top = self.view.back(last, self.height - 1)

    # Finding.

    def match(self, step: int) -> int | None:
        """The next line that matches, or with -1 the one before, of those that are loaded."""
        found = self.view.found
        if step > 0:
            return next((number for number in found if number > self.cursor), None)
        return next((number for number in reversed(found) if number < self.cursor), None)

    def look_for(self, typed: str) -> None:
        """Look for something from the top of the screen on."""
        self.view.needle = typed
        self.view.update()
        if typed:
            self.cursor = self.top - 1

    def match_ending_in(self, position: int, step: int, beyond: LogLine | None) -> int | None:
        """Of the lines that match, the first, or last, that can end in a piece.

        With `beyond` only one behind that line, or before it where `step` is -1.
        """
        found, lines = self.view.found, self.lines
        number = None if beyond is None else number_now(lines, beyond)
        if step > 0:
            behind = (n for n in found if lines.line(n).last >= position)
            return next((n for n in behind if number is None or n > number), None)
        before = (n for n in found if lines.line(n).position <= position)
        return max((n for n in before if number is None or n < number), default=None)

    # Bookmarks.

    def toggle_mark(self) -> None:
        """Bookmark the line that is pointed at, or not any more."""
        if self.current is not None:
            self.marks ^= {self.current.key}

    def next_mark(self) -> Key | None:
        """The next line that is bookmarked; behind the last the first of all."""
        order = sorted(self.marks, key=lambda key: key[1:])
        line = self.current
        here = line.key[1:] if line is not None else (0, 0)
        return next((key for key in order if key[1:] > here), order[0] if order else None)
