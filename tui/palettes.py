"""The colours of the screen: text of 4.5 to 1 on its background, lines of 3 to 1 (WCAG 2.2, AA).

`ansi-*` use the sixteen colours of the terminal and its own background; they alone suit a terminal
with no more than those, whose palette nobody but its owner knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from .settings import AUTO

ANSI: Final = "ansi"
_FEW_COLOURS: Final = {None, "standard", "windows"}
_LIGHT_BACKGROUNDS: Final = {"7", "15"}


class Palette(msgspec.Struct, frozen=True, kw_only=True):
    """Colours by what they mean: `#rrggbb`, or in Textual's words those of the terminal."""

    foreground: str
    background: str
    muted: str
    """Of what keeps itself in the background."""
    success: str
    error: str
    warning: str
    accent: str
    """Of what is going on."""
    bar: str
    """Of what is dragged in a scroll bar."""
    trough: str


PALETTES: Final[Mapping[str, Palette]] = {
    "dark": Palette(
        foreground="#e4e4e4",
        background="#121212",
        muted="#a8a8a8",
        success="#5fd75f",
        error="#ff8787",
        warning="#ffd75f",
        accent="#5fd7ff",
        bar="#8a8a8a",
        trough="#1c1c1c",
    ),
    "light": Palette(
        foreground="#1c1c1c",
        background="#ffffff",
        muted="#262626",
        success="#004400",
        error="#af0000",
        warning="#872700",
        accent="#0000af",
        bar="#6c6c6c",
        trough="#eeeeee",
    ),
    "high-contrast": Palette(
        foreground="#ffffff",
        background="#000000",
        muted="#ffffff",
        success="#00ffff",
        error="#ffff00",
        warning="#ffaf00",
        accent="#ffffff",
        bar="#ffffff",
        trough="#000000",
    ),
    "ansi-dark": Palette(
        foreground="ansi_default",
        background="ansi_default",
        muted="ansi_white",
        success="ansi_green",
        error="ansi_bright_red",
        warning="ansi_bright_yellow",
        accent="ansi_cyan",
        bar="ansi_white",
        trough="ansi_default",
    ),
    "ansi-light": Palette(
        foreground="ansi_default",
        background="ansi_default",
        muted="ansi_default",
        success="ansi_default",
        error="ansi_red",
        warning="ansi_red",
        accent="ansi_blue",
        bar="ansi_blue",
        trough="ansi_default",
    ),
}


def palette_name(name: str, colours: str | None, environ: Mapping[str, str]) -> str:
    """The palette of a theme, `auto` chosen by the terminal.

    Args:
        name: one of `settings.THEMES`.
        colours: how many colours the terminal has, in rich's words.
        environ: COLORFGBG tells the background's colour, where a terminal sets it.
    """
    if name != AUTO:
        return name
    behind = environ.get("COLORFGBG", "").rpartition(";")[2]
    shade = "light" if behind in _LIGHT_BACKGROUNDS else "dark"
    return f"{ANSI}-{shade}" if colours in _FEW_COLOURS else shade
