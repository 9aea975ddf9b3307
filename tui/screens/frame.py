"""What all screens have: a header, tabs, a line for what was said or is typed, a footer."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ClassVar, Final

import msgspec
from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.css.query import NoMatches
from textual.widget import Widget

from tocsin.errors import RequestError
from tocsin.instants import SECOND_US
from tocsin.tui.actions import commands
from tocsin.tui.actions.action import Action, Place, Situation, forbidden
from tocsin.tui.actions.telling import first_command, footer
from tocsin.tui.foot import advice
from tocsin.tui.memo import Memo
from tocsin.tui.messages import Said
from tocsin.tui.plain import fit, one_line, spread
from tocsin.tui.scene import Scene, header, tabs
from tocsin.tui.stage import Stage
from tocsin.tui.state import Counts, count
from tocsin.tui.widgets.columns import Cell
from tocsin.tui.widgets.one_line import OneLine
from tocsin.tui.widgets.prompt import Prompt, Question

from .asking import ask, take_back
from .confirm import ConfirmScreen
from .help import HelpScreen
from .leaving import leave_or_ask
from .prompting import PromptingScreen

SAID_S: Final = 15
"""How long a line that was said stays, unless another is."""
Doing = Callable[[Situation], object]


class Frame(PromptingScreen):
    """A screen between header and footer.

    Textual calls the `on_…` of every class of a screen, the most special first, so none calls
    that of its base.
    """

    AUTO_FOCUS = ""
    PLACE: ClassVar[Place]
    """Where the user is on this screen."""
    LEGEND: ClassVar[Sequence[str]] = ()
    """What the signs of this screen mean, for its help."""
    BINDINGS: ClassVar[list[BindingType]] = [
        # Textual's own screens take these before the app's keys are looked at.
        Binding("tab", "press('tab')", show=False),
        Binding("shift+tab", "press('shift+tab')", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._said: tuple[Said, int] | None = None
        self._counts: Memo[Counts] = Memo()
        self.doings: Mapping[str, Doing] = {
            "help": lambda _: self.app.push_screen(
                HelpScreen(self.stage.actions, self.PLACE, self.LEGEND)
            ),
            "quit": lambda at: leave_or_ask(self.stage, at),
            "command": self._open_command_line,
            "palette": lambda at: self.stage.open_palette(at),  # noqa: PLW0108 - no stage yet
            "undo": lambda at: self.run_worker(
                take_back(self.stage, self.do, self.post_message, at), group="ask"
            ),
            "back": lambda _: self.go_back(),
            "copy": lambda at: self.copy(self.to_copy(at)),
            "copy_command": lambda at: self.copy(self._command_in_sight(at)),
            "zone": lambda _: self.stage.switch_zone(),
            "mouse": lambda _: self.stage.switch_mouse(),
            "context": lambda at: self.stage.use_context(at.text),
            "theme": lambda at: self.stage.use_theme(at.text),
            "redraw": lambda _: self.stage.action_redraw(),
            "refetch": lambda _: self.stage.session.subscribe_soon(),
            "job": lambda at: self.stage.open_job(at.job_names[0]),
            "its_job": lambda at: self.stage.open_job(at.job_names[0]),
            "its_agent": lambda at: self.stage.go(Place.AGENTS, f"name:{at.agent_names[0]}"),
            "open": self._open_run,
            "log": self._open_run,
            "agent": lambda at: self.stage.go(Place.AGENTS, f"name:{at.agents[0].name}"),
            "runs_there": lambda at: self.stage.go(Place.RUNS, f"agent:{at.agents[0].name}"),
            "runs_of": lambda at: self.stage.go(Place.RUNS, f"job:{at.job_names[0]}"),
            "why": lambda at: self.stage.open_why(at),  # noqa: PLW0108 - no stage yet
            "new": lambda _: self.stage.open_editor(),
            "edit": lambda at: self.stage.open_editor(at.job_names[0]),
            "edit_text": lambda at: self.stage.open_editor(at.job_names[0], as_text=True),
            "clone": lambda at: self.stage.open_editor(at.job_names[0], clone=True),
            **{place.value: _going(self, place) for place in _TAB_PLACES},
        }
        """What the actions that ask nothing of the coordinator do, by their ids."""

    @property
    def stage(self) -> Stage:
        """The app."""
        assert isinstance(self.app, Stage)
        return self.app

    # What each screen says of itself.

    def body(self) -> Iterable[Widget]:
        """The widgets between header and footer."""
        raise NotImplementedError

    def look(self, scene: Scene) -> Situation:
        """What the keys act on; `situation` adds what is the same for all screens."""
        raise NotImplementedError

    def draw_body(self, scene: Scene) -> None:
        """Show the scene between header and footer."""
        raise NotImplementedError

    def crumb(self) -> str:
        """What stands at the right of the tabs: where one is, or how much is listed."""
        return ""

    def to_copy(self, at: Situation) -> str:
        """What is copied: ids of runs, names of jobs or agents."""
        things = [agent.name for agent in at.agents] or [run.id for run in at.runs] or at.job_names
        return "\n".join(things)

    # Drawing.

    def compose(self) -> ComposeResult:
        """Header, tabs, body, what was said, footer."""
        yield OneLine(id="header")
        yield OneLine(id="tabs")
        yield from self.body()
        yield OneLine(id="said")
        yield Prompt(id="prompt")
        yield OneLine(id="footer")

    def situation(self, scene: Scene) -> Situation:
        """What the keys act on."""
        return scene.admit(self.look(scene))

    def draw(self) -> None:
        """Show what is known now."""
        if not self.is_mounted or not self.size:
            return
        scene = self.stage.scene()
        # While the app ends, its widgets go one by one, and a timer may still ring in between.
        with contextlib.suppress(NoMatches):
            self.query_one("#header", OneLine).say(
                *header(
                    scene,
                    self._counts.of(lambda: count(scene.view), scene.view.shown),
                    self.size.width,
                )
            )
            self.draw_body(scene)
            tab = self.stage.current_mode
            self.query_one("#tabs", OneLine).say(*tabs(tab, self.crumb(), self.size.width))
            self.draw_foot(scene)

    def draw_foot(self, scene: Scene) -> None:
        """Show what was said and the keys that are valid now."""
        at = self.situation(scene)
        self.query_one("#said", OneLine).say(self._said_line(scene, at))
        if self.offered:
            text = f" tab: {'  '.join(self.offered)}"
            line = Cell(fit(text, self.size.width), "quiet")
        elif self.query_one(Prompt).is_open:
            line = Cell(fit(" enter takes it   esc leaves all as it was", self.size.width), "quiet")
        else:
            line = Cell(footer(self.stage.actions, at, self.size.width))
        self.query_one("#footer", OneLine).say(line)

    def _said_line(self, scene: Scene, at: Situation) -> Cell:
        width = self.size.width - 1
        if self._said is not None and scene.now_us - self._said[1] <= SAID_S * SECOND_US:
            said = self._said[0]
            right = f"same as: {said.command} " if said.command else ""
            tone = "bad" if said.failed else "good"
            text = one_line(said.text)
            if cell_len(text) + cell_len(right) > width:
                return Cell(" " + fit(f"{text}   {right}", width), tone)
            return Cell(" " + spread(text, right, width), tone)
        return advice(self.stage.actions, scene, at, self.size.width)

    # Being told. Textual calls these behind those of the same name in subclasses.

    def on_mount(self) -> None:
        """Draw for the first time."""
        self.draw()

    def on_resize(self) -> None:
        """Lay the lines out anew."""
        self.draw()

    def on_screen_suspend(self) -> None:
        """What was said is old when this screen is shown again."""
        self.unsay()

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

    def unsay(self) -> None:
        """Forget what was said: it is true no more, or was said long before."""
        self._said = None

    def say(self, text: str, *, failed: bool = False) -> None:
        """Tell the user something in one line."""
        self.post_message(Said(text, failed=failed))

    # Doing.

    def action_press(self, key: str) -> None:
        """Do what a key stands for here, or say why not."""
        at = self.situation(self.stage.scene())
        action = self.stage.actions.for_key(key, at)
        if action is not None:
            self.do(action, at)

    def do(self, action: Action, at: Situation) -> None:
        """Do it, or say why not, or ask first."""
        blocked = forbidden(action, at) or action.blocked(at)
        if blocked:
            self.say(f"{action.name}: {blocked}", failed=True)
            return
        if action.prompt and not at.text:
            self.prompt(Question(f"{action.prompt} ", lambda text: self._typed(action, at, text)))
            return
        question = action.question(at)
        if question or (action.ask is not None and self.stage.scene().careful):
            typed = self.stage.scene().name if self.stage.scene().careful else ""
            self.app.push_screen(
                ConfirmScreen(action, at, typed),
                lambda sure: self._perform(action, at) if sure else None,
            )
        else:
            self._perform(action, at)

    def _typed(self, action: Action, at: Situation, text: str) -> None:
        if text.strip():
            self.do(action, msgspec.structs.replace(at, text=text.strip()))

    def _perform(self, action: Action, at: Situation) -> None:
        if action.ask is not None:
            self.run_worker(ask(self.stage, self.post_message, action, at), group="ask")
        elif action.id in self.doings:
            self.doings[action.id](at)
        else:
            there = ", ".join(sorted(place.value for place in action.places))
            self.say(f"{action.id}: not on this screen, but on: {there}", failed=True)

    def go_back(self) -> None:
        """Close this screen."""
        self.app.pop_screen()

    def copy(self, text: str) -> None:
        """Copy a text to the user's own machine."""
        if text:
            self.app.copy_to_clipboard(text)

    def _command_in_sight(self, at: Situation) -> str:
        if self._said is not None and self._said[0].command:
            return self._said[0].command
        return first_command(self.stage.actions, at)[1]

    def _open_command_line(self, at: Situation) -> None:
        stage = self.stage
        self.prompt(
            Question(
                ":",
                lambda text: self.command(text, at),
                complete=lambda text: commands.complete(
                    text, stage.actions, stage.scene().view, at, stage.names()
                ),
            )
        )

    def command(self, text: str, at: Situation) -> None:
        """Do what was typed behind `:`, or say what is wrong with it."""
        if not text.strip():
            return
        try:
            call = commands.read(text, self.stage.actions, self.stage.scene().view, at)
        except RequestError as error:
            hint = f" ({error.hint})" if error.hint else ""
            self.say(f"{error.message}{hint}", failed=True)
            return
        self.do(call.action, call.at)

    def _open_run(self, at: Situation) -> None:
        if at.run is not None:
            self.stage.open_run(at.run)


def _going(frame: Frame, place: Place) -> Doing:
    return lambda at: frame.stage.go(place, at.text)


_TAB_PLACES: Final = (
    Place.OVERVIEW, Place.JOBS, Place.RUNS, Place.AGENTS, Place.SCHEDULE, Place.EVENTS,
)  # fmt: skip
