"""The overview as it is at first, drawn before Textual is there: that takes longer than the link.

It is drawn once, line for line as `screens.overview` draws it a moment later, which then has keys.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from rich.cells import cell_len, set_cell_size
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style

from .actions.action import Place
from .actions.table import Table
from .actions.telling import footer
from .ascii import to_ascii
from .foot import advice
from .overview import (
    FIRES_TITLE,
    NO_ATTENTION,
    NO_FIRE,
    NO_JOBS,
    TIMELINE_KEYS,
    attention_title,
    has_bottom,
    has_legend,
    left_width,
    middle_height,
    pane_title,
)
from .palettes import ANSI, Palette
from .panorama import Cells, Panorama
from .plain import fit, rule
from .scene import Scene, header, nothing_yet, tabs
from .state import count
from .timeline import LEGEND, first_step, scale_of
from .widgets.columns import CURSOR, GUTTER, Cell, LineOf

_FRAME: Final = 4
"""Header, tabs, advice, keys."""
_AROUND: Final = 3
"""Title, axis and what all others do."""
_COLOUR_SYSTEMS: Final = {
    None: None,
    "standard": ColorSystem.STANDARD,
    "256": ColorSystem.EIGHT_BIT,
    "truecolor": ColorSystem.TRUECOLOR,
}


class Row(msgspec.Struct, frozen=True):
    """A line of the screen."""

    cells: Cells
    reverse: bool = False


def first_picture(scene: Scene, actions: Table, width: int, height: int) -> list[Row]:
    """The lines of a screen of this size; none where it is too low for all panes."""
    panorama = Panorama()
    panorama.follow(scene)
    legend = [Row((Cell(fit(f" {LEGEND}", width), "quiet"),))] if has_legend(height) else []
    middle = middle_height(height)
    bottom = _bottom(scene, panorama, width) if has_bottom(height) else []
    room = height - _FRAME - _AROUND - len(legend) - middle - len(bottom)
    if room < 1:
        return []
    timeline, under = _timeline(scene, panorama, width, room)
    at = scene.admit(panorama.situation(scene, "timeline", under))
    return [
        Row(tuple(header(scene, count(scene.view), width)), reverse=True),
        Row(tuple(tabs(Place.OVERVIEW.value, "", width))),
        *timeline,
        *legend,
        *_beside(
            _attention(scene, panorama, width, middle),
            _fires(scene, panorama, width, middle),
            width,
        ),
        *bottom,
        Row((advice(actions, scene, at, width),)),
        Row((Cell(footer(actions, at, width)),)),
    ]


def _timeline(scene: Scene, panorama: Panorama, width: int, room: int) -> tuple[list[Row], str]:
    """Its lines, and the job under the cursor."""
    text_width = width - GUTTER
    scale = scale_of(text_width, first_step(text_width), 0, scene.now_us, scene.zone)
    drawn = panorama.timeline(scene, scale, text_width, room, "")
    lines = [
        Row(cells)
        for cells in _picked(drawn.lines, fit(nothing_yet(scene, NO_JOBS), text_width), room)
    ]
    if drawn.lines:
        lines[0] = Row((Cell(CURSOR), *drawn.lines[0].cells), reverse=True)
    rows = [
        Row((pane_title(panorama.timeline_title(scene, scale), TIMELINE_KEYS, width, here=True),)),
        Row((Cell(" "), *drawn.axis)),
        *lines,
        Row((Cell(" "), *drawn.others)),
    ]
    return rows, drawn.lines[0].key if drawn.lines else ""


def _attention(scene: Scene, panorama: Panorama, width: int, height: int) -> list[Cells]:
    text_width = left_width(width) - GUTTER
    lines = panorama.attention_lines(scene, text_width)
    head = attention_title(panorama.attention(scene))
    return [
        (pane_title(head, "", left_width(width), here=False),),
        *_picked(lines, fit(nothing_yet(scene, NO_ATTENTION), text_width), height - 1),
    ]


def _fires(scene: Scene, panorama: Panorama, width: int, height: int) -> list[Cells]:
    own = width - left_width(width)
    lines = panorama.fire_lines(scene, own - GUTTER)
    return [
        (pane_title(FIRES_TITLE, "", own, here=False),),
        *_picked(lines, fit(nothing_yet(scene, NO_FIRE), own - GUTTER), height - 1),
    ]


def _bottom(scene: Scene, panorama: Panorama, width: int) -> list[Row]:
    return _beside(_hour(scene, panorama, width), _fleet(scene, panorama, width), width)


def _hour(scene: Scene, panorama: Panorama, width: int) -> list[Cells]:
    own = left_width(width)
    head = Cell(rule(panorama.hour_title(scene), "", own), "quiet")
    return [(head,), *panorama.hour_lines(scene, own)]


def _fleet(scene: Scene, panorama: Panorama, width: int) -> list[Cells]:
    own = width - left_width(width)
    head, lines = panorama.fleet(scene, own)
    return [(Cell(rule(head, "", own), "quiet"),), *lines]


def _picked(lines: Sequence[LineOf], empty: str, room: int) -> list[Cells]:
    """Lines behind a gutter, as many as there is room for; `empty` if there are none."""
    shown: list[Cells] = [(Cell(" "), *line.cells) for line in lines[:room]]
    shown = shown or [(Cell(f" {empty}", "quiet"),)]
    return [*shown, *[()] * (room - len(shown))]


def _beside(left: Sequence[Cells], right: Sequence[Cells], width: int) -> list[Row]:
    """Two panes of one height side by side."""
    own = left_width(width)
    pairs = zip(left, right, strict=True)
    return [Row((*cut(a, own), *cut(b, width - own))) for a, b in pairs]


def colours_of(environ: Mapping[str, str]) -> str | None:
    """How many colours a terminal has, in rich's words and by its rules."""
    if environ.get("COLORTERM", "").strip().lower() in {"truecolor", "24bit"}:
        return "truecolor"
    term = environ.get("TERM", "").strip().lower()
    if term in {"dumb", "unknown"}:
        return None
    return "256" if term.rpartition("-")[2] in {"256color", "kitty"} else "standard"


