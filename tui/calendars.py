"""The calendars of the coordinator, for whoever looks ahead: blackouts name them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from tocsin.errors import LinkError, RequestError
from tocsin.instants import SECOND_US
from tocsin.messages.client_answers import Shared
from tocsin.messages.client_link import GetShared
from tocsin.model import Calendar

from .scene import Scene
from .session import Session

AGAIN_US: Final = 60 * SECOND_US


class Calendars:
    """What was heard of them last; nobody is told when they change, so they are asked for again."""

    def __init__(self) -> None:
        self.known: Mapping[str, Calendar] = {}
        self._asked_us: int | None = None

    def due(self, scene: Scene) -> bool:
        """Whether it is time to ask, which is then for whoever was told so."""
        if scene.connection.blocks() or not scene.view.whole:
            return False
        if self._asked_us is not None and scene.now_us - self._asked_us < AGAIN_US:
            return False
        self._asked_us = scene.now_us
        return True

    async def ask(self, session: Session, changed: Callable[[], None]) -> None:
        """Ask; `changed` is called when they are others than before."""
        try:
            answer = await session.ask(GetShared())
        except (LinkError, RequestError):
            return  # the header tells of the link; the next time is a minute away
        if isinstance(answer, Shared):
            known = {calendar.name: calendar for calendar in answer.calendars}
            if known != self.known:
                self.known = known
                changed()
