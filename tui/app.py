"""The app: holds the session, passes on what it says, and puts screens up. No logic lives here."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, Final

from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.timer import Timer

from tocsin import clock
from tocsin.errors import ConfigError, TocsinError
from tocsin.messages.client_link import Ask
from tocsin.model import Run

from .actions.action import Place, Situation
from .actions.commands import Names
from .actions.table import Table
from .actions.why import question
from .connection import Connection
from .contexts import Begun, Contexts, Watched, choose
from .curtain import Curtain
from .messages import SessionChanged
from .modes import begin_anew, later
from .scene import Scene
from .screens.frame import Frame
from .screens.overview import OverviewScreen
from .session import Session, Tell
from .settings import THEMES, TuiSettings
from .sightings import Sighting, keep, notice, notice_status
from .stage import Stage
from .state import View
from .stylesheet import KeptStylesheet
from .taking_over import taking_over
from .undo import Undo, add

DRAW_S: Final = 0.5
"""Two drawings of what changed are at least this far apart."""
TICK_S: Final = 1.0
_DEFAULTS: Final = TuiSettings()
_NOWHERE: Final = Path(os.devnull)


class TocsinApp(Stage):
    """The TUI on one coordinator.

    Args:
        make_session: makes the conversation, given whom to tell.
        name: what this coordinator is called.
        now_us: the clock that is shown and that ages are told by.
        settings: how it looks and behaves.
        data_dir: where what is saved for the user goes.
        read_only: nothing may be changed in this context, whatever the settings say.
        careful: each change asks, and has the name typed.
        contexts: the other coordinators that can be watched.
        begun: the conversation with this one, if it is under way already.
        curtain: what is on the terminal until the first screen is drawn.
        ends_all: whether coordinator, agent and runs end with the program.

    Raises:
        ConfigError: the settings name what is no action, or one key twice.
    """

    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = False
    DEFAULT_MODE = "overview"
    MODES: ClassVar[dict[str, str | Callable[[], Screen[None]]]] = {
        "overview": OverviewScreen,
        "jobs": later("jobs", "JobsScreen"),
        "runs": later("runs", "RunsScreen"),
        "agents": later("agents", "AgentsScreen"),
        "events": later("events", "EventsScreen"),
        "schedule": later("schedule", "ScheduleScreen"),
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "quit", "quit", show=False, priority=True),
        Binding("ctrl+z", "suspend_process", "suspend", show=False, priority=True),
    ]

    def __init__(  # noqa: PLR0913 - what it is told of its surroundings
        self,
        make_session: Callable[[Tell], Session],
        *,
        name: str,
        now_us: Callable[[], int] = clock.now_us,
        settings: TuiSettings = _DEFAULTS,
        data_dir: Path = _NOWHERE,
        read_only: bool = False,
        careful: bool = False,
        contexts: Contexts = MappingProxyType({}),
        begun: Begun | None = None,
        curtain: Curtain | None = None,
        ends_all: bool = False,
    ) -> None:
        super().__init__(
            None if curtain is None else taking_over(curtain),
            ansi_color=True if "NO_COLOR" in os.environ else None,
        )
        self.settings, self.data_dir = settings, data_dir
        self.ends_all = ends_all
        self.mouse = settings.mouse
        self.ascii = bool(settings.ascii)
        self._dress(settings.theme)
        self.stylesheet = KeptStylesheet(variables=self.get_css_variables())
        self.actions = Table(settings.keys)
        self.zone = self._own_zone = settings.tzinfo()
        self._now_us = now_us
        self._contexts = contexts
        self._conversations = 0
        self._view = View()
        self._connection = Connection()
        self._sightings: tuple[Sighting, ...] = ()
        self._begin(Watched(name, make_session, read_only=read_only, careful=careful), begun)
        self._drawing: Timer | None = None
        for key in self.actions.used_keys():
            self.bind(key, f"press({key!r})", show=False)

    # What the screens may use. What is opened later is not imported at the start.

    def scene(self) -> Scene:
        """What there is to draw, now."""
        return self._watched.scene(
            self._view,
            self._connection,
            self._now_us(),
            self.zone,
            self.settings.read_only,
            self._sightings,
        )

    def names(self) -> Names:
        """What can be named besides jobs, runs and agents."""
        return Names(contexts=list(self._contexts), themes=list(THEMES))

    def go(self, place: Place, text: str = "") -> None:
        """Show a screen of the first row, without what was opened on it."""
        if place.value not in self.MODES:
            return
        self.switch_mode(place.value)
        while len(self.screen_stack) > 1:
            self.pop_screen()
        from .screens.listing import ListScreen

        if text and isinstance(self.screen, ListScreen):
            self.call_after_refresh(self.screen.set_filter, text)

    def open_job(self, name: str) -> None:
        """Show a job."""
        from .screens.job import JobScreen

        self.push_screen(JobScreen(name))

    def open_why(self, at: Situation) -> None:
        """Show why the run, or the due time, or the job's last due time went as it did."""
        from .screens.why import WhyScreen

        self.push_screen(WhyScreen(question(at)))

    def open_run(self, run: Run) -> None:
        """Show a run."""
        from .screens.run import RunScreen

        self.push_screen(RunScreen(run))

    def open_editor(self, name: str = "", *, clone: bool = False, as_text: bool = False) -> None:
        """Edit a job; without a name a new one."""
        from .screens.editor import opened

        editor = opened(self._view.jobs, name, clone=clone, as_text=as_text)
        if editor is not None:
            self.push_screen(editor)
        elif isinstance(self.screen, Frame):
            self.screen.say(f"there is no job {name} any more", failed=True)

    def open_palette(self, at: Situation) -> None:
        """Show everything that can be found by its name, and do what was chosen."""
        from .finding import findings
        from .screens.palette import PaletteScreen

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
        screen = self.screen
        if isinstance(screen, Frame) and screen.is_mounted and not self.leaving:
            screen.action_press(key)

    def on_mount(self) -> None:
        """Begin to talk."""
        self.run_worker(self._talk(), group="session", exclusive=True)
        self.set_interval(TICK_S, self._draw)

    def on_session_changed(self, message: SessionChanged) -> None:
        """Draw it, together with what follows close behind; the first rows at once."""
        if message.conversation != self._conversations:
            return
        first = message.view.whole and not self._view.whole
        if first:
            gc.freeze()  # looking through a large fleet for garbage takes a tenth of a second
        same = message.view is self._view and message.connection.phase is self._connection.phase
        self._notice(message)
        self._view, self._connection = message.view, message.connection
        if same:
            return  # how old it is changes every second anyway
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

    def _begin(self, watched: Watched, begun: Begun | None = None) -> None:
        """Have a conversation to hold, or take one over with what is known already."""
        self._conversations += 1
        number = self._conversations

        def tell(view: View, connection: Connection) -> None:
            self._told(view, connection, number)

        self._watched = watched
        self._begun = begun
        if begun is None:
            self.session = watched.make_session(tell)
        else:
            self.session = begun.session
            self.session.tell = tell
        self._view, self._connection = self.session.view, self.session.connection
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

    def on_ready(self) -> None:
        """Look for garbage from now on, but not among what the program is made of."""
        gc.freeze()
        gc.enable()

    def _draw_rest(self) -> None:
        self._drawing = None
        self._draw()

    def _draw(self) -> None:
        for screen in self.screen_stack[-1:]:  # there is none any more while the app ends
            if isinstance(screen, Frame):
                screen.draw()

    async def _talk(self) -> None:
        try:
            await (self.session.run() if self._begun is None else self._begun.talk)
        except TocsinError as error:
            if self._conversations == 1:
                self.exit(return_code=1, message=f"{error.message}\n{error.hint}".strip())
            else:
                self._say(f"{self._watched.name}: {error.message}", failed=True)
