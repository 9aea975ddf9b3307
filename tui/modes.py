"""The screens of the first row: made when they are first gone to, and begun anew."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

from textual.app import App
from textual.screen import Screen

_BETWEEN: Final = "between"


def later(module: str, name: str) -> Callable[[], Screen[None]]:
    """Make a screen whose module is not imported before."""

    def make() -> Screen[None]:
        screen: Screen[None] = getattr(import_module(f".screens.{module}", __package__), name)()
        return screen

    return make


async def begin_anew(app: App[Any], first: str) -> None:
    """Take all screens down, and show the one of the mode `first` as it is at the start."""
    app.add_mode(_BETWEEN, Screen)
    await app.switch_mode(_BETWEEN)
    for mode, screen in app.MODES.items():
        await app.remove_mode(mode)
        app.add_mode(mode, screen)
    await app.switch_mode(first)
    await app.remove_mode(_BETWEEN)