def cut(cells: Cells, width: int) -> Cells:
    """Cells in exactly so much room."""
    found, left = [], width
    for cell in cells:
        length = cell_len(cell.text)
        text = cell.text if length <= left else set_cell_size(cell.text, left)
        found.append(Cell(text, cell.tone))
        left -= min(length, left)
    return (*found, Cell(" " * left))


class Ink:
    """Draws rows in the colours of a palette; `colours` are rich's words for how many there are.

    With `plain` nothing has a colour but the page, which is then to be the terminal's own.
    """

    def __init__(
        self, palette: Palette, colours: str | None, *, plain: bool, ascii_only: bool
    ) -> None:
        self._system = ColorSystem.STANDARD if plain else _COLOUR_SYSTEMS[colours]
        self._ascii = ascii_only
        self._page = Style(color=_rich(palette.foreground), bgcolor=_rich(palette.background))
        tones = {
            "": Style(),
            "good": Style(color=_rich(palette.success)),
            "bad": Style(color=_rich(palette.error), bold=True),
            "warn": Style(color=_rich(palette.warning)),
            "busy": Style(color=_rich(palette.accent), bold=True),
            "quiet": Style(color=_rich(palette.muted)),
            "strong": Style(bold=True),
        }
        self._tones = {name: it.without_color if plain else it for name, it in tones.items()}

    def lines(self, rows: Sequence[Row], width: int) -> list[list[Segment]]:
        """The rows in their colours."""
        return [self._line(row, width) for row in rows]

    def text(self, lines: Sequence[Sequence[Segment]]) -> str:
        """What makes a terminal show the lines, the first one at its top."""
        return "".join(
            f"\x1b[{y};1H{''.join(self._sent(text, style) for text, style, _ in line)}"
            for y, line in enumerate(lines, start=1)
        )

    def _line(self, row: Row, width: int) -> list[Segment]:
        page = self._page + Style(reverse=True) if row.reverse else self._page
        return [
            Segment(
                to_ascii(cell.text) if self._ascii else cell.text, page + self._tones[cell.tone]
            )
            for cell in cut(row.cells, width)
        ]

    def _sent(self, text: str, style: Style | None) -> str:
        assert style is not None, "each cell has one"
        return style.render(text, color_system=self._system)


def _rich(colour: str) -> str:
    """A palette's colour in rich's words."""
    return colour.removeprefix(f"{ANSI}_")
