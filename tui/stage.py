"""What the screens stand on: the part of the app that they may use."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from datetime import tzinfo
from pathlib import Path
from typing import Final

from rich.cells import cell_len
from textual import events
from textual.driver import Driver
from textual.filter import LineFilter
from textual.theme import Theme

from tocsin.errors import ConfigError
from tocsin.messages.client_link import Ask
from tocsin.model import Run
from tocsin.units import format_size

from . import clipboard, themes
from .actions.action import Place, Situation
from .actions.commands import Names
from .actions.table import Table
from .ascii_filter import AsciiFilter
from .key_order import KeyOrder, parted
from .messages import Said
from .output import DiffedApp
from .palettes import palette_name
from .plain import one_line
from .scene import Scene
from .session import Session
from .settings import TuiSettings, check_theme
from .undo import Undo

_SOON_S: Final = 0.02
_COPIED_CELLS: Final = 30
"""Of what was copied, so much is told."""


class Stage(DiffedApp[None]):
    """An app with a session and something to draw."""

    session: Session
    actions: Table
    zone: tzinfo | None
    """Where times are told; None is the system's own."""
    undos: tuple[Undo, ...] = ()
    settings: TuiSettings
    data_dir: Path
    """Where what is saved for the user goes."""
    ascii: bool = False
    """Whether nothing but ASCII is drawn; before the app runs."""
    mouse: bool = False
    """Whether the mouse is ours, and not the terminal's."""
    ends_all: bool = False
    """Whether coordinator, agent and runs end with the program."""
    leaving: bool = False
    """Whether the program ends: what is pressed now means nothing any more."""
    _is_up = False
    _to_ascii = AsciiFilter()
    _css_variables: tuple[Theme, dict[str, str]] | None = None

    def __init__(self, driver_class: type[Driver] | None, *, ansi_color: bool | None) -> None:
        super().__init__(driver_class=driver_class, ansi_color=ansi_color)
        self._typed = KeyOrder(self, self.forward)

    def leave(self) -> None:
        """End, once nothing is being put up: what is half there cannot be taken down."""
        self.leaving = True
        if self._is_up and all(screen.is_mounted for screen in self.screen_stack):
            self.exit()
        else:
            self.set_timer(_SOON_S, self.leave)

    async def on_event(self, event: events.Event) -> None:
        """Take events; see `KeyOrder` for those that are typed."""
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            for typed in parted(event):
                await self._typed.take(typed)
        else:
            await super().on_event(event)

    async def forward(self, event: events.Event) -> None:
        """Send what was typed to whom it is for now."""
        await super().on_event(event)

    @property
    def pressed_s(self) -> float:
        """When the key that is being heeded was pressed, by the clock of Textual's events."""
        return self._typed.sent_s

    def action_suspend_process(self) -> None:
        """Stop the whole job of the shell, as ctrl+z does: make(1) or sudo(8) may wait for us."""
        if self._driver is not None and self._driver.can_suspend:
            self._suspend_signal()
            os.killpg(os.getpgrp(), signal.SIGTSTP)

    async def action_quit(self) -> None:
        """Textual's own way to end."""
        self.leave()

    def on_ready(self) -> None:
        """It can be left."""
        self._is_up = True

    def scene(self) -> Scene:
        """What there is to draw, now."""
        raise NotImplementedError

    def names(self) -> Names:
        """What can be named besides jobs, runs and agents."""
        raise NotImplementedError

    # Going from screen to screen: the screens do not know one another.

    def go(self, place: Place, text: str = "") -> None:
        """Show a screen of the first row; `text` is its filter."""
        raise NotImplementedError

    def open_job(self, name: str) -> None:
        """Show a job."""
        raise NotImplementedError

    def open_run(self, run: Run) -> None:
        """Show a run."""
        raise NotImplementedError

    def open_why(self, at: Situation) -> None:
        """Show why the run, or the due time, or the job's last due time went as it did."""
        raise NotImplementedError

    def open_editor(self, name: str = "", *, clone: bool = False, as_text: bool = False) -> None:
        """Edit a job; without a name a new one, as text in the user's own editor."""
        raise NotImplementedError

    def open_palette(self, at: Situation) -> None:
        """Show everything that can be found by its name."""
        raise NotImplementedError

    # Changing how it is shown.

    def use_context(self, name: str) -> None:
        """Watch another coordinator."""
        raise NotImplementedError

    def use_theme(self, name: str) -> None:
        """Draw in other colours."""
        try:
            check_theme(name)
        except ConfigError as error:
            self.screen.post_message(Said(f"{error.message}; {error.hint}", failed=True))
        else:
            self._dress(name)

    def get_css_variables(self) -> dict[str, str]:
        """Those of the theme; Textual asks for them again and again, and reckoning takes time."""
        known = self._css_variables
        if known is None or known[0] is not self.current_theme:
            known = self._css_variables = self.current_theme, super().get_css_variables()
        return known[1]

    def _dress(self, name: str) -> None:
        for theme in themes.THEMES.values():
            self.register_theme(theme)
        # Without colours the sixteen of the terminal are what Textual can leave out.
        wanted = "ansi-dark" if self.no_color else name
        self.theme = themes.textual_name(
            palette_name(wanted, self.console.color_system, os.environ)
        )

    def switch_zone(self) -> None:
        """Tell times in UTC, or in the own zone again."""
        raise NotImplementedError

    def switch_mouse(self) -> None:
        """Take the mouse, or give it back to the terminal and its own way to mark text."""
        name = "_disable_mouse_support" if self.mouse else "_enable_mouse_support"
        switch = getattr(self._driver, name, None)  # private, and not with every driver
        if self._driver is not None and switch is not None:
            self._driver._mouse = True  # noqa: SLF001 - else the driver ignores both
            switch()
            self._driver.flush()
            self.mouse = not self.mouse

    def remember(self, what: str, ask: Ask) -> None:
        """Keep how something is taken back."""
        raise NotImplementedError

    def get_line_filters(self) -> Sequence[LineFilter]:
        """What finished lines go through."""
        filters = super().get_line_filters()
        return [*filters, self._to_ascii] if self.ascii else filters

    def copy_to_clipboard(self, text: str) -> None:
        """Copy in the way that works here, and say which; also what Textual's widgets copy."""
        self._clipboard = text
        self.run_worker(self._copy(text), group="copy", exclusive=True)

    async def _copy(self, text: str) -> None:
        try:
            where = await clipboard.copy(text, os.environ, self.data_dir, self._write)
            said = Said(f"✓ copied {_briefly(text)} {where}")
        except OSError as error:
            said = Said(f"✗ copy: cannot save it: {error.strerror}", failed=True)
        self.screen.post_message(said)

    def _write(self, text: str) -> None:
        if self._driver is not None:
            self._driver.write(text)
            self._driver.flush()


def _briefly(text: str) -> str:
    line = one_line(text.strip())
    return line if cell_len(line) <= _COPIED_CELLS else format_size(len(text.encode()))
