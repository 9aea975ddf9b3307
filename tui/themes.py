"""The palettes as Textual's themes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from textual.theme import Theme

from .palettes import ANSI, PALETTES, Palette

_PREFIX: Final = "tocsin-"


def _theme(name: str, colours: Palette) -> Theme:
    variables = {
        "text": colours.foreground,
        "text-muted": colours.muted,
        "text-disabled": colours.muted,
        "border": colours.muted,
        "border-blurred": colours.muted,
        "scrollbar": colours.bar,
        "scrollbar-hover": colours.bar,
        "scrollbar-active": colours.bar,
        "scrollbar-background": colours.trough,
        "scrollbar-background-hover": colours.trough,
        "scrollbar-background-active": colours.trough,
        "scrollbar-corner-color": colours.trough,
        "input-cursor-text-style": "reverse",
        "input-cursor-foreground": colours.foreground,
        "input-cursor-background": colours.background,
        "input-selection-foreground": colours.background,
        "input-selection-background": colours.foreground,
        "screen-selection-foreground": colours.background,
        "screen-selection-background": colours.foreground,
        "block-cursor-foreground": colours.background,
        "block-cursor-background": colours.foreground,
    }
    ansi = name.startswith(ANSI)
    if ansi:  # what Textual takes the terminal's own to be, where it has to know
        shades = (
            ("ansi_black", "ansi_white")
            if colours.muted == "ansi_white"
            else ("ansi_white", "ansi_black")
        )
        variables |= dict(zip(("ansi-background", "ansi-foreground"), shades, strict=True))
    return Theme(
        name=textual_name(name),
        dark=not name.endswith("light"),
        ansi=ansi,
        variables=variables,
        primary=colours.accent,
        secondary=colours.accent,
        panel=colours.background,
        surface=colours.background,
        foreground=colours.foreground,
        background=colours.background,
        success=colours.success,
        error=colours.error,
        warning=colours.warning,
        accent=colours.accent,
    )


def textual_name(palette: str) -> str:
    """What Textual calls the theme of a palette."""
    return f"{_PREFIX}{palette}"


THEMES: Final[Mapping[str, Theme]] = {name: _theme(name, it) for name, it in PALETTES.items()}
