"""Textual's driver, for a terminal on which something stands already that it draws over."""

from __future__ import annotations

from textual.drivers.linux_driver import LinuxDriver

from .curtain import ALT_SCREEN_ON, Curtain


def taking_over(curtain: Curtain) -> type[LinuxDriver]:
    """The driver that goes on where a curtain stands."""

    class TakingOver(LinuxDriver):
        """Does not switch to the alternate screen again, which would empty it."""

        def start_application_mode(self) -> None:
            """Draw here from now on."""
            self._behind = curtain.up
            curtain.hand_over()
            super().start_application_mode()  # type: ignore[no-untyped-call] # Textual's
            self._behind = False

        def write(self, data: str) -> None:
            """Send this to the terminal."""
            if not (self._behind and data == ALT_SCREEN_ON):
                super().write(data)

    return TakingOver
