"""The app: holds the session, passes on what it says, and puts screens up. No logic lives here."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, tzinfo
from types import MappingProxyType
from typing import ClassVar, Final

from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.timer import Timer

from tocsin import clock
from tocsin.config import Context, find_places
from tocsin.errors import ConfigError, TocsinError
from tocsin.link import Hub
from tocsin.messages.client_link import Ask
from tocsin.model import Run

from .actions.action import Place, Situation
from .actions.commands import Names
from .actions.table import Table
from .actions.why import question
from .connection import Connection
from .contexts import Contexts, Watched, choose, known_contexts, watched
from .finding import findings
from .guard import Guard, refusal
from .messages import SessionChanged
from .modes import begin_anew
from .scene import Scene
from .screens.agents import AgentsScreen
from .screens.events import EventsScreen
from .screens.frame import Frame
from .screens.job import JobScreen
from .screens.jobs import JobsScreen
from .screens.listing import ListScreen
from .screens.overview import OverviewScreen
from .screens.palette import PaletteScreen
from .screens.run import RunScreen
from .screens.runs import RunsScreen
from .screens.schedule import ScheduleScreen
from .screens.why import WhyScreen
from .session import Session, Tell
from .sightings import Sighting, keep, notice, notice_status
from .stage import Stage
from .state import View
from .undo import Undo, add

DRAW_S: Final = 0.5
"""Two drawings of what changed are at least this far apart."""
TICK_S: Final = 1.0
EXIT_USAGE: Final = 2
_FEW_COLOURS: Final = {None, "standard", "windows"}


class TocsinApp(Stage):
    """The TUI on one coordinator.

    Args:
        make_session: makes the conversation, given whom to tell.
        name: what this coordinator is called.
        now_us: the clock that is shown and that ages are told by.
        zone: where times are told; None is the system's own.
        terminal: the descriptor of the terminal to guard; None: there is none, as in tests.
        keys: keys by the ids of actions, where they are not the usual ones.
        read_only: nothing may be changed.
        careful: each change asks, and has the name typed.
        contexts: the other coordinators that can be watched.

    Raises:
        ConfigError: `keys` names what is no action, or one key twice.
    """

    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = False
    DEFAULT_MODE = "overview"
    MODES: ClassVar[dict[str, str | Callable[[], Screen[None]]]] = {
        "overview": OverviewScreen,
        "jobs": JobsScreen,
        "runs": RunsScreen,
        "agents": AgentsScreen,
        "events": EventsScreen,
        "schedule": ScheduleScreen,
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "quit", "quit", show=False, priority=True),
    ]

    def __init__(  # noqa: PLR0913 - what it is told of its surroundings
        self,
        make_session: Callable[[Tell], Session],
        *,
        name: str,
        now_us: Callable[[], int] = clock.now_us,
        zone: tzinfo | None = None,
        terminal: int | None = None,
        keys: Mapping[str, str] | None = None,
        read_only: bool = False,
        careful: bool = False,
        contexts: Contexts = MappingProxyType({}),
    ) -> None:
        no_color = "NO_COLOR" in os.environ
        super().__init__(ansi_color=True if no_color else None)
        if no_color or self.console.color_system in _FEW_COLOURS:
            self.theme = "ansi-dark"
        self.actions = Table(keys)
        self.zone = self._own_zone = zone
        self._now_us = now_us
        self._contexts = contexts
        self._conversations = 0
        self._view = View()
        self._sightings: tuple[Sighting, ...] = ()
        self._begin(Watched(name, make_session, read_only=read_only, careful=careful))
        self._guard = None if terminal is None else Guard(terminal, self.exit)
        self._drawing: Timer | None = None
        for key in self.actions.used_keys():
            self.bind(key, f"press({key!r})", show=False)

    # What the screens may use.

    def scene(self) -> Scene:
        """What there is to draw, now."""
        return Scene(
            self._watched.name,
            self._view,
            self._connection,
            self._now_us(),
            self.zone,
            read_only=self._watched.read_only,
            careful=self._watched.careful,
            sightings=self._sightings,
        )

    def names(self) -> Names:
        """What can be named besides jobs, runs and agents."""
        return Names(contexts=list(self._contexts), themes=sorted(self.available_themes))

    def go(self, place: Place, text: str = "") -> None:
        """Show a screen of the first row, without what was opened on it."""
        if place.value not in self.MODES:
            return
        self.switch_mode(place.value)
        while len(self.screen_stack) > 1:
            self.pop_screen()
        if text and isinstance(self.screen, ListScreen):
            self.call_after_refresh(self.screen.set_filter, text)

    def open_job(self, name: str) -> None:
        """Show a job."""
        self.push_screen(JobScreen(name))

    def open_why(self, at: Situation) -> None:
        """Show why the run, or the due time, or the job's last due time went as it did."""
        self.push_screen(WhyScreen(question(at)))

    def open_run(self, run: Run) -> None:
        """Show a run."""
        self.push_screen(RunScreen(run))

    def open_editor(self, name: str = "", *, clone: bool = False, as_text: bool = False) -> None:
        """Edit a job; without a name a new one."""
        # A form and its rules are not worth the time of everybody who starts the program.
        from .screens.editor import opened

        editor = opened(self._view.jobs, name, clone=clone, as_text=as_text)
        if editor is not None:
            self.push_screen(editor)
        elif isinstance(self.screen, Frame):
            self.screen.say(f"there is no job {name} any more", failed=True)

    def open_palette(self, at: Situation) -> None:
        """Show everything that can be found by its name, and do what was chosen."""
        below = self.screen

        def take(line: str | None) -> None:
            if line and isinstance(below, Frame):
                below.command(line, at)

        found = findings(self.actions, self._view, at, self.names())
        self.push_screen(PaletteScreen(found), take)

    def use_context(self, name: str) -> None:
        """Watch another coordinator; all screens begin anew."""
        try:
            chosen = choose(self._contexts, name)
        except ConfigError as error:
            self._say(f"context: {error.message} ({error.hint})", failed=True)
            return
        self._begin(chosen)
        self.run_worker(self._begin_anew(f"✓ watching {chosen.name}"), group="context")

    def use_theme(self, name: str) -> None:
        """Draw in other colours."""
        if name in self.available_themes:
            self.theme = name

    def switch_zone(self) -> None:
        """Tell times in UTC, or in the own zone again."""
        self.zone = self._own_zone if self.zone is UTC else UTC
        self._draw()

    def remember(self, what: str, ask: Ask) -> None:
        """Keep how something is taken back."""
        self.undos = add(self.undos, Undo(what, ask, self._now_us()))

    # Being told.

    def action_press(self, key: str) -> None:
        """Let the screen do what a key stands for."""
        if isinstance(self.screen, Frame):
            self.screen.action_press(key)

    def on_mount(self) -> None:
        """Guard the terminal, begin to talk."""
        if self._guard is not None:
            self._guard.start()
        self.run_worker(self._talk(), group="session", exclusive=True)
        self.set_interval(TICK_S, self._draw)

    def on_unmount(self) -> None:
        """Signals do again what they did."""
        if self._guard is not None:
            self._guard.stop()

    def on_session_changed(self, message: SessionChanged) -> None:
        """Draw it, together with what follows close behind; the first rows at once."""
        if message.conversation != self._conversations:
            return
        first = message.view.whole and not self._view.whole
        self._notice(message)
        self._view, self._connection = message.view, message.connection
        if first or self._drawing is None:
            self._draw()
        if self._drawing is None:
            self._drawing = self.set_timer(DRAW_S, self._draw_rest)

    def _notice(self, message: SessionChanged) -> None:
        """Keep what is seen to have happened."""
        now_us, status = self._now_us(), self._connection.status
        seen = notice(self._view, message.view, now_us)
        seen += notice_status(status, message.connection.status, now_us)
        self._sightings = keep(self._sightings, seen)

    def _begin(self, watched: Watched) -> None:
        """Know nothing yet, and have a conversation to hold."""
        self._conversations += 1
        number = self._conversations
        self._watched = watched
        self.session = watched.make_session(
            lambda view, connection: self._told(view, connection, number)
        )
        self._view, self._connection = View(), self.session.connection
        self._sightings = self.undos = ()

    async def _begin_anew(self, said: str) -> None:
        self.run_worker(self._talk(), group="session", exclusive=True)
        await begin_anew(self, self.DEFAULT_MODE)
        self._say(said)

    def _told(self, view: View, connection: Connection, conversation: int) -> None:
        self.post_message(SessionChanged(view, connection, conversation))

    def _say(self, text: str, *, failed: bool = False) -> None:
        if isinstance(self.screen, Frame):
            self.screen.say(text, failed=failed)

    def _draw_rest(self) -> None:
        self._drawing = None
        self._draw()

    def _draw(self) -> None:
        for screen in self.screen_stack[-1:]:  # there is none any more while the app ends
            if isinstance(screen, Frame):
                screen.draw()

    async def _talk(self) -> None:
        try:
            await self.session.run()
        except TocsinError as error:
            if self._conversations == 1:
                self.exit(return_code=1, message=f"{error.message}\n{error.hint}".strip())
            else:
                self._say(f"{self._watched.name}: {error.message}", failed=True)


def run_tui(context: Context) -> int:
    """Run the TUI in the foreground until the user leaves; the exit code of the program.

    Raises:
        ConfigError: the context's key cannot be read.
    """
    streams = (sys.stdin, sys.stdout, sys.stderr)
    refused = refusal(os.environ, on_terminal=all(stream.isatty() for stream in streams))
    if refused:
        print(refused, file=sys.stderr)  # noqa: T201 - this is for the user
        return EXIT_USAGE
    hub = Hub()
    try:
        first = watched(context, hub)
        app = TocsinApp(
            first.make_session,
            name=first.name,
            terminal=sys.stdin.fileno(),
            read_only=first.read_only,
            careful=first.careful,
            contexts=known_contexts(context, find_places(os.environ), hub),
        )
        app.run(mouse=False)  # so that the terminal's own way to mark and copy text works
        return app.return_code or 0
    finally:
        hub.close()
