"""What the terminal shows, cell by cell, and the least text that makes it show something else.

A cell holds a character and the codes it is drawn with. A character two cells wide stands in the
first of them, and the second is empty. `UNKNOWN` equals nothing that is ever drawn: it stands where
nothing was drawn yet, and where terminals disagree about widths (joined emoji, marks that combine).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from rich.cells import get_character_cell_size
from rich.color import ColorSystem
from rich.style import Style
from textual.strip import Strip

_GAP: Final = 6
"""So many cells in between cost less to draw again than to jump over."""
_STYLES_MAX: Final = 4_096
_MARK: Final = "\0"
_WIDE: Final = 2


class Codes(NamedTuple):
    """What is sent before and behind a text to draw it in a style."""

    before: str = ""
    behind: str = ""


Cell = tuple[str, Codes]
UNKNOWN: Final[Cell] = ("", Codes("?"))
_PLAIN: Final = Codes()


class Shown:
    """The cells of one terminal, as far as they are known."""

    def __init__(self, colours: ColorSystem) -> None:
        self._colours = colours
        self._codes: dict[Style, Codes] = {}
        self._rows: dict[int, list[Cell]] = defaultdict(list)
        self._pieces: dict[int, dict[int, Strip]] = defaultdict(dict)

    def forget(self) -> None:
        """Know nothing: whatever is drawn next is sent whole."""
        self._rows.clear()
        self._pieces.clear()

    def draw(self, x: int, y: int, strip: Strip) -> str:
        """What makes the terminal show `strip` at (x, y); empty when it does already."""
        pieces = self._pieces[y]
        if pieces.get(x) == strip:
            return ""
        end = x + strip.cell_length
        if end == x:
            return ""
        new = list(self._cells(strip))
        for at in [at for at, piece in pieces.items() if at < end and at + piece.cell_length > x]:
            del pieces[at]
        pieces[x] = strip
        row = self._rows[y]
        row += [UNKNOWN] * (end - len(row))
        old = row[x:end]
        if old == new:
            return ""
        _tear(row, x, end)
        if len(new) != end - x or _is_doubtful(strip):
            row[x:end] = [UNKNOWN] * (end - x)
            return _drawn(x, y, new, (0, len(new)))
        row[x:end] = new
        return "".join(_drawn(x, y, new, span) for span in changes(old, new))

    def _cells(self, strip: Strip) -> Iterator[Cell]:
        """One for each cell of the strip, where its width is not in doubt."""
        for text, style, _ in strip:
            codes = _PLAIN if style is None else self._codes_of(style)
            if text.isascii():
                for char in text:
                    yield char, codes
                continue
            for char in text:
                yield char, codes
                if get_character_cell_size(char) == _WIDE:
                    yield "", codes

    def _codes_of(self, style: Style) -> Codes:
        codes = self._codes.get(style)
        if codes is None:
            if len(self._codes) > _STYLES_MAX:
                self._codes.clear()
            before, _, behind = Strip.render_style(style, _MARK, self._colours).partition(_MARK)
            codes = self._codes[style] = Codes(before, behind)
        return codes


def _is_doubtful(strip: Strip) -> bool:
    """Whether terminals may differ in where a character behind the first one stands."""
    return any(
        get_character_cell_size(char) == 0
        for text, _, _ in strip
        if not text.isascii()
        for char in text
    )


def changes(old: Sequence[Cell], new: Sequence[Cell]) -> list[tuple[int, int]]:
    """The spans of `new` to send where `old` is shown: none begins or ends within a wide text."""
    spans: list[tuple[int, int]] = []
    for at, (before, now) in enumerate(zip(old, new, strict=True)):
        if before == now:
            continue
        start = at
        while start and not new[start][0]:
            start -= 1
        end = at + 1
        while end < len(new) and not new[end][0]:
            end += 1
        if spans and _near(new, spans[-1][1], start):
            start = spans.pop()[0]
        spans.append((start, end))
    return spans


def _near(new: Sequence[Cell], last: int, start: int) -> bool:
    """Whether the cells between two spans are few, and drawn as those around them are."""
    if start - last > _GAP:
        return False
    return start <= last or len({codes for _, codes in new[last - 1 : start + 1]}) == 1


def _is_behind(cell: Cell) -> bool:
    """Whether a cell is not the first of its text."""
    return not cell[0] and cell is not UNKNOWN


def _tear(row: list[Cell], start: int, end: int) -> None:
    """Wide texts that `start` and `end` cut in two are no longer shown."""
    while end < len(row) and _is_behind(row[end]):
        row[end] = UNKNOWN
        end += 1
    while start and _is_behind(row[start]):
        row[start] = UNKNOWN
        start -= 1
        if not _is_behind(row[start]):
            row[start] = UNKNOWN
            break


def _drawn(x: int, y: int, cells: Sequence[Cell], span: tuple[int, int]) -> str:
    start, end = span
    parts = [f"\x1b[{y + 1};{x + start + 1}H"]
    text, codes = "", _PLAIN
    for unit, its_codes in cells[start:end]:
        if its_codes is not codes and its_codes != codes:
            parts.append(f"{codes.before}{text}{codes.behind}")
            text, codes = "", its_codes
        text += unit
    parts.append(f"{codes.before}{text}{codes.behind}")
    return "".join(parts)
