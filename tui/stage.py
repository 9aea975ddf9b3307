"""What the screens stand on: the part of the app that they may use."""

from __future__ import annotations

from datetime import tzinfo

from tocsin.messages.client_link import Ask
from tocsin.model import Run

from .actions.action import Place, Situation
from .actions.commands import Names
from .actions.table import Table
from .output import DiffedApp
from .scene import Scene
from .session import Session
from .undo import Undo


class Stage(DiffedApp[None]):
    """An app with a session and something to draw."""

    session: Session
    actions: Table
    zone: tzinfo | None
    """Where times are told; None is the system's own."""
    undos: tuple[Undo, ...] = ()

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
        raise NotImplementedError

    def switch_zone(self) -> None:
        """Tell times in UTC, or in the own zone again."""
        raise NotImplementedError

    def switch_mouse(self) -> None:
        """Take the mouse, or give it back to the terminal."""
        raise NotImplementedError

    def remember(self, what: str, ask: Ask) -> None:
        """Keep how something is taken back."""
        raise NotImplementedError
