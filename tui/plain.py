"""Text from jobs made safe to draw: one line, no control characters, a known width in cells.

Output may hold escape sequences (ECMA-48); drawn as they are they would move the cursor or set
the title of the user's terminal.
"""

from __future__ import annotations

import re
from typing import Final

from rich.cells import cell_len, chop_cells, set_cell_size

TAB_CELLS: Final = 8
_ESCAPE: Final = re.compile(
    r"\x1b(?:"
    r"\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"  # OSC, DCS, SOS, PM, APC
    r"|[ -/]*[0-~]?"
    r")"
)
# C0, DEL and C1; line separators; marks that turn the direction of what follows.
_CONTROL: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
REPLACEMENT: Final = "·"


def one_line(text: str) -> str:
    """`text` without escape sequences, tabs as spaces, other control characters as dots."""
    if text.isascii() and text.isprintable():
        return text
    text = _ESCAPE.sub("", text).replace("\n", " ").expandtabs(TAB_CELLS)
    return _CONTROL.sub(REPLACEMENT, text)


def fit(text: str, width: int, *, right: bool = False) -> str:
    """`text` in exactly `width` cells: padded, or cut with an ellipsis."""
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + "…" if width > 0 else ""
    pad = " " * (width - length)
    return pad + text if right else text + pad


def wrap(text: str, width: int) -> list[str]:
    """A text in lines of at most `width` cells, broken at spaces where there are some."""
    lines, line = [], ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if cell_len(longer) <= width:
            line = longer
            continue
        lines += [line] if line else []
        *full, line = chop_cells(word, max(width, 1))
        lines += full
    return [*lines, line] if line or not lines else lines


def spread(left: str, right: str, width: int) -> str:
    """`left` and `right` at the two ends of a line; where both do not fit, `left` gives way."""
    room = width - cell_len(right)
    return fit(right, width) if room < 1 else fit(left, room) + right


def rule(title: str, right: str, width: int) -> str:
    """A horizontal line with a title at its left and words at its right."""
    tail = f" {right} ─" if right else ""
    head = f"─ {title} "
    room = width - cell_len(tail)
    if cell_len(head) > room:
        return fit(head, width)
    return head + "─" * (room - cell_len(head)) + tail
