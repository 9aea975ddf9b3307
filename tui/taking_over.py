"""Textual's driver, for a terminal on which something stands already that it draws over."""

from __future__ import annotations

from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Size

from .curtain import ALT_SCREEN_ON, Curtain
from .output import DiffedApp


def taking_over(curtain: Curtain) -> type[LinuxDriver]:
    """The driver that goes on where a curtain stands."""

    class TakingOver(LinuxDriver):
        """Does not switch to the alternate screen again, which would empty it."""

        def start_application_mode(self) -> None:
            """Draw here from now on."""
            self._behind = curtain.up
            if curtain.up and isinstance(self._app, DiffedApp):
                lines, width, height = curtain.picture
                self._app.take_over(lines, Size(width, height))
            curtain.hand_over()
            super().start_application_mode()  # type: ignore[no-untyped-call] # Textual's
            self._behind = False

        def write(self, data: str) -> None:
            """Send this to the terminal."""
            if not (self._behind and data == ALT_SCREEN_ON):
                super().write(data)

    return TakingOver
