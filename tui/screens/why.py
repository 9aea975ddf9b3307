"""Why a job did, or did not, what it did: the story of one due time or one run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar
from zoneinfo import ZoneInfo

import msgspec
from textual.binding import Binding, BindingType
from textual.widget import Widget

from tocsin.errors import ConfigError, LinkError, RequestError
from tocsin.messages.client_answers import Story
from tocsin.messages.client_link import Explain
from tocsin.model import Run, RunState
from tocsin.moments import is_absolute, parse_moment
from tocsin.tui.actions.action import Flag, Place, Situation
from tocsin.tui.due_times import due_after, due_before
from tocsin.tui.job_history import runs_of
from tocsin.tui.plain import fit, one_line
from tocsin.tui.scene import Scene
from tocsin.tui.story_lines import story_rows, title, verdict_lines
from tocsin.tui.widgets.columns import Cell, LineOf
from tocsin.tui.widgets.one_line import OneLine
from tocsin.tui.widgets.pick_list import PickList
from tocsin.tui.words import local

from .frame import Frame


class WhyScreen(Frame):
    """A story, and the way to those of the due times around it."""

    PLACE = Place.WHY
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "press('left_square_bracket')", show=False),
        Binding("right", "press('right_square_bracket')", show=False),
    ]

    def __init__(self, ask: Explain) -> None:
        super().__init__()
        self._ask = ask
        self._story: Story | None = None
        self._told_us = 0
        self._wrong = ""
        self._wanted = True
        """The story is to be asked for as soon as that is possible."""
        self._asking = False
        self._states: dict[str, RunState] = {}
        """Where the runs of the story stood when it was asked for."""
        self.doings = {
            **self.doings,
            "due_before": lambda _: self._step(-1),
            "due_after": lambda _: self._step(1),
            "why_at": self._go_to_time,
            "refetch": lambda _: self._refetch(),
        }

    def body(self) -> Iterable[Widget]:
        """What it is about, and the story."""
        yield OneLine(id="why-title")
        yield PickList(id="story")

    def on_mount(self) -> None:
        """The keys go to the story."""
        self._pane.focus()
        self.call_after_refresh(self.draw)

    def on_resize(self) -> None:
        """Wrap anew, once the story has its size."""
        self.call_after_refresh(self.draw)

    def crumb(self) -> str:
        """Which job this is."""
        return f"{self._ask.job} > why"

    def look(self, scene: Scene) -> Situation:
        """The job, and the run under the cursor, or else the first of the story."""
        row, runs = scene.view.jobs.get(self._ask.job), self._runs(scene)
        chosen = [run for run in runs if run.id == self._pane.cursor_key] or runs[:1]
        told_us = None if self._story is None else self._story.at_us
        at_us = self._ask.at_us if told_us is None else told_us
        alone = at_us is None and bool(chosen)
        return Situation(
            place=self.PLACE,
            jobs=(row,) if row is not None else (),
            runs=tuple(chosen),
            at_us=at_us,
            flags=frozenset({Flag.CHOSEN}) if alone else frozenset(),
        )

    def draw_body(self, scene: Scene) -> None:
        """The story as far as it is known, with what keeps it from being asked for."""
        story, width = self._story, self._pane.text_width
        self._ask_again(scene)
        note, colour = self._note(scene)
        head = f" {title(self._ask, story, scene.zone)}"
        left = fit(head, max(self.size.width - len(note) - 2, 0))
        self.query_one("#why-title", OneLine).say(Cell(left, "strong"), Cell(f" {note} ", colour))
        if story is None:
            self._pane.show((), empty=self._wrong or note)
            return
        known = {run.id: run for run in self._runs(scene)}
        told = msgspec.structs.replace(story, runs=[known[run.id] for run in story.runs])
        self._pane.show(
            [LineOf(*row) for row in story_rows(told, scene.now_us, scene.zone, width)],
            head=[*verdict_lines(story, width), ()],
        )

    def on_pick_list_moved(self, message: PickList.Moved) -> None:
        """Other keys may be valid for this line."""
        message.stop()
        self.draw_foot(self.stage.scene())

    @property
    def _pane(self) -> PickList:
        return self.query_one("#story", PickList)

    def _runs(self, scene: Scene) -> list[Run]:
        """The runs of the story, as they are now."""
        runs = [] if self._story is None else self._story.runs
        return [scene.view.runs.get(run.id, run) for run in runs]

    def _note(self, scene: Scene) -> tuple[str, str]:
        """How fresh the story is, or why there is none."""
        offline = scene.connection.blocks()
        if self._wanted and offline:
            return f"{offline}: asked again when the link is back", "warn"
        if self._wrong:
            return fit(one_line(self._wrong), self.size.width * 2 // 3).rstrip(), "bad"
        if self._wanted or self._asking:
            return "the coordinator is being asked", "quiet"
        return f"as of {local(self._told_us, scene.zone):%H:%M:%S}", "quiet"

    # Asking.

    def _ask_again(self, scene: Scene) -> None:
        """Ask for what is wanted, and anew when a run of the story went on."""
        states = {run.id: run.state for run in self._runs(scene)}
        if states != self._states:
            self._states = states
            self._wanted = True
        if self._wanted and not self._asking and not scene.connection.blocks():
            self._wanted, self._asking = False, True
            self.run_worker(self._fetch(self._ask), group="explain")

    async def _fetch(self, ask: Explain) -> None:
        try:
            answer = await self.stage.session.ask(ask)
        except LinkError:
            self._wanted = True  # with the next drawing, as soon as there is a link
            return
        except RequestError as error:
            self._wrong = f"{error.message} ({error.hint})" if error.hint else error.message
        else:
            if ask == self._ask and isinstance(answer, Story):
                self._take(answer)
        finally:
            self._asking = False
        self.draw()

    def _take(self, story: Story) -> None:
        scene = self.stage.scene()
        self._story, self._wrong, self._told_us = story, "", scene.now_us
        self._states = {run.id: run.state for run in self._runs(scene)}

    def _tell_of(self, ask: Explain) -> None:
        self._ask, self._wrong, self._wanted = ask, "", True
        self.draw()

    def _refetch(self) -> None:
        self.stage.session.subscribe_soon()
        self._tell_of(self._ask)

    # Going from due time to due time.

    def _step(self, by: int) -> None:
        scene = self.stage.scene()
        row = scene.view.jobs.get(self._ask.job)
        job = row.job if row is not None else None
        runs = [*runs_of(scene.view.runs.values(), self._ask.job), *self._runs(scene)]
        step = due_before if by < 0 else due_after
        at_us = step(job, runs, self._place_us(scene))
        if at_us is None:
            self.say(f"there is no due time {'before' if by < 0 else 'after'} this one")
        else:
            self._tell_of(Explain(self._ask.job, at_us))

    def _place_us(self, scene: Scene) -> int:
        """Where one is: an instant that was asked for counts, even if nothing was due then."""
        story = self._story
        if self._ask.at_us is not None:
            return self._ask.at_us
        if story is not None and story.at_us is not None:
            return story.at_us
        return story.runs[0].created_us if story is not None and story.runs else scene.now_us

    def _go_to_time(self, at: Situation) -> None:
        scene = self.stage.scene()
        row = scene.view.jobs.get(self._ask.job)
        name = self._story.timezone if self._story is not None else row.job.timezone if row else ""
        if not name and not is_absolute(at.text):
            self.say("at: the job's clock is not known yet; write it with its offset", failed=True)
            return
        try:
            at_us = parse_moment(at.text, ZoneInfo(name or "UTC"), scene.now_us)
        except ConfigError as error:
            self.say(f"at: {error.message} ({error.hint})", failed=True)
            return
        self._tell_of(Explain(self._ask.job, at_us))
