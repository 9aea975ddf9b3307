"""The colours of the screen: text of 4.5 to 1 on its background, lines of 3 to 1 (WCAG 2.2, AA).

`ansi-*` use the sixteen colours of the terminal and its own background; they alone suit a terminal
with no more than those, whose palette nobody but its owner knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from textual.theme import Theme

from .settings import AUTO

_PREFIX: Final = "tocsin-"
_FEW_COLOURS: Final = {None, "standard", "windows"}
_LIGHT_BACKGROUNDS: Final = {"7", "15"}


def _theme(name: str, *, muted: str, bar: str, trough: str, theme: Mapping[str, str]) -> Theme:
    variables = {
        "text": theme["foreground"],
        "text-muted": muted,
        "text-disabled": muted,
        "border": muted,
        "border-blurred": muted,
        "scrollbar": bar,
        "scrollbar-hover": bar,
        "scrollbar-active": bar,
        "scrollbar-background": trough,
        "scrollbar-background-hover": trough,
        "scrollbar-background-active": trough,
        "scrollbar-corner-color": trough,
        "input-cursor-text-style": "reverse",
        "input-cursor-foreground": theme["foreground"],
        "input-cursor-background": theme["background"],
        "input-selection-foreground": theme["background"],
        "input-selection-background": theme["foreground"],
        "screen-selection-foreground": theme["background"],
        "screen-selection-background": theme["foreground"],
        "block-cursor-foreground": theme["background"],
        "block-cursor-background": theme["foreground"],
    }
    ansi = name.startswith("ansi")
    if ansi:  # what Textual takes the terminal's own to be, where it has to know
        shades = (
            ("ansi_black", "ansi_white") if muted == "ansi_white" else ("ansi_white", "ansi_black")
        )
        variables |= dict(zip(("ansi-background", "ansi-foreground"), shades, strict=True))
    return Theme(
        name=_PREFIX + name,
        dark=not name.endswith("light"),
        ansi=ansi,
        variables=variables,
        primary=theme["accent"],
        secondary=theme["accent"],
        panel=theme["background"],
        surface=theme["background"],
        foreground=theme["foreground"],
        background=theme["background"],
        success=theme["success"],
        error=theme["error"],
        warning=theme["warning"],
        accent=theme["accent"],
    )


THEMES: Final[Mapping[str, Theme]] = {
    "dark": _theme(
        "dark",
        muted="#a8a8a8",
        bar="#8a8a8a",
        trough="#1c1c1c",
        theme={
            "foreground": "#e4e4e4",
            "background": "#121212",
            "success": "#5fd75f",
            "error": "#ff8787",
            "warning": "#ffd75f",
            "accent": "#5fd7ff",
        },
    ),
    "light": _theme(
        "light",
        muted="#262626",
        bar="#6c6c6c",
        trough="#eeeeee",
        theme={
            "foreground": "#1c1c1c",
            "background": "#ffffff",
            "success": "#004400",
            "error": "#af0000",
            "warning": "#872700",
            "accent": "#0000af",
        },
    ),
    "high-contrast": _theme(
        "high-contrast",
        muted="#ffffff",
        bar="#ffffff",
        trough="#000000",
        theme={
            "foreground": "#ffffff",
            "background": "#000000",
            "success": "#00ffff",
            "error": "#ffff00",
            "warning": "#ffaf00",
            "accent": "#ffffff",
        },
    ),
    "ansi-dark": _theme(
        "ansi-dark",
        muted="ansi_white",
        bar="ansi_white",
        trough="ansi_default",
        theme={
            "foreground": "ansi_default",
            "background": "ansi_default",
            "success": "ansi_green",
            "error": "ansi_bright_red",
            "warning": "ansi_bright_yellow",
            "accent": "ansi_cyan",
        },
    ),
    "ansi-light": _theme(
        "ansi-light",
        muted="ansi_default",
        bar="ansi_blue",
        trough="ansi_default",
        theme={
            "foreground": "ansi_default",
            "background": "ansi_default",
            "success": "ansi_default",
            "error": "ansi_red",
            "warning": "ansi_red",
            "accent": "ansi_blue",
        },
    ),
}


def textual_name(name: str, colours: str | None, environ: Mapping[str, str]) -> str:
    """What Textual calls the theme of a name, `auto` chosen by the terminal.

    Args:
        name: one of `settings.THEMES`.
        colours: how many colours the terminal has, in rich's words.
        environ: COLORFGBG tells the background's colour, where a terminal sets it.
    """
    if name != AUTO:
        return _PREFIX + name
    behind = environ.get("COLORFGBG", "").rpartition(";")[2]
    shade = "light" if behind in _LIGHT_BACKGROUNDS else "dark"
    return f"{_PREFIX}ansi-{shade}" if colours in _FEW_COLOURS else _PREFIX + shade
