"""What the screens stand on: the part of the app that they may use."""

from __future__ import annotations

from datetime import tzinfo

from textual.app import App

from .scene import Scene
from .session import Session


class Stage(App[None]):
    """An app with a session and something to draw."""

    session: Session
    zone: tzinfo | None
    """Where times are told; None is the system's own."""

    def scene(self) -> Scene:
        """What there is to draw, now."""
        raise NotImplementedError
