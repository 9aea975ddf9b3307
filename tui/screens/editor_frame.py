"""What a screen on which a job is written keeps: the desk, and the draft on this host."""

from __future__ import annotations

import os
from typing import Final
from urllib.parse import quote

from textual.timer import Timer

from tocsin.config import find_places
from tocsin.errors import ConfigError
from tocsin.tui.drafts import Drafts
from tocsin.tui.editing.desk import Desk
from tocsin.tui.editing.draft import Draft
from tocsin.tui.messages import Said

from .frame import Frame

JUDGE_S: Final = 0.15
"""So long after the last key the draft is judged and kept."""


class EditorFrame(Frame):
    """A job being written.

    Args:
        draft: what it begins with.
        key: under which name the draft is kept on this host.
        in_editor: whether the user's own editor is wanted at once.
    """

    def __init__(self, draft: Draft, key: str, *, in_editor: bool) -> None:
        super().__init__()
        self.desk = Desk(draft)
        self.key = key
        self.in_editor = in_editor
        self.first = self.desk.draft
        """What it began with."""
        self._keeping = False
        self._judging: Timer | None = None

    def on_unmount(self) -> None:
        """Keep what was typed a moment ago."""
        if self._judging is not None:
            self.keep()

    @property
    def drafts(self) -> Drafts:
        """The drafts of this context."""
        folder = find_places(os.environ).data_dir / "drafts"
        return Drafts(
            folder / quote(self.stage.scene().name, safe=""), lambda: self.stage.scene().now_us
        )

    def written(self, before: Draft) -> None:
        """Draw at once; judge when nothing more is typed. What was said is of what stood there."""
        if self.desk.draft is not before:
            self.unsay()
            if self._judging is not None:
                self._judging.stop()
            self._judging = self.set_timer(JUDGE_S, self.judge)
        self.draw()

    def judge_rest(self) -> None:
        """Look at what was typed, if that was not done yet."""
        if self._judging is not None:
            self.judge()

    def judge(self) -> None:
        """Look at the draft again, and keep it."""
        if self._judging is not None:
            self._judging.stop()
            self._judging = None
        scene = self.stage.scene()
        self.desk.judge(scene.now_us, scene.view.jobs, scene.view.agents.values())
        if self.desk.draft != self.first:
            self.keep()
        elif self._keeping:
            self.drafts.forget(self.key)
        self.draw()

    def keep(self) -> None:
        """Keep the draft on this host."""
        self._keeping = True
        try:
            self.drafts.keep(self.key, self.desk.draft)
        except ConfigError as error:
            self.say(error.message, failed=True)

    def end(self, told: str, *, failed: bool = False, about: str = "") -> None:
        """Leave, and say something on the screen below."""
        self.app.pop_screen()
        self.app.screen.post_message(Said(told, failed=failed, about=about))
