"""What all screens have: a header, a line for what was said, a footer, and keys from one table."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from textual.app import ComposeResult
from textual.binding import Binding
from textual.css.query import NoMatches
from textual.screen import Screen
from textual.widget import Widget

from tocsin.errors import LinkError, RequestError
from tocsin.instants import SECOND_US
from tocsin.messages.client_answers import Done
from tocsin.tui.actions import (
    Action,
    Place,
    Situation,
    command_line,
    footer,
    for_key,
    key_cap,
    keys,
    offered,
    result_line,
)
from tocsin.tui.connection import trouble
from tocsin.tui.messages import Said
from tocsin.tui.plain import fit, one_line, spread
from tocsin.tui.scene import Scene, header
from tocsin.tui.stage import Stage
from tocsin.tui.widgets.columns import Cell
from tocsin.tui.widgets.one_line import OneLine

from .confirm import ConfirmScreen
from .help import HelpScreen

SAID_S: Final = 15
"""How long a line that was said stays, unless another is."""


def bindings(places: Iterable[Place]) -> list[Binding]:
    """The keys of these places; what each means is looked up when it is pressed."""
    return [
        Binding(key, f"press({key!r})", show=False, id=f"key.{key}")
        for key in keys(frozenset(places))
    ]


class Frame(Screen[None]):
    """A screen between header and footer."""

    AUTO_FOCUS = ""

    def __init__(self) -> None:
        super().__init__()
        self._said: tuple[Said, int] | None = None
        self.doings: Mapping[str, Callable[[], None]] = {
            "help": self._help,
            "quit": self._quit,
        }
        """What the actions that ask nothing of the coordinator do, by their ids."""

    @property
    def stage(self) -> Stage:
        """The app."""
        assert isinstance(self.app, Stage)
        return self.app

    def compose(self) -> ComposeResult:
        """Header, body, what was said, footer."""
        yield OneLine(id="header")
        yield from self.body()
        yield OneLine(id="said")
        yield OneLine(id="footer")

    def body(self) -> Iterable[Widget]:
        """The widgets between header and footer."""
        raise NotImplementedError

    def situation(self, scene: Scene) -> Situation:
        """What the keys act on."""
        raise NotImplementedError

    def draw_body(self, scene: Scene) -> None:
        """Show the scene between header and footer."""
        raise NotImplementedError

    def draw(self) -> None:
        """Show what is known now."""
        if not self.is_mounted:
            return
        scene = self.stage.scene()
        # While the app ends, its widgets go one by one, and a timer may still ring in between.
        with contextlib.suppress(NoMatches):
            self.query_one("#header", OneLine).say(*header(scene, self.size.width))
            self.draw_body(scene)
            self.draw_foot(scene)

    def draw_foot(self, scene: Scene) -> None:
        """Show what was said and the keys that are valid now."""
        at = self.situation(scene)
        self.query_one("#said", OneLine).say(self._said_line(scene, at))
        self.query_one("#footer", OneLine).say(Cell(footer(at, self.size.width)))

    def on_mount(self) -> None:
        """Draw for the first time."""
        self.draw()

    def on_resize(self) -> None:
        """Lay the lines out anew."""
        self.draw()

    def on_screen_resume(self) -> None:
        """Catch up with what happened under another screen."""
        self.draw()

    def on_descendant_focus(self) -> None:
        """Other keys are valid now."""
        self.draw()

    def on_said(self, message: Said) -> None:
        """Keep it in sight for a while."""
        self._said = message, self.stage.scene().now_us
        self.draw()

    def action_press(self, key: str) -> None:
        """Do what a key stands for here, or say why not."""
        at = self.situation(self.stage.scene())
        action = for_key(key, at)
        if action is None:
            return
        blocked = action.blocked(at)
        if blocked:
            self.post_message(Said(f"{action.name}: {blocked}", failed=True))
        elif action.dangerous:
            self.app.push_screen(
                ConfirmScreen(action, at), lambda sure: self._perform(action, at) if sure else None
            )
        else:
            self._perform(action, at)

    def _perform(self, action: Action, at: Situation) -> None:
        if action.ask is None:
            self.doings[action.id]()
        else:
            self.run_worker(self._ask(action, at), group="ask")

    async def _ask(self, action: Action, at: Situation) -> None:
        assert action.ask is not None, "looked at before"
        try:
            answer = await self.stage.session.ask(action.ask(at))
        except (LinkError, RequestError) as error:
            hint = f" ({error.hint})" if error.hint else ""
            self.post_message(Said(f"✗ {action.name}: {error.message}{hint}", failed=True))
            return
        names = answer.names if isinstance(answer, Done) else []
        command = command_line(action, at)
        self.post_message(Said(result_line(action, at, names), command=command))

    def _said_line(self, scene: Scene, at: Situation) -> Cell:
        width = self.size.width - 1
        if self._said is not None and scene.now_us - self._said[1] <= SAID_S * SECOND_US:
            said = self._said[0]
            right = f"same as: {said.command} " if said.command else ""
            tone = "bad" if said.failed else "good"
            return Cell(" " + spread(one_line(said.text), right, width), tone)
        wrong = trouble(scene.connection)
        if wrong:
            return Cell(" " + fit(wrong, width), "warn")
        for action in offered(at):
            command = command_line(action, at)
            if command:
                return Cell(" " + fit(f"{key_cap(action)}, same as: {command}", width), "quiet")
        return Cell("")

    def _help(self) -> None:
        self.app.push_screen(HelpScreen())

    def _quit(self) -> None:
        self.app.exit()
